"""The commands by which a person decides: about a doubt, about what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from pipeline.commands.shell import json_option, print_json, project_option, say, says_what_happened

_LARGEST_ID = 2**63 - 1
"""What a database can hold."""


@click.group(invoke_without_command=True)
@project_option
@json_option
@click.pass_context
@says_what_happened
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
        print_json({"in_doubt": told})
    else:
        from pipeline.console import told_doubts

        click.echo(told_doubts(told))
    return 1 if told else 0


@doubt.command()
@click.argument("delivery_id", metavar="ID", type=click.IntRange(0, _LARGEST_ID))
@click.option(
    "--as", "decision", required=True, type=click.Choice(["delivered", "resend", "drop"]), help="What you found out."
)
@click.option("--remote-id", help="The id it has at the target: steps after it (such as the payment) still run.")
@project_option
@click.pass_context
@says_what_happened
def settle(context: click.Context, delivery_id: int, decision: str, remote_id: str | None, folder: Path) -> int:
    """Decide about one delivery in doubt: it is there, send it again, or let it be."""
    from pipeline.delivery import doubts
    from pipeline.hand_back import hand_back
    from pipeline.project import alone, load_plan, opened

    chosen = folder if folder != Path() else context.obj
    plan = load_plan(chosen, secrets=False)
    with opened(plan) as project, alone(project):
        now = project.clock.now()
        settled = project.writer.write(lambda c: doubts.settle(c, delivery_id, decision, remote_id, now))
        remarks = hand_back(project).unwritten
    said = {"delivered": "counts as delivered", "resend": "is sent again by the next run", "drop": "is let be"}[
        decision
    ]
    click.echo(f"{settled.record_key} at {settled.account} {said}.")
    for remark in remarks:
        say(remark)
    return 0


@click.command()
@click.argument("delivery_ids", metavar="[ID]...", type=int, nargs=-1)
@click.option("--file", "file_name", help="A file: refused, it goes back into the inbox; else its refused deliveries.")
@click.option("--account", help="All refused deliveries of this account.")
@project_option
@says_what_happened
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
