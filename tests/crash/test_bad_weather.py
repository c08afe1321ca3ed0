"""Bad weather at every write of every target, by the harness of ``bench/proof``; the sandbox's own record decides."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench" / "proof"))

from weather import FAULTS, PLAYS, Play, matrix

EVERY_RUN = (
    "connection dropped before the work",
    "connection dropped after the work",
    "work done late, after our look-up",
    "key expired in mid-run",
)


def assert_clean(play: Play, names: tuple[str, ...]) -> None:
    cells = matrix(play, {name: FAULTS[name] for name in names})
    assert {where: cell for where, cell in cells.items() if not cell.clean} == {}
    left = sum(cell.doubts for cell in cells.values())
    assert (left == 0) == play.looks_up  # a doubt that nobody can look up must be there to be seen


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.title)
def test_nothing_is_lost_or_doubled_at_any_write(play: Play) -> None:
    assert_clean(play, EVERY_RUN)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.title)
def test_nothing_is_lost_or_doubled_by_any_fault(play: Play) -> None:
    assert_clean(play, tuple(FAULTS))
