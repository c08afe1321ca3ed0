"""Rows that are no records: the header once more, totals, and what a report says at its end. They count as skipped."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow.compute as pc

from pipeline.arrow import texts
from pipeline.mapping.cells import trimmed
from pipeline.mapping.left_out import CLOSING, REPEATED, TOTAL
from pipeline.rows import Rows, as_mask

# Whole cells only: `Total Gym` is a product.
_TOTALS = frozenset(
    (
        "total", "totals", "grand total", "sub total", "subtotal", "sum", "summe", "gesamt", "gesamtsumme",
        "zwischensumme", "insgesamt", "total général", "total general", "sous-total", "totale", "totale generale",
        "suma", "razem", "ogółem", "totaal", "eindtotaal", "toplam", "genel toplam", "итого", "всего", "合计", "合計",
        "总计", "總計", "小计", "小計", "総計", "합계", "총계", "合计金额", "totalt", "yhteensä", "i alt",
        "celkem", "összesen",
    )
)  # fmt: skip
_CLOSING = re.compile(
    r"[-=*_#~\s]{3,}|\W*(end of (the )?(report|file|list|export|data|document)|"
    r"(report )?(generated|printed|exported|created) (on|at|by|from)\b.*|page \d+( of \d+)?|"
    r"\d[\d,. ]* (rows?|records?|orders?|items?|lines?)(\(s\))?( \w+)?|seller id ?: ?[\w.*-]+|"
    r"(number of |total )?(rows|records|orders|items|lines)\s*[:=].*|ende|fin|koniec|конец)\W*",
    re.IGNORECASE,
)
_COUNTS = r"^(row|record|order|item|line)"
_COUNTED = re.compile(
    r"\d[\d,.]* (row|record|order|item|line)(s|\(s\))? (downloaded|exported|listed|found|in total)", re.IGNORECASE
)
# Made once: a file of one row must not pay for a list of four hundred words.
_SPELT = texts(
    [
        spelt + end
        for word in sorted(_TOTALS)
        for spelt in (word, word.upper(), word.capitalize(), word.title())
        for end in ("", ":")
    ]
)


def aside(header: Sequence[str], rows: Rows) -> dict[int, str]:
    """Which rows of a block repeat the header, are totals, or close a report: the place of each, and which it is."""
    if len(header) < 2 or not len(rows):
        return {}
    visible = [position for position, text in enumerate(header) if text.strip()]
    suspects = {at: [trimmed(cell) for cell in rows.line(at)] for at in _suspects(header, rows, visible)}
    found = {at: _reason(header, cells) for at, cells in suspects.items()}
    return {at: why for at, why in found.items() if why}


def _reason(header: Sequence[str], cells: Sequence[str]) -> str:
    if _repeats(header, cells):
        return REPEATED
    if _totals(cells):
        return TOTAL
    return CLOSING if _closes(cells) else ""


def _suspects(header: Sequence[str], rows: Rows, visible: Sequence[int]) -> list[int]:
    """Rows worth a close look, found by comparing whole columns: few, or none in a file without such rows."""
    repeated = np.full(len(rows), bool(visible))
    for position in visible[:2]:
        repeated &= as_mask(pc.equal(pc.utf8_trim_whitespace(rows[position]), header[position].strip()))
    totals = np.zeros(len(rows), dtype=bool)
    for position in range(min(3, len(header))):
        totals |= as_mask(pc.is_in(rows[position], value_set=_SPELT))
    alone = np.full(len(rows), len(header) > 2)
    for position in range(2, len(header)):
        alone &= as_mask(pc.equal(rows[position], ""))
        if not alone.any():
            break
    if alone.any():
        bare = pc.or_(pc.equal(rows[1], ""), pc.match_substring_regex(rows[1], _COUNTS, ignore_case=True))
        alone &= as_mask(bare)
    return np.flatnonzero(repeated | totals | alone).tolist()


def _repeats(header: Sequence[str], cells: Sequence[str]) -> bool:
    return [trimmed(text) for text in header] == list(cells)


def _totals(cells: Sequence[str]) -> bool:
    """A total's word in the first filled cell, and numbers, if anything, behind it."""
    filled = [cell for cell in cells if cell]
    if not filled or filled[0].rstrip(" :.").casefold() not in _TOTALS:
        return False
    return len(cells) > 2 and all(any(char.isdigit() for char in cell) or cell in {"-", "–"} for cell in filled[1:])


def _closes(cells: Sequence[str]) -> bool:
    """A single text at the left edge that says what reports say at their end; a count may stand in a cell before it."""
    if len(cells) < 3 or not cells[0] or any(cells[2:]):
        return False
    if cells[1]:
        return bool(_COUNTED.fullmatch(f"{cells[0]} {cells[1]}"))
    return bool(_CLOSING.fullmatch(cells[0]))
