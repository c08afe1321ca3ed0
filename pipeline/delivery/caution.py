"""After a backup of the ledger was put back: what was sent since it was made is not known, so nothing goes unasked.

Until a person ends it, every step is looked up before it is first sent, where its target can be asked. Where it cannot,
a delivery of the backup that was still to be sent, or one of a file taken in since, waits for a person.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from pipeline.ledger import restores
from pipeline.ledger.deliveries import RESEND, Delivery
from pipeline.ledger.sends import StepRow

UNSURE = "The ledger was restored from a backup: it may have been sent since that was made, and this target cannot say."


@dataclass(frozen=True, slots=True)
class Caution:
    """``last_delivery``: up to this id a delivery was in the backup; ``batches`` are of files taken in after it."""

    looks_first: bool = False
    last_delivery: int = 0
    batches: frozenset[int] = frozenset()

    def forbids(self, delivery: Delivery, known: StepRow | None) -> bool:
        """Whether a step may have been sent without this ledger knowing, and no person said since to send it."""
        unsure = delivery.id <= self.last_delivery or delivery.batch_id in self.batches
        return unsure and (known is None or known.last_look != RESEND)


CERTAIN = Caution()
"""No backup was put back: what the ledger knows is all there is."""


def in_force(connection: sa.Connection) -> Caution:
    """What to be careful about now."""
    found = restores.open_ones(connection)
    if not found:
        return CERTAIN
    unknown = {sha256 for one in found for sha256 in one.files}
    return Caution(True, max(one.last_delivery for one in found), restores.batches_of(connection, unknown))
