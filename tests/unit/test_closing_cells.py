"""Any text fits a cell: visible, bounded, and the way back."""

import pytest

from pipeline.closing.cells import CELL_LIMIT, CUT_MARK, fit, restored, units


@pytest.mark.parametrize("text", ["", "02139", "=1+1", " padded ", "a\tb\nc", "наушники", "🎧", "\x7f\x85\u2028"])
def test_a_text_a_cell_can_hold_is_left_alone(text: str) -> None:
    assert fit(text) == text


def test_control_characters_become_visible_and_come_back() -> None:
    assert fit("AB\x1b12\x00") == "AB␛12␀"
    assert restored(fit("AB\x1b12\x00")) == "AB\x1b12\x00"


def test_line_ends_are_one_line_feed() -> None:
    assert fit("a\r\nb\rc\nd") == "a\nb\nc\nd"


def test_what_no_file_format_can_carry_becomes_a_replacement_character() -> None:
    assert fit("a\ufffeb\uffffc\ud800d") == "a\ufffdb\ufffdc\ufffdd"


def test_a_text_of_exactly_the_limit_is_not_cut() -> None:
    assert fit("x" * CELL_LIMIT) == "x" * CELL_LIMIT


@pytest.mark.parametrize("text", ["x" * 32_768, "🎧" * 16_384, "x" + "🎧" * 20_000])
def test_a_longer_text_is_cut_with_a_mark_and_never_through_a_character(text: str) -> None:
    cut = fit(text)
    assert cut.endswith(CUT_MARK)
    assert CELL_LIMIT - 1 <= units(cut) <= CELL_LIMIT
    assert text.startswith(cut.removesuffix(CUT_MARK))
