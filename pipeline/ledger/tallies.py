"""How many deliveries of a file stand in each state at each account, kept as they come and move.

Counting millions takes seconds; a tally is read at once. What arrives is added where it is inserted, in bulk; what
moves or goes is told by triggers of the database in the same transaction, whoever moves it.
``recount`` counts anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import sqlalchemy as sa

from pipeline.ledger import plain
from pipeline.model import DeliveryState

_ADD = (
    "INSERT INTO tallies (batch_id, account, state, number) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (batch_id, account, state) DO UPDATE SET number = tallies.number + excluded.number"
)


def arrived(connection: sa.Connection, batch_id: int, accounts: Iterable[str], each: int) -> None:
    """``each`` deliveries were inserted as waiting for every entry of ``accounts``."""
    for account, entries in Counter(accounts).items():
        plain.run(connection, _ADD, batch_id, account, DeliveryState.WAITING.value, entries * each)
