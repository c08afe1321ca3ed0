"""Kill -9 while a doubt is settled by a workbook, a purge runs, or a backup is put back."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench" / "proof"))

from keeping import MOMENTS, prove


@pytest.mark.timeout(300)
def test_a_purge_that_is_killed_is_done_again() -> None:
    tally = prove("purge", every=4)
    assert tally.wrong == []
    assert tally.boundaries >= 2


@pytest.mark.slow
@pytest.mark.parametrize("name", MOMENTS)
def test_killed_at_every_boundary_it_is_done_again(name: str) -> None:
    tally = prove(name)
    assert tally.wrong == []
    assert tally.boundaries >= 10
