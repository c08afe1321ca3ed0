"""The commands that only ask: how things stand, where an order is, what the targets say."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from pipeline.commands.shell import json_option, print_json, project_option, says_what_happened, stop_on_signals

_FIRST_YEAR = 2000


@click.command()
@project_option
@json_option
@click.option("--recount", is_flag=True, help="Count every delivery anew instead of believing the tallies.")
@says_what_happened
def status(folder: Path, as_json: bool, recount: bool) -> int:
    """The balance per file and per account."""
    from pipeline.status import read_status

    told, code = read_status(folder, recount=recount)
    if as_json:
        print_json(told)
    else:
        from pipeline.console import told_balance

        click.echo(told_balance(told))
    return code


@click.command()
@click.argument("key")
@project_option
@json_option
@says_what_happened
def find(key: str, folder: Path, as_json: bool) -> int:
    """Where is order KEY: file, row, state per target, remote ids, attempts."""
    from pipeline.life import life
    from pipeline.project import load_plan, opened

    plan = load_plan(folder, secrets=False)
    with opened(plan) as project, project.engine.connect() as connection:
        told = life(connection, key)
    if as_json:
        print_json(told)
    else:
        from pipeline.console import told_life

        click.echo(told_life(told))
    return 0 if told["deliveries"] or told["rejections"] else 1


@click.command()
@click.option("--account", help="Only this account.")
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="From this day on (default: the first delivery)."
)
@click.option("--workbook", is_flag=True, help="Also write one workbook per account to var/reconcile.")
@project_option
@json_option
@says_what_happened
def reconcile(account: str | None, since: datetime | None, workbook: bool, folder: Path, as_json: bool) -> int:
    """Compare the ledger with the targets' own lists: missing, extra, differing. Reads only."""
    if since is not None and since.year < _FIRST_YEAR:
        raise click.UsageError(f"--since: no order is that old; name a day from {_FIRST_YEAR}-01-01 on.")
    from pipeline.project import load_plan, opened
    from pipeline.reconcile import reconcile as compare
    from pipeline.reconcile import write_workbooks

    with opened(load_plan(folder)) as project:
        told = compare(project, account, since.date() if since else None, stop_on_signals())
        written = write_workbooks(project, told) if workbook else []
    if as_json:
        print_json({**told, "workbooks": written})
    else:
        from pipeline.console import told_reconcile

        click.echo(told_reconcile(told, written))
    return int(told["exit_code"])
