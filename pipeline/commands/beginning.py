"""The first steps: a project folder, a mapping for a sample, the demo, the simulated targets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from pipeline.commands.shell import json_option, print_json, project_option, says_what_happened, stop_on_signals


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@says_what_happened
def init(folder: Path) -> int:
    """Make a new project folder DIR, ready to be filled in."""
    from pipeline.starter import make_project

    made = make_project(folder)
    click.echo(f"Made a project folder in {folder}:")
    for name in made:
        click.echo(f"  {name}")
    click.echo(f"Next: fill in {folder}/pipeline.toml, then `orderdrop check --project {folder}`.")
    return 0


@click.command()
@click.argument("sample", type=click.Path(path_type=Path))
@click.option("--record", "kind", help="The record kind, where the columns do not tell: order, inventory_item …")
@click.option("--name", help="The name of the feed (default: from the file's name).")
@click.option("--sheet", help="The sheet of a workbook.")
@click.option("--to", multiple=True, metavar="ACCOUNT", help="Where the records go; may be repeated.")
@project_option
@json_option
@says_what_happened
def feed(
    sample: Path, kind: str | None, name: str | None, sheet: str | None, to: Sequence[str], folder: Path, as_json: bool
) -> int:
    """Propose a mapping for SAMPLE: columns matched to fields, never overwriting."""
    from pipeline.feed import Wish
    from pipeline.feed import feed as propose
    from pipeline.project import load_plan
    from pipeline.proposing.telling import told_feed

    told = propose(load_plan(folder, secrets=False), sample, Wish(kind, name, sheet, tuple(to)))
    if as_json:
        print_json(told)
    else:
        click.echo(told_feed(told))
    return 0 if told["live"] else 1


@click.command()
@click.option("--keep", type=click.Path(path_type=Path), help="Where to play it (default: a new temporary folder).")
@says_what_happened
def demo(keep: Path | None) -> int:
    """The whole story on a throw-away folder and simulated targets. No account, no key."""
    from pipeline.demo import play

    return play(keep)


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes any free port.")
@click.option("--fault", "faults", multiple=True, metavar="JSON", help="A fault to begin with; may be repeated.")
@says_what_happened
def sandbox(port: int, faults: Sequence[str]) -> int:
    """Serve the simulated targets for people to try against."""
    from pipeline.sandbox.serve import serve

    return serve(port, faults, stop_on_signals(), click.echo)
