"""Numbers in ``pipeline.toml`` that TOML can write and no clock can count with."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import SetupError
from pipeline.settings import load_settings

GOOD = '[intake]\nsettle_seconds = 0\npoll_seconds = 2.5\n[accounts.shop]\ntarget = "orderdesk"\nsettle_seconds = 30\n'


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("settle_seconds = nan", "[accounts.shop] settle_seconds: nan is no number to count with"),
        ("rate = { burst = 5, per_second = inf }", "[accounts.shop.rate] per_second: inf is no number to count with"),
        ("timeout_seconds = 1e12", "[accounts.shop] timeout_seconds: nobody waits that long, found 1e+12"),
        ("[delivery]\npatience_seconds = -1", "[delivery] patience_seconds: must not be negative, found -1"),
        ("[pickups.partner]\ntimeout_seconds = -0.5", "[pickups.partner] timeout_seconds: must not be negative"),
    ],
)
def test_a_number_no_time_can_be_compared_with_is_refused(tmp_path: Path, written: str, said: str) -> None:
    path = tmp_path / "pipeline.toml"
    path.write_text(GOOD)
    load_settings(tmp_path)
    path.write_text(GOOD.replace("settle_seconds = 30\n", "") + written)
    with pytest.raises(SetupError) as refused:
        load_settings(tmp_path)
    assert said in str(refused.value)
