"""The allowance of an account: one bucket for all who call it, and what is left of it outlives them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from shelf import FakeClock, shelf_account

from pipeline.delivery.allowance import Allowance, Allowances
from pipeline.ledger import paces
from pipeline.ledger.engine import open_engine
from pipeline.ledger.writer import GroupWriter
from pipeline.targets.contract import Rate

ACCOUNT = replace(shelf_account(), rate=Rate(10, 1))
"""Ten calls at once, one of which is kept in reserve by half, then one a second."""


class Process:
    """One process of a project: its writer and its allowances."""

    def __init__(self, folder: Path) -> None:
        self.engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
        self.writer = GroupWriter(self.engine)
        self.allowances = Allowances(self.writer)

    def stands(self) -> float | None:
        self.writer.flush()
        with self.engine.connect() as connection:
            return paces.fills_at(connection, ACCOUNT.name)

    def end(self) -> None:
        self.writer.close()
        self.engine.dispose()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    made = Process(tmp_path)
    yield made
    made.end()


def at_once(allowance: Allowance, clock: FakeClock, most: int = 50) -> int:
    """How many calls go without a wait."""
    return next(n for n in range(most) if allowance.draw(clock.now()) > 0)


def test_who_calls_at_the_same_time_draws_from_one_bucket(process: Process) -> None:
    clock = FakeClock()
    with process.allowances.hold(ACCOUNT, clock, alone=True) as drain:
        for _ in range(6):
            assert drain.draw(clock.now()) == 0
        with process.allowances.hold(ACCOUNT, clock, alone=False) as reader:
            assert at_once(reader, clock) == 3
        assert process.stands() == paces.IN_USE
    assert process.stands() == pytest.approx(clock.now() + 10 / 0.995, abs=0.1)


def test_who_calls_later_goes_on_where_the_last_one_stood(process: Process) -> None:
    clock = FakeClock()
    with process.allowances.hold(ACCOUNT, clock, alone=True) as drain:
        assert at_once(drain, clock) == 9
    clock.time += 4
    with process.allowances.hold(ACCOUNT, clock, alone=False) as reader:
        assert at_once(reader, clock) == 3


def test_a_reader_beside_another_process_begins_empty_and_leaves_its_word(process: Process, tmp_path: Path) -> None:
    clock, beside = FakeClock(), Process(tmp_path)
    with process.allowances.hold(ACCOUNT, clock, alone=True):
        assert process.stands() == paces.IN_USE
        with beside.allowances.hold(ACCOUNT, clock, alone=False) as reader:
            assert at_once(reader, clock) == 0
        assert beside.stands() == paces.IN_USE
    beside.end()


def test_a_drain_that_joins_such_a_reader_has_the_last_word(process: Process) -> None:
    clock = FakeClock()
    process.writer.write(lambda c: paces.note(c, ACCOUNT.name, paces.IN_USE))  # as a crash leaves it
    with process.allowances.hold(ACCOUNT, clock, alone=False), process.allowances.hold(ACCOUNT, clock, alone=True):
        pass
    assert process.stands() == pytest.approx(clock.now() + 9.5 / 0.995, abs=0.1)
