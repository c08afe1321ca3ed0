"""The contract, for every target and every operation: a target that joins the registry is covered without a word here.

Every law is proved by the real drain over real HTTP against the simulation, and judged by the simulation's own truth.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from depot import SECRET, STANDS, Depot

from pipeline.model import Record
from pipeline.sandbox.faults import Fault
from pipeline.secret import resolve_secrets
from pipeline.targets import registry
from pipeline.targets.contract import Account, Step
from pipeline.targets.registry import TARGETS, build_account

FIFTH = {"jsonbox": "jsonbox"}
CASES = [(stand, operation) for stand, known in STANDS.items() for operation in known.ways]
NO_LOOK_UP = {
    ("influencersoft without look-up", "create_order"), ("kapture without look-up", "push_order"),
    ("kapture", "update_order"), ("kapture", "payment"),
    ("kapture without look-up", "update_order"), ("kapture without look-up", "payment"),
}  # fmt: skip
"""Operations with a step that no documented read shows: what becomes of it after a lost answer a person has to say."""

PARTLY = {("keap xmlrpc at catalogue prices", "place_order")}
"""Operations whose look-up proves an absence, but cannot always tell a presence: placeOrder leaves no mark of ours."""

LOSING = [
    "drop_before", "drop_after", "late",
    *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("error_before", "error_after", "html", "empty", "cut")),
]  # fmt: skip


@pytest.fixture(autouse=True)
def fifth_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one line that makes the fifth target known."""
    monkeypatch.setattr(registry, "TARGETS", {**TARGETS, **FIFTH})


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param


@pytest.fixture
def depot(case: tuple[str, str], tmp_path: Path) -> Iterator[Depot]:
    with Depot(tmp_path, case[0]) as depot:
        yield depot


def built(stand: str, url: str = "https://example.invalid/x") -> Account:
    known = STANDS[stand]
    return build_account("acc", {"target": known.simulated().name, "base_url": url, **known.table()})


def walked(plan: Any) -> list[Step]:
    """The steps of a plan when every step goes well, by the results a dry run goes on with."""
    steps = []
    try:
        step = next(plan)
        while True:
            steps.append(step)
            step = plan.send(step.preview or {"id": f"<id of {step.name}>"})
    except StopIteration:
        return steps


def shown(step: Step) -> tuple[Any, ...]:
    return (step.name, step.request, step.look_first, step.repeatable, step.reads_only, step.search_hint)


# --- every target is here ----------------------------------------------------------------------------------------


def test_every_target_and_operation_stands_in_this_suite() -> None:
    for target in {**TARGETS, **FIFTH}:
        stands = [stand for stand, known in STANDS.items() if known.simulated().name == target]
        assert stands, f"{target} is in the registry but has no stand in tests/depot.py"
        for stand in stands:
            assert set(STANDS[stand].ways) == set(built(stand).operation_names)


# --- payloads are pure -------------------------------------------------------------------------------------------


def test_the_same_record_gives_the_same_steps_twice(depot: Depot, case: tuple[str, str]) -> None:
    record = depot.prepare(case[1], "1001")
    again = Record(record.kind, record.key, dict(record.fields), record.lines, record.rows)
    calls = len(depot.sandbox.calls)
    operation = depot.account.operation(case[1], depot.stand.ways[case[1]].options)
    afresh = built(case[0]).operation(case[1], depot.stand.ways[case[1]].options)
    first = [shown(step) for step in walked(operation.plan(record, None))]
    assert first
    assert first == [shown(step) for step in walked(operation.plan(again, None))]
    assert first == [shown(step) for step in walked(afresh.plan(again, None))]
    assert list(operation.problems(record)) == list(afresh.problems(again)) == []
    assert len(depot.sandbox.calls) == calls
    assert len({step[0] for step in first}) == len(first)


# --- changes -----------------------------------------------------------------------------------------------------

_TOLD = ("phone", "status", "note", "shipping_address2", "carrier", "tracking_number", "amount_paid", "stock", "price")
"""Fields that a later file leaves empty, as far as a kind of record has them."""


@pytest.mark.parametrize("clearing", [False, True])
def test_a_cell_left_empty_later_blanks_only_what_it_shall(
    depot: Depot, case: tuple[str, str], *, clearing: bool
) -> None:
    """By default nothing at the target is touched; a cell that clears is never a refusal, and touches nothing else."""
    operation = depot.account.operation(case[1], depot.stand.ways[case[1]].options)
    record = depot.prepare(case[1], "1001")
    if not operation.can_update:
        pytest.skip("this operation changes nothing")
    more = {"order": {"note": "Call first", "shipping_address2": "4th"}, "customer": {"phone": "+4790000000"}}
    full = replace(record, fields=more.get(record.kind, {}) | dict(record.fields))
    (first,) = depot.deliver(case[1], full)
    assert first.state == "delivered"
    before = settled(depot.simulated.truth())
    gone = [name for name in _TOLD if name in full.fields]
    bare = {name: value for name, value in full.fields.items() if name not in gone}
    kept = [name for name in gone if not operation.clears(name)]
    (later,) = depot.deliver(case[1], replace(full, fields=bare, cleared=tuple(kept if clearing else ())))
    assert later.state in {"delivered", "already_there"}, later.problems
    assert settled(depot.simulated.truth()) == before


def settled(value: Any) -> Any:
    """What a target holds, without the marks of time that any write leaves, and without counts of writes."""
    if isinstance(value, Mapping):
        return {name: settled(one) for name, one in value.items() if not _is_trace(name)}
    return [settled(one) for one in value] if isinstance(value, list | tuple) else value


def _is_trace(name: str) -> bool:
    # Kapture's pages give the products of a change other names than those of a new order.
    return name in {"modification_time", "date_updated", "changes", "product_details"}


# --- once --------------------------------------------------------------------------------------------------------


def test_what_was_delivered_is_not_sent_again(depot: Depot, case: tuple[str, str]) -> None:
    record = depot.prepare(case[1], "1001")
    (first,) = depot.deliver(case[1], record)
    assert first.state == "delivered"
    writes, there = len(depot.writes()), depot.counted()
    (second,) = depot.deliver(case[1], record)
    assert (second.state, len(depot.writes()), depot.counted()) == ("unchanged", writes, there)


def number_of_writes(folder: Path, stand: str, operation: str) -> int:
    """Write calls of one delivery in fair weather."""
    folder.mkdir()
    with Depot(folder, stand) as fair:
        record = fair.prepare(operation, "1001")
        before = len(fair.writes())
        fair.deliver(operation, record)
        return len(fair.writes()) - before


@pytest.mark.parametrize("kind", LOSING)
def test_a_lost_answer_makes_nothing_twice_and_loses_nothing(case: tuple[str, str], tmp_path: Path, kind: str) -> None:
    stand, operation = case
    for position in range(number_of_writes(tmp_path / "fair", stand, operation)):
        folder = tmp_path / str(position)
        folder.mkdir()
        with Depot(folder, stand) as depot:
            record = depot.prepare(operation, "1001")
            other = depot.stand.ways[operation].record("1001", depot.simulated.truth())
            assert other == record
            before = depot.counted()
            depot.sandbox.faults.add([Fault(kind, skip=position, times=1, seconds=600)])
            (delivery,) = depot.deliver(operation, record)
            depot.sandbox.finish_late()
            told = depot.attempts(delivery)
            assert depot.sandbox.duplicates()[depot.simulated.name] == {}
            assert "in_doubt" in {outcome for outcomes in told.values() for outcome in outcomes}
            if case in PARTLY and delivery.state == "in_doubt":
                assert delivery.due_at is None
            elif case in NO_LOOK_UP:
                assert (delivery.state, delivery.due_at) == ("in_doubt", None)
                assert [len(outcomes) for outcomes in told.values()] == [1]
            else:
                assert delivery.state in {"delivered", "already_there"}
                assert all(number <= before[name] + 1 for name, number in depot.counted().items())
                (again,) = depot.deliver(operation, record)
                assert again.state == "unchanged"


def test_a_time_out_is_in_doubt_and_never_later(case: tuple[str, str], tmp_path: Path) -> None:
    with Depot(tmp_path, case[0], timeout_seconds=0.3) as depot:
        record = depot.prepare(case[1], "1001")
        depot.sandbox.faults.add([Fault("stall", times=1, seconds=0.8)])
        depot.take_in(case[1], record)
        depot.drain(patience=-1)
        delivery = depot.deliveries()[-1]
        assert depot.ends(delivery)[0] == "in_doubt"
        assert "later" not in depot.ends(delivery)


# --- answers -----------------------------------------------------------------------------------------------------

ANSWERS: Mapping[str, tuple[str, str]] = {
    "throttle": ("later", "delivered"),
    "unauthorized": ("paused", "waiting"),
    "redirect": ("paused", "waiting"),
    "refuse": ("refused", "refused"),
}
"""Fault → how that send ended, and where the delivery then stands."""


@pytest.mark.parametrize("kind", ANSWERS)
def test_each_class_of_answer_has_its_outcome(depot: Depot, case: tuple[str, str], kind: str) -> None:
    record = depot.prepare(case[1], "1001")
    outcome, state = ANSWERS[kind]
    depot.sandbox.faults.add([Fault(kind, times=1 if kind == "throttle" else None, seconds=2)])
    (delivery,) = depot.deliver(case[1], record)
    assert (depot.ends(delivery)[0], delivery.state) == (outcome, state)


def test_a_bad_key_pauses_the_account_blames_no_row_and_mends(depot: Depot, case: tuple[str, str]) -> None:
    record = depot.prepare(case[1], "1001")
    depot.sandbox.faults.add([Fault("unauthorized", only_writes=False)])
    depot.take_in(case[1], record)
    drained = depot.drain()
    assert drained.paused is not None
    assert drained.paused.advice
    assert depot.deliveries()[-1].state == "waiting"
    depot.sandbox.faults.clear()
    assert depot.drain().paused is None
    assert depot.deliveries()[-1].state == "delivered"


# --- nothing secret gets out -------------------------------------------------------------------------------------


def test_no_secret_is_in_the_ledger_whatever_the_answers_echo(
    depot: Depot, case: tuple[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    record = depot.prepare(case[1], "1001")
    secrets = depot.stand.secrets()
    for kind in ("refuse", "drop_after", "html", "redirect", "unauthorized", "throttle"):
        depot.sandbox.faults.clear()
        depot.sandbox.faults.add([Fault(kind, times=1, message=f"bad key {secrets}", only_writes=False)])
        depot.take_in(case[1], record)
        drained = depot.drain()
        assert not [one for one in secrets if one in repr(drained)]
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as ledger:
        dumped = "\n".join(ledger.iterdump())
    assert "1001" in dumped
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [one for one in secrets if one in dumped + caplog.text]
    assert not [path.name for path in files for one in secrets if one.encode() in path.read_bytes()]


def test_what_is_shown_of_a_call_hides_every_secret(depot: Depot, case: tuple[str, str]) -> None:
    record = depot.prepare(case[1], "1001")
    operation = depot.account.operation(case[1], depot.stand.ways[case[1]].options)
    for step in walked(operation.plan(record, None)):
        told = depot.account.show(step.request)
        signed = depot.account.sign(step.request)
        assert SECRET not in repr(step.request) + repr(told) + repr(depot.account)
        assert (told.method, told.url.split("?")[0]) == (signed.method, signed.url.split("?")[0])


# --- around the account ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stand", STANDS)
def test_an_unknown_operation_option_or_setting_is_named(stand: str) -> None:
    from pipeline.errors import SetupError

    account = built(stand)
    with pytest.raises(SetupError, match="frobnicate"):
        account.operation("frobnicate", {})
    for operation, way in STANDS[stand].ways.items():
        with pytest.raises(SetupError, match="no_such_option"):
            account.operation(operation, {**way.options, "no_such_option": 1})
    with pytest.raises(SetupError, match="no_such_key"):
        build_account("acc", {"target": account.target, "base_url": "https://x.invalid", "no_such_key": 1,
                              **STANDS[stand].table()})  # fmt: skip


@pytest.mark.parametrize("stand", STANDS)
def test_a_missing_secret_stops_only_what_needs_it(stand: str) -> None:
    def gone(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: gone(one) for name, one in value.items()}
        return {"env": "NOT_SET_ANYWHERE"} if type(value).__name__ == "Secret" else value

    table = resolve_secrets(gone(STANDS[stand].table()), Path(), {})
    account = build_account("acc", {"target": built(stand).target, "base_url": "https://x.invalid", **table})
    for operation, way in STANDS[stand].ways.items():
        bound = account.operation(operation, way.options)
        if way.first:
            continue  # its record needs something at the target
        for step in walked(bound.plan(way.record("1001", {}), None)):
            assert json.dumps(account.show(step.request).url)
