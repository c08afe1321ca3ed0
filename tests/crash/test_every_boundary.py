"""Kill -9 at every durable boundary of the real command, by the harness of ``bench/proof``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench" / "proof"))

from crash import Tally, prove


def assert_clean(tally: Tally) -> None:
    assert tally.wrong == []
    assert (tally.lost, tally.doubled) == (0, 0)
    assert tally.killed == tally.boundaries


@pytest.mark.timeout(400)
def test_killed_at_every_boundary_nothing_is_lost_or_doubled() -> None:
    tally = prove(["orderdesk"], orders=1, runs=[0])
    assert_clean(tally)
    assert tally.boundaries > 50
    assert {"commit", "call", "sync", "os.rename"} <= set(tally.struck)


@pytest.mark.timeout(400)
def test_killed_between_the_parts_of_a_long_file() -> None:
    tally = prove(["orderdesk"], orders=1, runs=[0], in_parts=True)
    assert_clean(tally)
    assert tally.struck["commit"] > 12  # also those while nobody may see what is there


@pytest.mark.slow
def test_killed_at_every_boundary_of_unpacking() -> None:
    tally = prove(["orderdesk"], orders=2, packed=True)
    assert_clean(tally)
    assert tally.boundaries > 100


@pytest.mark.slow
@pytest.mark.parametrize("targets", [["orderdesk"], ["keap"], ["kapture", "influencersoft"]])
def test_killed_at_every_boundary_with_answers_lost(targets: list[str]) -> None:
    tally = prove(targets, orders=2, lose=0.2)
    assert_clean(tally)


@pytest.mark.slow
def test_killed_again_during_the_recovery() -> None:
    assert_clean(prove(["orderdesk", "keap"], orders=1, lose=0.1, recovery=True))
