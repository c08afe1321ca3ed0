"""The commands that do the work: one pass, one pickup, or for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from pipeline.commands.shell import (
    json_option,
    log_format_option,
    log_level_option,
    print_json,
    project_option,
    says_what_happened,
    stop_on_signals,
)
from pipeline.sweeping import loading


@click.command()
@project_option
@json_option
@log_format_option
@log_level_option
@says_what_happened
def run(folder: Path, as_json: bool, log_format: str, log_level: str | None) -> int:
    """Take in every settled file, deliver until nothing is due, hand back, print the balance."""
    with loading("pipeline.run"):
        from pipeline.events import Event
        from pipeline.project import load_plan, opened
        from pipeline.run import run as run_once
        from pipeline.tell import all_is_well, tell, telling_trouble
        from pipeline.trail import choice_of, progress_for

    stop = stop_on_signals(log_format)
    with _telling_setup(folder, stop, log_format, log_level):
        plan = load_plan(folder)
        choice = choice_of(plan.settings, log_format, log_level)
        with telling_trouble(folder), progress_for(choice) as progress, opened(plan) as project:
            report = run_once(project, stop, progress)
            all_is_well(plan.settings)
            tell(project, stop, progress, {})
    with progress_for(choice_of(plan.settings, log_format, log_level, trail=True)) as progress:
        for remark in report.remarks:
            progress.say(remark, Event.REMARK)
        for trouble in report.troubles:
            progress.say(str(trouble), Event.ACCOUNT_WAITS)
    if as_json:
        taken = {batch.id for batch in report.batches}
        print_json({**report.balance, "taken_in": len(taken), "exit_code": report.exit_code})
    else:
        from pipeline.console import told_run

        click.echo(told_run(report))
    return report.exit_code


@contextmanager
def _telling_setup(folder: Path, stop: threading.Event, log_format: str, log_level: str | None) -> Iterator[None]:
    """People are told, once and then reminded, when a run ends because a mapping or schema is wrong."""
    from pipeline.errors import OrderdropError, SetupError

    try:
        yield
    except SetupError:
        # Where the settings themselves are wrong, or the ledger, nobody can be told; the exit code says it.
        with suppress(OrderdropError, OSError):
            _tell_setup(folder, stop, log_format, log_level)
        raise


def _tell_setup(folder: Path, stop: threading.Event, log_format: str, log_level: str | None) -> None:
    from pipeline.project import load_good_plan, opened
    from pipeline.reload import wrong_schemas
    from pipeline.tell import tell
    from pipeline.trail import choice_of, progress_for

    plan, problems = load_good_plan(folder)
    stopped = {**problems, **wrong_schemas(plan)}
    if not stopped or not plan.settings.channels:
        return
    with progress_for(choice_of(plan.settings, log_format, log_level)) as progress, opened(plan) as project:
        tell(project, stop, progress, stopped)


@click.command()
@click.argument("pickup", required=False)
@project_option
@json_option
@log_format_option
@log_level_option
@says_what_happened
def fetch(pickup: str | None, folder: Path, as_json: bool, log_format: str, log_level: str | None) -> int:
    """Fetch from PICKUP now (default: from every pickup): what is new there comes into the inbox."""
    from pipeline.console import told_fetch
    from pipeline.fetch import chosen
    from pipeline.fetch import fetch as fetch_from
    from pipeline.project import load_plan, opened
    from pipeline.trail import choice_of, progress_for

    plan = load_plan(folder)
    names, stop = chosen(plan, pickup), stop_on_signals(log_format)
    with progress_for(choice_of(plan.settings, log_format, log_level)) as progress, opened(plan) as project:
        told = [fetch_from(project, name, stop, progress) for name in names if not stop.is_set()]
    code = max((one.exit_code for one in told), default=0)
    if as_json:
        print_json({"pickups": [one.as_json() for one in told], "exit_code": code})
    else:
        click.echo(told_fetch(told))
    return code


@click.command()
@project_option
@log_format_option
@log_level_option
@says_what_happened
def watch(folder: Path, log_format: str, log_level: str | None) -> int:
    """Run for ever: watched inbox, scheduled pickups, retries when due; SIGTERM or Ctrl-C stops it cleanly."""
    with loading("pipeline.watch"):
        from pipeline.settings import load_settings
        from pipeline.trail import choice_of, progress_for
        from pipeline.watch import watch as watch_on

    choice = choice_of(load_settings(folder), log_format, log_level, trail=True)
    with progress_for(choice) as progress:
        watch_on(folder, stop_on_signals(log_format), progress, secrets=choice.secrets)
    return 0
