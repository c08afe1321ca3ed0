"""The scripted month: pickups from a real OpenSSH, drops, corrections, bad weather, kills, a clock change."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from sftp_servers import SSHD

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from month import Month, play, table

pytestmark = pytest.mark.skipif(
    SSHD is None, reason="no OpenSSH server on this machine (Debian: apt-get install openssh-server)"
)
_UNREADABLE = re.compile(r"Traceback|\bNone\b|<[a-z]+[ >]|\{'|object at 0x|sandbox-[a-z]*-?key")


@pytest.mark.timeout(300)
def test_two_days_of_it(tmp_path: Path) -> None:
    month = play(tmp_path, 2, seed=6)
    prove(month)
    assert month.kills == 1
    assert "partner: 1 fetched" in month.log
    assert "1 row needs a correction" in month.messages


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_all_thirty_days(tmp_path: Path) -> None:
    month = play(tmp_path, 30, seed=6)
    prove(month)
    assert (month.kills, month.restarts) == (8, 12)
    for said in ("is paused", "Feed orders is stopped", "brought nothing new by", "cannot fetch"):
        assert said in month.messages, said


def prove(month: Month) -> None:
    """Nothing lost, nothing twice, the counts close; people were told, in words."""
    assert month.good, table(month)
    assert month.differences == 0, month.log
    assert month.letters
    assert month.hooks
    told = month.messages.partition("===== Log =====")[0]
    assert _UNREADABLE.findall(told) == []
    assert all(len(line) < 1500 for line in told.splitlines())
