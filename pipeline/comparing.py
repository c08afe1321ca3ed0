"""Comparing with the targets' own lists on a schedule: what was found goes into workbooks, the log and the ledger."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from pipeline.errors import LedgerError, OrderdropError, SetupError
from pipeline.intake.schedule import Schedule, parse_schedule
from pipeline.ledger import alerts as memory
from pipeline.project import Plan, Project
from pipeline.reconcile import reconcile, write_workbooks
from pipeline.send_out import TransportOf
from pipeline.settings import SETTINGS_FILE

MOMENT = "reconcile"
"""Under this name the ledger keeps when the last comparison ended, or when the schedule was first seen."""


@dataclass(frozen=True, slots=True)
class Compared:
    """How a comparison ended: a sentence and its facts per account, or what kept it from its end."""

    told: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    problem: OrderdropError | None = None


def prove_comparing(plan: Plan) -> Schedule | None:
    """Read ``[reconcile]``; ``SetupError`` says what is wrong, ``None``: only when a person asks."""
    table, where = plan.settings.reconcile, f"{SETTINGS_FILE} [reconcile]"
    if table.days < 1:
        raise SetupError(f"{where} days: write how many days back to compare, at least 1.")
    return parse_schedule(table.schedule, plan.settings.timezone, where) if table.schedule else None


def last_compared(project: Project) -> float:
    """When the last comparison ended. Before the first one, when its schedule was first seen: nothing was missed."""
    now = project.clock.now()
    return project.writer.write(lambda c: memory.first_seen(c, [MOMENT], now))[MOMENT]


def compare_now(project: Project, stop: threading.Event, transport_of: TransportOf) -> Compared:
    """Compare every account over the days of the settings; raises only the ledger's trouble."""
    began = project.clock.now()
    since = datetime.fromtimestamp(began, project.plan.settings.timezone) - timedelta(
        days=project.plan.settings.reconcile.days
    )
    try:
        told = reconcile(project, None, since.date(), stop, transport_of)
        if stop.is_set():  # what was read so far is not the whole list; it is due again
            return Compared()
        differing = [one for one in told["accounts"] if _differences(one)]
        books = dict(zip(_names(differing), write_workbooks(project, {"accounts": differing}), strict=True))
    except LedgerError:
        raise
    except (OrderdropError, OSError) as problem:
        return Compared(problem=OrderdropError(f"The comparison with the targets could not be made: {problem}"))
    project.writer.write(lambda c: _note(c, told["accounts"], books, began))
    return Compared(tuple((_in_words(one, books), _facts(one)) for one in told["accounts"]))


def _differences(one: Mapping[str, Any]) -> bool:
    return any(one[kind] for kind in ("missing", "extra", "differing"))


def _names(accounts: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(one["account"]) for one in accounts]


def _note(
    connection: sa.Connection, accounts: Sequence[Mapping[str, Any]], books: Mapping[str, str], at: float
) -> None:
    memory.note_moment(connection, MOMENT, at)
    known = {row.account: row for row in memory.compared(connection)}
    for one in accounts:
        if one["unreadable"] and one["account"] in known:
            continue  # a list that could not be read says nothing about what was seen before
        found = {kind: one[kind] for kind in ("missing", "extra", "differing")}
        digest = hashlib.sha256(json.dumps(found, sort_keys=True, default=str).encode()).hexdigest()
        values = {kind: len(entries) for kind, entries in found.items()}
        memory.note_comparison(
            connection,
            {**values, "account": one["account"], "compared_at": at, "unreadable": one["unreadable"],
             "digest": digest, "workbook": books.get(one["account"])},
        )  # fmt: skip


def _facts(one: Mapping[str, Any]) -> dict[str, Any]:
    found = {kind: len(one[kind]) for kind in ("missing", "extra", "differing")}
    return {"account": one["account"], "checked": one["checked"], **found}


def _in_words(one: Mapping[str, Any], books: Mapping[str, str]) -> str:
    counted = ", ".join(f"{len(one[kind])} {kind}" for kind in ("missing", "extra", "differing") if one[kind])
    unread = f" {one['note']}" if one["unreadable"] else ""
    shown = f" {books[one['account']]} shows them." if one["account"] in books else ""
    said = counted or ("no difference" if one["checked"] else "nothing compared")
    return f"Compared with {one['account']} since {one['since']}: {one['checked']} checked, {said}.{shown}{unread}"
