"""The documents tell the truth: every code has its line, every command is named."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from pipeline.cli import cli
from pipeline.reasons import REASONS

ROOT = Path(__file__).parents[2]
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
_CODES = re.compile(r'\b(?:FileRefused|Refused|Paused|InDoubt|Later|Rejection)\(\s*(?:[^()"\']*?code=)?"([a-z_]{3,})"')


def codes_in(folder: Path) -> set[str]:
    """The reason codes written out in a folder's modules."""
    return {code for path in folder.rglob("*.py") for code in _CODES.findall(path.read_text(encoding="utf-8"))}


def test_every_reason_of_the_catalogue_has_its_line() -> None:
    assert [code for code in REASONS if f"`{code}`" not in OPERATING] == []


@pytest.mark.parametrize("room", ["reading", "delivery", "recognise"])
def test_every_code_of_a_room_has_its_line(room: str) -> None:
    folder = ROOT / "pipeline" / room
    codes = codes_in(folder) if folder.is_dir() else set(_CODES.findall(folder.with_suffix(".py").read_text()))
    assert codes
    assert sorted(code for code in codes if f"`{code}`" not in OPERATING) == []


@pytest.mark.parametrize("target", ["keap", "influencersoft", "kapture", "orderdesk"])
def test_every_code_of_a_target_is_in_its_readme(target: str) -> None:
    folder = ROOT / "pipeline" / "targets" / target
    told = OPERATING + (folder / "README.md").read_text(encoding="utf-8")
    assert sorted(code for code in codes_in(folder) if f"`{code}`" not in told) == []


def test_every_command_is_named_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in cli.commands if f"orderdrop {name}" not in readme] == []


def test_every_command_has_help() -> None:
    assert [name for name, command in cli.commands.items() if not command.help] == []


def test_the_page_of_figures_says_what_is_said_beside_its_tables_once() -> None:
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    said = tomllib.loads((ROOT / "bench" / "said.toml").read_text(encoding="utf-8"))
    assert [name for name, text in said.items() if text and page.count(text.strip()) != 1] == []
