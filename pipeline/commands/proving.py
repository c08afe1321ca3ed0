"""The commands before anything is touched: the dry run, and the proof of the set-up."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.commands.shell import json_option, print_json, project_option, says_what_happened


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=True))
@click.option("--feed", help="The feed, where the file's name does not tell.")
@click.option("--all", "whole", is_flag=True, help="Look at all rows of a long file, not at the first 100,000 only.")
@project_option
@json_option
@says_what_happened
def preview(file: Path, feed: str | None, whole: bool, folder: Path, as_json: bool) -> int:
    """The dry run of FILE: rows, rejections and the exact requests; writes nothing, sends nothing."""
    from pipeline.preview import preview as dry_run
    from pipeline.project import load_plan

    told = dry_run(load_plan(folder, secrets=False), file, feed, whole=whole)
    if as_json:
        print_json(told)
    else:
        from pipeline.console import told_preview

        click.echo(told_preview(told))
    return 1 if told["rejections"] or told["refusals"] else 0


@click.command()
@click.option("--online", is_flag=True, help="Also ask each account: can I reach you, is the key good?")
@click.option("--create-fields", is_flag=True, help="Ask the accounts, and make the custom fields that are missing.")
@project_option
@json_option
@says_what_happened
def check(online: bool, create_fields: bool, folder: Path, as_json: bool) -> int:
    """Prove settings, mappings and schemas without touching anything."""
    from pipeline.check import check as prove

    told = prove(folder, online=online or create_fields, create_fields=create_fields)
    if as_json:
        print_json(told)
    else:
        from pipeline.console import told_check

        click.echo(told_check(told))
    return int(told["exit_code"])


@click.command()
@click.option(
    "--online", is_flag=True, help="Also ask each account: reach, key, and how far its clock stands from ours."
)
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write a zip for whoever helps: no secrets, nobody's data.",
)
@project_option
@json_option
@says_what_happened
def doctor(online: bool, bundle: Path | None, folder: Path, as_json: bool) -> int:
    """Look at everything, and say in plain words what is wrong and what to do."""
    from pipeline.doctor import examine, write_bundle

    told = examine(folder, online=online)
    written = write_bundle(folder, told, bundle) if bundle else []
    if as_json:
        print_json({**told, "bundle": written})
    else:
        from pipeline.console import told_check

        click.echo(told_check(told))
        if bundle:
            click.echo(f"Written: {bundle} ({', '.join(written)}). Look into it before you send it.")
    return int(told["exit_code"])
