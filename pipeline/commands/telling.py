"""The command about alerts: what is open, who was told, and a test message."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.commands.shell import json_option, print_json, project_option, says_what_happened, stop_on_signals


@click.group(invoke_without_command=True)
@project_option
@json_option
@click.pass_context
@says_what_happened
def alerts(context: click.Context, folder: Path, as_json: bool) -> int:
    """What people have to know now, and whom `watch` and `run` told of it."""
    context.obj = folder
    if context.invoked_subcommand is not None:
        return 0
    from pipeline.open_alerts import open_alerts
    from pipeline.project import load_good_plan, opened

    plan, stopped = load_good_plan(folder)
    with opened(plan) as project:
        told = open_alerts(project, stopped)
    if as_json:
        print_json(told)
    else:
        from pipeline.console import told_alerts

        click.echo(told_alerts(told))
    return 1 if told["open"] else 0


@alerts.command("test")
@click.argument("channel", required=False)
@project_option
@click.pass_context
@says_what_happened
def send_test(context: click.Context, channel: str | None, folder: Path) -> int:
    """Send a test message to CHANNEL (default: to every channel)."""
    from pipeline.project import load_good_plan
    from pipeline.tell import send_test as send

    plan, _ = load_good_plan(folder if folder != Path() else context.obj)
    told = send(plan.settings, channel, stop_on_signals())
    for name, problem in told.items():
        click.echo(f"{name}: sent." if problem is None else f"{name}: NOT SENT: {problem}.")
    return 3 if any(told.values()) else 0
