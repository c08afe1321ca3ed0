"""Each safeguard bears load: without it, the proof that watches it goes red."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench" / "proof"))

from mutations import CHECKS, measure

QUICK = ("look-up", "settle time", "memory of the key", "waiting behind an open delivery of the key")


def assert_load_bearing(name: str) -> None:
    whole = measure(name, removed=False)
    if whole is None:
        pytest.skip("no C compiler on this machine")
    assert whole == 0
    assert measure(name, removed=True) != 0


@pytest.mark.parametrize("name", QUICK)
def test_without_it_something_is_lost_or_doubled(name: str) -> None:
    assert_load_bearing(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(CHECKS) - set(QUICK)))
def test_without_it_something_is_lost_or_doubled_when_killed(name: str) -> None:
    assert_load_bearing(name)
