"""The verbs. Each command loads what it needs, says what happened, and ends with the exit code of the README."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from pipeline import __version__
from pipeline.errors import OrderdropError

F = TypeVar("F", bound=Callable[..., Any])

_project = click.option(
    "--project",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default="current folder",
    help="The project folder.",
)
_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
_log_format = click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How progress is logged.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="orderdrop")
def cli() -> None:
    """Drop order exports into a folder; they arrive at their targets once, and what could not go comes back."""


def main() -> NoReturn:
    """The command ``orderdrop``."""
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as problem:
        problem.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        _say("Stopped.")
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _says_what_happened(command: F) -> F:
    """Every expected trouble ends as a sentence on standard error and its exit code, never as a traceback."""

    @wraps(command)
    def wrapped(*args: Any, **options: Any) -> None:  # noqa: ANN401 - whatever click hands over
        try:
            code = command(*args, **options)
        except OrderdropError as problem:
            _say(str(problem))
            if options.get("as_json"):
                _print_json({"error": str(problem), "exit_code": problem.exit_code})
            code = problem.exit_code
        if code:
            raise click.exceptions.Exit(code)

    return wrapped  # type: ignore[return-value]  # same signature, as click needs it


def _say(text: str) -> None:
    click.echo(text, err=True)


def _print_json(document: Mapping[str, Any]) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=1, default=str))


def _stop_on_signals() -> threading.Event:
    """The first signal asks for a clean stop (the step under way is finished), the second ends at once."""
    stop = threading.Event()

    def asked(number: int, _frame: object) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()
        _say("Stopping after the calls under way. Once more to stop at once.")

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, asked)
    return stop


# --- run ---------------------------------------------------------------------------------------------------------


@cli.command()
@_project
@_json
@_log_format
@_says_what_happened
def run(folder: Path, as_json: bool, log_format: str) -> int:
    """Take in every settled file, deliver until nothing is due, hand back, print the balance."""
    from pipeline.console import progress_for
    from pipeline.project import load_plan, opened
    from pipeline.run import run as run_once

    plan = load_plan(folder)
    with opened(plan) as project, progress_for(log_format) as progress:
        report = run_once(project, _stop_on_signals(), progress)
    for remark in (*report.remarks, *map(str, report.troubles)):
        _say(remark)
    if as_json:
        taken = {batch.id for batch in report.batches}
        _print_json({**report.balance, "taken_in": len(taken), "exit_code": report.exit_code})
    else:
        from pipeline.console import told_run

        click.echo(told_run(report))
    return report.exit_code


@cli.command()
@click.argument("pickup", required=False)
@_project
@_json
@_log_format
@_says_what_happened
def fetch(pickup: str | None, folder: Path, as_json: bool, log_format: str) -> int:
    """Fetch from PICKUP now (default: from every pickup): what is new there comes into the inbox."""
    from pipeline.console import progress_for, told_fetch
    from pipeline.fetch import chosen
    from pipeline.fetch import fetch as fetch_from
    from pipeline.project import load_plan, opened

    plan = load_plan(folder)
    names, stop = chosen(plan, pickup), _stop_on_signals()
    with opened(plan) as project, progress_for(log_format) as progress:
        told = [fetch_from(project, name, stop, progress) for name in names if not stop.is_set()]
    code = max((one.exit_code for one in told), default=0)
    if as_json:
        _print_json({"pickups": [one.as_json() for one in told], "exit_code": code})
    else:
        click.echo(told_fetch(told))
    return code


@cli.command()
@_project
@_log_format
@_says_what_happened
def watch(folder: Path, log_format: str) -> int:
    """Run for ever: watched inbox, scheduled pickups, retries when due; SIGTERM or Ctrl-C stops it cleanly."""
    from pipeline.console import lines_for
    from pipeline.watch import watch as watch_on

    watch_on(folder, _stop_on_signals(), lines_for(log_format))
    return 0


@cli.command()
@_project
@_json
@_says_what_happened
def status(folder: Path, as_json: bool) -> int:
    """The balance per file and per account."""
    from pipeline.status import read_status

    told, code = read_status(folder)
    if as_json:
        _print_json(told)
    else:
        from pipeline.console import told_balance

        click.echo(told_balance(told))
    return code


@cli.command()
@click.argument("key")
@_project
@_json
@_says_what_happened
def find(key: str, folder: Path, as_json: bool) -> int:
    """Where is order KEY: file, row, state per target, remote ids, attempts."""
    from pipeline.life import life
    from pipeline.project import load_plan, opened

    plan = load_plan(folder, secrets=False)
    with opened(plan) as project, project.engine.connect() as connection:
        told = life(connection, key)
    if as_json:
        _print_json(told)
    else:
        from pipeline.console import told_life

        click.echo(told_life(told))
    return 0 if told["deliveries"] or told["rejections"] else 1


# --- doubts and replay -------------------------------------------------------------------------------------------


@cli.group(invoke_without_command=True)
@_project
@_json
@click.pass_context
@_says_what_happened
def doubt(context: click.Context, folder: Path, as_json: bool) -> int:
    """What is in doubt: sent, never answered, and not seen at the target so far."""
    context.obj = folder
    if context.invoked_subcommand is not None:
        return 0
    from pipeline.delivery import doubts
    from pipeline.project import load_plan, opened

    plan = load_plan(folder, secrets=False)
    with opened(plan) as project, project.engine.connect() as connection:
        told = [found.told() for found in doubts.listed(connection, project.clock.now())]
    if as_json:
        _print_json({"in_doubt": told})
    else:
        from pipeline.console import told_doubts

        click.echo(told_doubts(told))
    return 1 if told else 0


@doubt.command()
@click.argument("delivery_id", metavar="ID", type=int)
@click.option(
    "--as", "decision", required=True, type=click.Choice(["delivered", "resend", "drop"]), help="What you found out."
)
@click.option("--remote-id", help="The id it has at the target: steps after it (such as the payment) still run.")
@_project
@click.pass_context
@_says_what_happened
def settle(context: click.Context, delivery_id: int, decision: str, remote_id: str | None, folder: Path) -> int:
    """Decide about one delivery in doubt: it is there, send it again, or let it be."""
    from pipeline.delivery import doubts
    from pipeline.project import alone, load_plan, opened

    chosen = folder if folder != Path() else context.obj
    plan = load_plan(chosen, secrets=False)
    with opened(plan) as project, alone(project):
        now = project.clock.now()
        settled = project.writer.write(lambda c: doubts.settle(c, delivery_id, decision, remote_id, now))
    said = {"delivered": "counts as delivered", "resend": "is sent again by the next run", "drop": "is let be"}[
        decision
    ]
    click.echo(f"{settled.record_key} at {settled.account} {said}.")
    return 0


@cli.command()
@click.argument("delivery_ids", metavar="[ID]...", type=int, nargs=-1)
@click.option("--file", "file_name", help="A file: refused, it goes back into the inbox; else its refused deliveries.")
@click.option("--account", help="All refused deliveries of this account.")
@_project
@_says_what_happened
def replay(delivery_ids: Sequence[int], file_name: str | None, account: str | None, folder: Path) -> int:
    """Put refused deliveries, or a file, back in the queue; the next run sends them."""
    from pipeline.project import alone, load_plan, opened
    from pipeline.replay import replay_deliveries, replay_file

    if not (delivery_ids or file_name or account):
        raise click.UsageError("Name delivery ids, --file NAME or --account NAME.")
    plan = load_plan(folder, secrets=False)
    with opened(plan) as project, alone(project):
        if file_name:
            batch, queued = replay_file(project, file_name)
            if batch.state == "refused":
                click.echo(f"{file_name} is back in the inbox.")
                return 0
        else:
            queued = replay_deliveries(project, delivery_ids, account)
    click.echo(f"{len(queued)} refused deliveries wait again; the next run sends them.")
    return 0


@cli.command()
@click.option("--account", help="Only this account.")
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="From this day on (default: the first delivery)."
)
@click.option("--workbook", is_flag=True, help="Also write one workbook per account to var/reconcile.")
@_project
@_json
@_says_what_happened
def reconcile(account: str | None, since: datetime | None, workbook: bool, folder: Path, as_json: bool) -> int:
    """Compare the ledger with the targets' own lists: missing, extra, differing. Reads only."""
    from pipeline.project import load_plan, opened
    from pipeline.reconcile import reconcile as compare
    from pipeline.reconcile import write_workbooks

    with opened(load_plan(folder)) as project:
        told = compare(project, account, since.date() if since else None, _stop_on_signals())
        written = write_workbooks(project, told) if workbook else []
    if as_json:
        _print_json({**told, "workbooks": written})
    else:
        from pipeline.console import told_reconcile

        click.echo(told_reconcile(told, written))
    return int(told["exit_code"])


# --- before anything is touched ----------------------------------------------------------------------------------


@cli.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=True))
@click.option("--feed", help="The feed, where the file's name does not tell.")
@_project
@_json
@_says_what_happened
def preview(file: Path, feed: str | None, folder: Path, as_json: bool) -> int:
    """The dry run of FILE: rows, rejections and the exact requests; writes nothing, sends nothing."""
    from pipeline.preview import preview as dry_run
    from pipeline.project import load_plan

    told = dry_run(load_plan(folder, secrets=False), file, feed)
    if as_json:
        _print_json(told)
    else:
        from pipeline.console import told_preview

        click.echo(told_preview(told))
    return 1 if told["rejections"] or told["refusals"] else 0


@cli.command()
@click.option("--online", is_flag=True, help="Also ask each account: can I reach you, is the key good?")
@click.option("--create-fields", is_flag=True, help="Ask the accounts, and make the custom fields that are missing.")
@_project
@_json
@_says_what_happened
def check(online: bool, create_fields: bool, folder: Path, as_json: bool) -> int:
    """Prove settings, mappings and schemas without touching anything."""
    from pipeline.check import check as prove

    told = prove(folder, online=online or create_fields, create_fields=create_fields)
    if as_json:
        _print_json(told)
    else:
        from pipeline.console import told_check

        click.echo(told_check(told))
    return int(told["exit_code"])


# --- first steps -------------------------------------------------------------------------------------------------


@cli.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@_says_what_happened
def init(folder: Path) -> int:
    """Make a new project folder DIR, ready to be filled in."""
    from pipeline.starter import make_project

    made = make_project(folder)
    click.echo(f"Made a project folder in {folder}:")
    for name in made:
        click.echo(f"  {name}")
    click.echo(f"Next: fill in {folder}/pipeline.toml, then `orderdrop check --project {folder}`.")
    return 0


@cli.command()
@click.argument("sample", type=click.Path(path_type=Path))
@click.option("--record", "kind", help="The record kind, where the columns do not tell: order, inventory_item …")
@click.option("--name", help="The name of the feed (default: from the file's name).")
@click.option("--sheet", help="The sheet of a workbook.")
@click.option("--to", multiple=True, metavar="ACCOUNT", help="Where the records go; may be repeated.")
@_project
@_json
@_says_what_happened
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
        _print_json(told)
    else:
        click.echo(told_feed(told))
    return 0 if told["live"] else 1


@cli.command()
@click.option("--keep", type=click.Path(path_type=Path), help="Where to play it (default: a new temporary folder).")
@_says_what_happened
def demo(keep: Path | None) -> int:
    """The whole story on a throw-away folder and simulated targets. No account, no key."""
    from pipeline.demo import play

    return play(keep)


@cli.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes any free port.")
@click.option("--fault", "faults", multiple=True, metavar="JSON", help="A fault to begin with; may be repeated.")
@_says_what_happened
def sandbox(port: int, faults: Sequence[str]) -> int:
    """Serve the simulated targets for people to try against."""
    from pipeline.sandbox.serve import serve

    return serve(port, faults, _stop_on_signals(), click.echo)
