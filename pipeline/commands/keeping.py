"""The commands that keep the ledger: a copy while it is in use, the way back, and what is forgotten in time."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.commands.shell import project_option, says_what_happened


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@project_option
@says_what_happened
def backup(file: Path, folder: Path) -> int:
    """Copy the ledger to FILE, also while a run or the watch is at work."""
    from pipeline.ledger.backup import back_up
    from pipeline.settings import load_settings

    size = back_up(load_settings(folder).ledger_url, file)
    click.echo(f"The ledger is in {file}: {size:,} bytes, checked. `orderdrop restore {file}` puts it back.")
    return 0


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--caution", is_flag=True, help="The ledger was put back with other tools: be as careful.")
@click.option("--done", is_flag=True, help="All that was sent since the backup is known again: end the caution.")
@project_option
@says_what_happened
def restore(file: Path | None, caution: bool, done: bool, folder: Path) -> int:
    """Put a backup in the ledger's place; from then on every order is looked up before it is sent."""
    import time

    from pipeline.keeping import restore as put_back
    from pipeline.settings import load_settings

    if (file is not None) + caution + done != 1:
        raise click.UsageError("Name the backup FILE, or --caution, or --done.")
    if file is None:
        return _mark(folder, done=done)
    restored = put_back(load_settings(folder), file, time.time())
    click.echo(f"The ledger is that of {file}.")
    if restored.kept is not None:
        click.echo(f"The one it replaces is kept as {restored.kept}.")
    _warn(restored.unknown, folder)
    return 0


def _mark(folder: Path, *, done: bool) -> int:
    from pipeline.keeping import be_careful
    from pipeline.ledger import restores
    from pipeline.project import alone, load_plan, opened

    with opened(load_plan(folder, secrets=False)) as project, alone(project):
        if not done:
            _warn(be_careful(project), folder)
            return 0
        ended = project.writer.write(lambda c: restores.end(c, project.clock.now()))
    click.echo("Orders are sent as usual again." if ended else "No restored backup asks for caution.")
    return 0


def _warn(unknown: tuple[Path, ...], folder: Path) -> None:
    """What an old backup means, loudly."""
    click.echo(
        "\nATTENTION: orders sent since this backup was made are not known here any more.\n"
        "From now on orderdrop asks each target before it sends anything, where the target can be asked. Where it\n"
        "cannot, what the backup had still to send waits for you: `orderdrop doubt`."
    )
    if unknown:
        click.echo(f"{len(unknown)} files were taken in after the backup; the ledger does not know them:")
        for path in unknown[:20]:
            click.echo(f"  {path}")
        click.echo("Copy them into inbox/ again: their orders are asked about in the same way.")
    click.echo(
        "`orderdrop reconcile` compares with the targets' own lists. When all is known again:\n"
        f"`orderdrop restore --done --project {folder}`."
    )


@click.command()
@click.option(
    "--older-than", "days", type=click.FloatRange(min=0, min_open=True), metavar="DAYS",
    help="Days since a file's last delivery ended (default: keep_personal_data_days of [ledger]).",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say which files.")
@project_option
@says_what_happened
def purge(days: float | None, dry_run: bool, folder: Path) -> int:
    """Blank personal data of files that ended long ago; what proves that they were sent stays."""
    from pipeline.errors import SetupError
    from pipeline.keeping import due_for_purge
    from pipeline.keeping import purge as blank
    from pipeline.project import alone, load_plan, opened

    plan = load_plan(folder, secrets=False)
    age = days if days is not None else plan.settings.ledger.keep_personal_data_days
    if age is None:
        raise SetupError("After how many days? Say --older-than DAYS, or set keep_personal_data_days in [ledger].")
    with opened(plan) as project, alone(project):
        if dry_run:
            files = due_for_purge(project, age)
            for batch in files:
                click.echo(f"{batch.file_name}: {batch.path}")
            click.echo(f"{len(files)} files would be purged.")
            return 0
        purged = blank(project, age, always_wipe=True)
    for remark in purged.remarks:
        click.echo(remark, err=True)
    click.echo(f"Purged {purged.files} files and {purged.deliveries} deliveries; counts, ids and fingerprints stay.")
    return 1 if purged.remarks else 0
