"""Many orders, lost answers and kills in a short time, and how sure a count of none makes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench" / "proof"))

from volume import upper_bound

PROGRAM = Path(__file__).parents[2] / "bench" / "proof" / "volume.py"


def test_nothing_is_lost_or_doubled_in_a_thousand_orders_with_kills() -> None:
    command = [sys.executable, PROGRAM, "--orders", "1000", "--lost", "150", "--kills", "15"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "lost 0, duplicated 0" in ended.stdout
    # Kills in quick succession may end all four sends of an order: that one is shown to a person.
    left = re.search(r"resolved by look-up (\d+), left to a person (\d+)", ended.stdout)
    assert left is not None
    assert int(left[1]) > 20 * int(left[2])
    lost, kills = map(int, re.findall(r"(\d+) answers lost, (\d+) kills", ended.stdout)[0])
    assert lost > 100
    assert kills > 5


def test_the_upper_bound_is_that_of_clopper_and_pearson() -> None:
    assert upper_bound(0, 1_000_000) == pytest.approx(3.0e-6, rel=0.01)  # the rule of three
    assert upper_bound(1, 100) == pytest.approx(0.0466, abs=0.0001)
    assert upper_bound(5, 50) == pytest.approx(0.1991, abs=0.0005)
