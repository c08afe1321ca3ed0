"""Put refused deliveries, or a refused file, back in the queue."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

import sqlalchemy as sa

from pipeline.errors import OrderdropError, SetupError, nearest
from pipeline.intake.claim import partner_beside
from pipeline.ledger import batches as files
from pipeline.ledger import deliveries as book
from pipeline.ledger.batches import Batch
from pipeline.ledger.deliveries import Delivery
from pipeline.model import DeliveryState
from pipeline.project import Project


def replay_deliveries(project: Project, ids: Sequence[int], account: str | None) -> list[Delivery]:
    """Refused deliveries wait again: those named, or all of an account; raises when one is not refused."""
    if account is not None and account not in (accounts := project.plan.accounts):
        known = ", ".join(sorted(accounts)) or "none"
        raise SetupError(f"There is no account '{account}'.{nearest(account, accounts)} Known: {known}.")
    with project.engine.connect() as connection:
        refused = {d.id: d for d in book.in_states(connection, DeliveryState.REFUSED)}
    if purged := [i for i in ids if i in refused and refused[i].purged]:
        raise OrderdropError(
            f"The content of {', '.join(map(str, purged))} was purged: there is nothing left to send. "
            "Send the rows in a new file."
        )
    unknown = [i for i in ids if i not in refused]
    if unknown:
        raise OrderdropError(
            f"Not a refused delivery: {', '.join(map(str, unknown))}. `orderdrop find KEY` shows the ids."
        )
    chosen = [d for d in refused.values() if not d.purged and (d.id in ids or d.account == account)]
    _queue(project, chosen)
    return chosen


def replay_file(project: Project, name: str) -> tuple[Batch, list[Delivery]]:
    """A refused file goes back into the inbox; of a file that was taken in, the refused deliveries wait again."""
    with project.engine.connect() as connection:
        named = [batch for batch in files.listed(connection) if batch.file_name == name]
    if not named:
        raise OrderdropError(f"No file called '{name}' was ever taken in. `orderdrop status` lists them.")
    batch = named[-1]
    if batch.purged_at is not None:
        raise OrderdropError(f"'{name}' was purged: there is nothing left to send. Drop the file again.")
    if batch.state == "refused":
        folder = project.plan.settings.inbox / (batch.subfolder or "")
        folder.mkdir(parents=True, exist_ok=True)
        original = project.folder / batch.path
        partner = partner_beside(original)
        for path, copied in ((partner, partner.name if partner else ""), (original, batch.file_name)):
            if path is not None:
                halfway = folder / f".{batch.link}.part"
                shutil.copyfile(path, halfway)
                halfway.rename(folder / copied)
        return batch, []
    with project.engine.connect() as connection:
        refused = book.in_states(connection, DeliveryState.REFUSED, batch_id=batch.id)
    _queue(project, refused)
    return batch, refused


def _queue(project: Project, chosen: Sequence[Delivery]) -> None:
    now = project.clock.now()

    def write(connection: sa.Connection) -> None:
        for delivery in chosen:
            book.move(
                connection, delivery.id, DeliveryState.WAITING, now, due_at=now, tries=0, problems=[], resolved_by=None
            )
            files.change(connection, delivery.batch_id, state="delivering")

    project.writer.write(write)
