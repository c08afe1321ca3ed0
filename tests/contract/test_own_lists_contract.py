"""Every target's own list, read for real and compared with the ledger: what was delivered is there, and the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from depot import STANDS, Depot

from pipeline.closing.compare import Comparison, compare
from pipeline.delivery.lists import ListReader
from pipeline.ledger.standing import Contents, known_at
from pipeline.sandbox.faults import Fault
from pipeline.targets import registry
from pipeline.targets.contract import Listed, Unclear
from pipeline.targets.http import HttpTransport
from pipeline.targets.registry import TARGETS

CASES = [
    ("orderdesk", "inventory_item"), ("orderdesk", "order"), ("orderdesk", "shipment"), ("keap", "place_order"),
    ("keap xmlrpc", "place_order"), ("keap xmlrpc at catalogue prices", "place_order"),
    ("influencersoft", "create_order"), ("kapture", "push_order"), ("jsonbox", "put"),
]  # fmt: skip
"""Operations whose target lists what they make."""


@pytest.fixture(autouse=True)
def fifth_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "TARGETS", {**TARGETS, "jsonbox": "jsonbox"})


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param


@pytest.fixture
def depot(case: tuple[str, str], tmp_path: Path) -> Iterator[Depot]:
    with Depot(tmp_path, case[0]) as depot:
        yield depot


def listed(depot: Depot, operation: str) -> tuple[Listed, ...] | Unclear:
    account = depot.account
    assert account.listing is not None
    until = datetime.fromtimestamp(depot.clock.now(), UTC) + timedelta(minutes=5)
    with HttpTransport(account.base_url, account.timeout, 1) as transport:
        reader = ListReader(account, transport, depot.clock, threading.Event())
        return reader.read(lambda: account.listing(operation, until - timedelta(days=2), until))


def compared(depot: Depot, operation: str, entries: tuple[Listed, ...]) -> Comparison:
    with depot.engine.connect() as connection:
        kinds = frozenset({depot.stand.ways[operation].record("x", depot.simulated.truth()).kind})
        known = known_at(connection, "acc", {operation: kinds})
        return compare(known, entries, (0.0, depot.clock.now() + 1), Contents(connection, "acc").of)


def deliver(depot: Depot, operation: str, *numbers: str) -> None:
    for number in numbers:
        (delivery,) = depot.deliver(operation, depot.prepare(operation, number))
        assert delivery.state == "delivered"


def test_the_cases_are_all_that_list() -> None:
    now = datetime.now(UTC)
    found = set()
    for stand, known in STANDS.items():
        table = {"target": known.simulated().name, "base_url": "https://x.invalid", **known.table()}
        listing = registry.build_account("acc", table).listing
        found |= {
            (stand, operation) for operation in known.ways if listing and listing(operation, now, now) is not None
        }
    assert found == set(CASES)


def test_what_was_delivered_is_listed_and_nothing_differs(depot: Depot, case: tuple[str, str]) -> None:
    deliver(depot, case[1], "1001", "1002", "1003")
    writes = len(depot.writes())
    entries = listed(depot, case[1])
    assert isinstance(entries, tuple), entries
    result = compared(depot, case[1], entries)
    assert (result.checked, result.missing, result.extra, result.differing) == (3, (), (), ())
    assert len(depot.writes()) == writes


def test_what_is_taken_out_of_the_list_is_missing(depot: Depot, case: tuple[str, str]) -> None:
    deliver(depot, case[1], "1001", "1002")
    entries = listed(depot, case[1])
    assert isinstance(entries, tuple)
    result = compared(depot, case[1], entries[1:])
    assert len(result.missing) == 1
    assert result.missing[0].natural_key == (entries[0].key or "1001")


@pytest.mark.parametrize("kind", ["unauthorized", "error_before", "html", "empty"])
def test_a_list_that_cannot_be_read_is_never_a_short_one(
    depot: Depot, case: tuple[str, str], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.delivery.lists.MAX_READS", 2)
    deliver(depot, case[1], "1001")
    before = len(depot.sandbox.calls)
    assert isinstance(listed(depot, case[1]), tuple)
    for position in range(len(depot.sandbox.calls) - before):
        depot.sandbox.faults.clear()
        depot.sandbox.faults.add([Fault(kind, only_writes=False, skip=position)])
        assert isinstance(listed(depot, case[1]), Unclear), position


def test_one_lost_answer_is_asked_again(depot: Depot, case: tuple[str, str]) -> None:
    deliver(depot, case[1], "1001")
    depot.sandbox.faults.add([Fault("drop_before", only_writes=False, times=1)])
    assert isinstance(listed(depot, case[1]), tuple)
