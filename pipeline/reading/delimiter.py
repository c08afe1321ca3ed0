"""Which delimiter a text file uses: the one that cuts its rows into equally many cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from pipeline.errors import FileRefused
from pipeline.reading.blocks import is_blank
from pipeline.reading.header import dominant_width

SINGLE = (",", ";", "\t", "|")
RARE = ("^", "~", "#", ":", " ")
"""Single characters that count only where they cut every row alike, the first one included."""
# Longer ones seen in exports of databases and mainframes.
LONGER = ("+|", "|~|", "~|~", "^|^", "#|#", "~|", "^|", "||", ";;", "::", "^^", "~~", ",,", "\t|")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", " ": "blank", ":": "colon", None: "none"}
_BY_NAME = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "colon": ":", "space": " "}
_WORTH = 0.25
_CLOSE = 0.03
_NEAR = 0.15
_AMID_WORDS = re.compile(r"(?<!\d),|,(?!\d)")
_CLOCK = re.compile(r"(?<![\d/.-])\d{1,2}:\d\d(?![\d/.-])")

Cut = Callable[[str], Sequence[Sequence[str]]]
"""Rows of cells of the sample, cut with a delimiter."""


class _Candidate(Struct, frozen=True):
    delimiter: str
    score: float


def named_delimiter(hint: str) -> str:
    """The delimiter a mapping names: itself, or a word such as ``tab``."""
    return _BY_NAME.get(hint.strip().casefold(), hint)


def find_delimiter(path: Path, text: str, cut: Cut, quote: str = '"') -> str | None:
    """The sample's delimiter, ``None`` for a single column; ``FileRefused`` when two are equally likely."""
    candidates = sorted(
        (_Candidate(delimiter, _score(_tabular(cut(delimiter)), quote)) for delimiter in _possible(text, cut)),
        key=lambda candidate: -candidate.score,
    )
    worthy = [candidate for candidate in candidates if candidate.score >= _WORTH]
    if not worthy:
        return next((rare for rare in RARE[3:] if _cuts_alike(rare, text, cut)), None)
    near = [candidate.delimiter for candidate in worthy if candidate.score > worthy[0].score * (1 - _NEAR)]
    marks = _decimal_marks(near, text)
    if marks:
        return marks
    close = [candidate.delimiter for candidate in worthy if candidate.score > worthy[0].score * (1 - _CLOSE)]
    ending = [one for one in close if _ends_every_row(cut(one))]
    if len(close) > 1 and len(ending) != 1:
        raise _ambiguous(path, worthy[0].delimiter, worthy[1].delimiter)
    return ending[0] if len(close) > 1 else close[0]


def _ends_every_row(rows: Sequence[Sequence[str]]) -> bool:
    """Whether every row ends with the delimiter: what stands behind each last cell is no part of a text."""
    filled = [row for row in rows if not is_blank(row)]
    return len(filled) > 1 and all(len(row) > 1 and not row[-1] for row in filled)


def _tabular(rows: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """The rows without comment lines, as data bases put them above what they dump and then between its tables."""
    filled = [row for row in rows if not is_blank(row)]
    if not filled or not filled[0][0].startswith("#"):
        return rows
    return [row for row in filled if not row[0].startswith("#")] or rows


def _decimal_marks(near: Sequence[str], text: str) -> str | None:
    """The other one of two likely delimiters where commas only ever stand between digits: they are decimal marks."""
    rivals = [one for one in near if one != ","]
    if len(near) == 2 and len(rivals) == 1 and not _AMID_WORDS.search(text):
        return rivals[0] if re.search(rf"[^\d\r\n]{re.escape(rivals[0])}", text) else None
    return None


def _possible(text: str, cut: Cut) -> list[str]:
    """The delimiters that occur; a longer one that fits throughout rules out the characters it is made of."""
    longer = [delimiter for delimiter in LONGER if delimiter in text and _is_throughout(delimiter, text, cut)][:1]
    rare = [one for one in RARE[:3] if _cuts_alike(one, text, cut)]
    return longer + [one for one in (*SINGLE, *rare) if one in text and not any(one in many for many in longer)]


def _cuts_alike(delimiter: str, text: str, cut: Cut) -> bool:
    """Whether every row, the first one too, has as many cells; a blank or colon must cut more than two."""
    if delimiter not in text or (delimiter == ":" and _CLOCK.search(text)):
        return False
    widths = [len(row) for row in _tabular(cut(delimiter)) if not is_blank(row)]
    return len(widths) > 1 and len(set(widths)) == 1 and widths[0] > (2 if delimiter in " :" else 1)


def _is_throughout(delimiter: str, text: str, cut: Cut) -> bool:
    if len(set(delimiter)) == 1:  # "||" is also two empty cells: it counts only when none stands alone
        return text.count(delimiter[0]) == len(delimiter) * text.count(delimiter)
    rows = [row for row in cut(delimiter) if not is_blank(row)]
    width = dominant_width([len(row) for row in rows])
    return width > 1 and sum(1 for row in rows if len(row) == width) >= 0.9 * len(rows)


def _score(rows: Sequence[Sequence[str]], quote: str) -> float:
    """Between 0 and 1.25: how evenly the rows are cut, in how many cells, and whether the first row is too.

    A delimiter that cuts quoted cells apart leaves marks without their partners behind.
    """
    widths = [len(row) for row in rows if not is_blank(row)]
    width = dominant_width(widths)
    regular = widths.count(width)
    if width < 2 or (width == 2 and regular == 1 and len(widths) > 2):  # cut once in all rows, it stands in a text
        return 0.0
    below_titles = len(widths) - widths.index(width)
    evenness = 0.5 * regular / len(widths) + 0.5 * regular / below_titles
    torn = sum(1 for row in rows if quote and any(_is_torn(cell, quote) for cell in row)) / len(rows)
    whole = 0.15 if regular == len(widths) else 0.0
    seen = width - all(len(row) < width or not row[width - 1].strip() for row in rows)  # the last column may be empty
    return (evenness * (1 - 1 / seen) + (0.1 if widths[0] == width else 0.0) + whole) * (1 - 0.5 * torn)


def _is_torn(cell: str, quote: str) -> bool:
    """Whether a mark without its partner stands where quoted texts begin or end; that of ``10" pipe`` does not."""
    if cell.count(quote) % 2 == 0:
        return False
    mark = re.escape(quote)
    return re.search(rf"(?:^|[^\w\s])\s*{mark}|(?<!\d){mark}\s*(?:$|[^\w\s])", cell) is not None


def _ambiguous(path: Path, one: str, other: str) -> FileRefused:
    return FileRefused(
        "ambiguous_delimiter",
        f"{path.name} can be cut into cells in two ways that look equally right: at each {shown(one)} or at "
        f"each {shown(other)}.",
        f'Name the right one in the mapping, for example `files: {{delimiter: "{_written(one)}"}}`.',
    )


def shown(delimiter: str | None) -> str:
    """The delimiter as people call it."""
    return NAMES.get(delimiter) or f"“{delimiter}”"


def _written(delimiter: str) -> str:
    return delimiter.replace("\t", "\\t")
