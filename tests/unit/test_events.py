"""The catalogue of events: the page lists what the code tells, and the code tells what the page lists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.events import Event, level_of

ROOT = Path(__file__).parents[2]
_LINE = re.compile(r"^\| `(\w+)` \| (\w+) \|", re.MULTILINE)


def test_the_page_lists_every_event_with_its_level() -> None:
    told = dict(_LINE.findall((ROOT / "docs" / "logging.md").read_text(encoding="utf-8")))
    assert told == {event.value: level_of(event) for event in Event}


@pytest.mark.parametrize("event", Event)
def test_every_event_is_told_somewhere(event: Event) -> None:
    sources = [path for path in (ROOT / "pipeline").rglob("*.py") if path.name != "events.py"]
    assert any(f"Event.{event.name}" in path.read_text(encoding="utf-8") for path in sources)
