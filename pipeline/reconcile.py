"""``orderdrop reconcile``: the ledger against the targets' own lists. Nothing is sent but reads, nothing is changed."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from pipeline.closing.compare import Comparison, Difference, compare
from pipeline.delivery.lists import ListReader
from pipeline.errors import OrderdropError, SetupError, nearest
from pipeline.fields import RECORD_KINDS
from pipeline.ledger import batches as files
from pipeline.ledger import deliveries as book
from pipeline.ledger.standing import Contents, Standing, first_at, known_at, oldest_date, operations_of
from pipeline.project import Project
from pipeline.send_out import TransportOf, http_transport
from pipeline.targets.contract import Account, Listed, Unclear

CLOCKS_APART = 600.0
"""Seconds: the list is asked for from so much earlier on, because the target's clock may go before ours."""

DAY = 86_400.0
OLDEST = 400 * DAY
"""Seconds: orders that bear an older date than this before the time in question are not looked for in the lists."""

_LISTS_NOTHING = "With these settings {target} shows no list of its own (its README says what opens one): not compared."


@dataclass(frozen=True, slots=True)
class _Read:
    """What an account's lists gave: record kinds ``covered`` by operation, and sentences about what gave nothing."""

    listed: tuple[Listed, ...]
    covered: Mapping[str, frozenset[str]]
    notes: tuple[str, ...]
    unreadable: bool


def reconcile(
    project: Project,
    only: str | None,
    since: date | None,
    stop: threading.Event,
    transport_of: TransportOf = http_transport,
) -> dict[str, Any]:
    """``accounts`` as in the README and ``exit_code``: 0 nothing differs, 1 something does, 3 a list was unreadable."""
    accounts = _chosen(project, only)
    if not accounts:
        return {"accounts": [], "exit_code": 0}
    with ThreadPoolExecutor(len(accounts)) as pool:
        looks = [pool.submit(_one, project, account, since, stop, transport_of) for account in accounts]
        told = [look.result() for look in looks]
    return {"accounts": told, "exit_code": _exit_code(told)}


def _chosen(project: Project, only: str | None) -> Sequence[Account]:
    accounts = project.plan.accounts
    if only is None:
        return list(accounts.values())
    if only not in accounts:
        known = ", ".join(sorted(accounts))
        raise SetupError(f"There is no account '{only}'.{nearest(only, accounts)} Known: {known}.")
    return [accounts[only]]


def _exit_code(told: Sequence[Mapping[str, Any]]) -> int:
    if any(one["unreadable"] for one in told):
        return 3
    return 1 if any(one["missing"] or one["extra"] or one["differing"] for one in told) else 0


def _one(
    project: Project, account: Account, since: date | None, stop: threading.Event, transport_of: TransportOf
) -> dict[str, Any]:
    began = project.clock.now()
    start = _start(project, account, since)
    if start is None:
        return _told(project, account, began, began, _nothing("Nothing was delivered here so far."), None)
    if account.listing is None:
        return _told(project, account, start, began, _nothing(_LISTS_NOTHING.format(target=account.target)), None)
    listed_from = _list_start(project, account, start)
    read = _read_lists(project, account, (listed_from, began), stop, transport_of)
    # The ledger is asked after the target: whatever was listed had been written down before it was sent.
    with project.engine.connect() as connection:
        compared = compare(
            known_at(connection, account.name, read.covered),
            read.listed,
            (start, began - account.settle_seconds),
            Contents(connection, account.name).of,
            listed_from,
        )
    return _told(project, account, start, began, read, compared)


def _nothing(note: str) -> _Read:
    return _Read((), {}, (note,), unreadable=False)


def _start(project: Project, account: Account, since: date | None) -> float | None:
    if since is not None:
        return datetime.combine(since, time(), project.plan.settings.timezone).timestamp()
    with project.engine.connect() as connection:
        return first_at(connection, account.name)


def _list_start(project: Project, account: Account, start: float) -> float:
    """Some targets list an order under the date it bears, which may be long before it was sent."""
    with project.engine.connect() as connection:
        oldest = oldest_date(connection, account.name, start)
    begin = start - CLOCKS_APART
    return begin if oldest is None else max(min(begin, oldest - DAY), start - OLDEST)


# --- the target's side -------------------------------------------------------------------------------------------


def _read_lists(
    project: Project, account: Account, span: tuple[float, float], stop: threading.Event, transport_of: TransportOf
) -> _Read:
    transport = transport_of(account)
    try:
        with project.allowances.hold(account, project.clock, alone=False) as allowance:
            reader = ListReader(account, transport, project.clock, stop, allowance)
            names = _operations(project, account)
            return _merge(account, [(name, _list(reader, account, name, span)) for name in names])
    finally:
        transport.close()


def _operations(project: Project, account: Account) -> list[str]:
    """What was ever delivered here, and what the mappings would deliver."""
    with project.engine.connect() as connection:
        known = set(operations_of(connection, account.name))
    entries = [entry for mapping in project.plan.mappings.values() for entry in mapping.deliver]
    planned = {entry.operation for entry in entries if entry.account == account.name}
    return sorted((known | planned) & set(account.operation_names))


def _list(
    reader: ListReader, account: Account, operation: str, span: tuple[float, float]
) -> tuple[Listed, ...] | Unclear | None:
    since, until = (datetime.fromtimestamp(seconds, UTC) for seconds in span)
    listing = account.listing
    assert listing is not None  # noqa: S101 - the caller looked
    if listing(operation, since, until) is None:
        return None
    return reader.read(lambda: listing(operation, since, until) or _no_calls())


def _no_calls() -> Any:  # noqa: ANN401 - an empty list, read without a call
    yield from ()
    return ()


def _merge(account: Account, lists: Sequence[tuple[str, tuple[Listed, ...] | Unclear | None]]) -> _Read:
    """Two operations may show the same list: an entry counts once."""
    entries: dict[tuple[str, str, str], Listed] = {}
    covered: dict[str, frozenset[str]] = {}
    notes: list[str] = []
    for operation, seen in lists:
        match seen:
            case None:
                notes.append(f"{account.target} has no list of what '{operation}' makes.")
            case Unclear(message):
                notes.append(f"The list for '{operation}' could not be read: {message}")
            case _:
                covered[operation] = _kinds(account, operation)
                entries |= {(entry.kind, entry.key, entry.remote_id): entry for entry in seen}
    unreadable = any(isinstance(seen, Unclear) for _, seen in lists)
    return _Read(tuple(entries.values()), covered, tuple(notes), unreadable)


def _kinds(account: Account, operation: str) -> frozenset[str]:
    """An operation named after a record kind lists that kind, also where it takes orders apart into it."""
    if operation in RECORD_KINDS:
        return frozenset({operation})
    return account.operation(operation, {}).kinds


def write_workbooks(project: Project, told: Mapping[str, Any]) -> list[str]:
    """One workbook per account in ``var/reconcile``; returns their paths relative to the project folder."""
    from pipeline.closing.reconcile_book import write_reconcile_workbook

    now = datetime.fromtimestamp(project.clock.now(), project.plan.settings.timezone)
    written = []
    for account in told["accounts"]:
        path = project.plan.settings.var / "reconcile" / f"{account['account']}-{now:%Y-%m-%d}.xlsx"
        write_reconcile_workbook(path, account, now)
        written.append(path.relative_to(project.folder).as_posix())
    return written


# --- in plain values ---------------------------------------------------------------------------------------------


def _told(
    project: Project, account: Account, start: float, end: float, read: _Read, compared: Comparison | None
) -> dict[str, Any]:
    zone = project.plan.settings.timezone
    since, until = (datetime.fromtimestamp(seconds, zone).isoformat(" ", "minutes") for seconds in (start, end))
    notes = list(read.notes)
    if compared is not None and compared.older:
        notes.append(
            f"{compared.older} records are not in the list of this time and need not be: they were there before it, "
            "bear an older date, or arrived only just now."
        )
    missing, extra, differing = (compared.missing, compared.extra, compared.differing) if compared else ((), (), ())
    return {
        "account": account.name,
        "target": account.target,
        "since": since,
        "until": until,
        "checked": compared.checked if compared else 0,
        "missing": [_missing(project, one) for one in missing],
        "extra": [
            {"key": entry.key, "kind": entry.kind, "remote_id": entry.remote_id, "why": why, "facts": dict(entry.facts)}
            for entry, why in extra
        ],
        "differing": [_differing(project, one) for one in differing],
        "note": " ".join(notes),
        "unreadable": read.unreadable,
    }


def _missing(project: Project, one: Standing) -> dict[str, Any]:
    at = datetime.fromtimestamp(one.made_at or 0.0, project.plan.settings.timezone)
    told = {"key": one.key, "kind": one.kind, "remote_id": ", ".join(sorted(one.remote_ids))}
    return {**told, "delivered_at": at.isoformat(" ", "seconds"), **_origin(project, one)}


def _differing(project: Project, one: Difference) -> dict[str, Any]:
    told = {"key": one.standing.key, "kind": one.standing.kind, "remote_id": one.remote_id}
    return {**told, "field": one.field, "ours": one.ours, "theirs": one.theirs, **_origin(project, one.standing)}


def _origin(project: Project, one: Standing) -> dict[str, Any]:
    """File and rows the content came from."""
    with project.engine.connect() as connection:
        delivery = book.get(connection, one.content or 0)
        if delivery is None:
            raise OrderdropError(f"{one.key} is not in the ledger any more.")
        return {"file": files.get(connection, delivery.batch_id).file_name, "rows": list(delivery.record.rows)}
