"""Which delimiter a text file uses: the one that cuts its rows into equally many cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import FileRefused
from pipeline.reading.blocks import is_blank
from pipeline.reading.header import dominant_width

SINGLE = (",", ";", "\t", "|")
# Longer ones seen in exports of databases and mainframes.
LONGER = ("+|", "|~|", "~|~", "^|^", "#|#", "~|", "^|", "||", ";;", "::", "\t|")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", None: "none"}
_BY_NAME = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_WORTH = 0.25
_CLOSE = 0.03

Cut = Callable[[str], Sequence[Sequence[str]]]
"""Rows of cells of the sample, cut with a delimiter."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    delimiter: str
    score: float


def named_delimiter(hint: str) -> str:
    """The delimiter a mapping names: itself, or a word such as ``tab``."""
    return _BY_NAME.get(hint.strip().casefold(), hint)


def find_delimiter(path: Path, text: str, cut: Cut) -> str | None:
    """The sample's delimiter, ``None`` for a single column; ``FileRefused`` when two are equally likely."""
    candidates = sorted(
        (_Candidate(delimiter, _score(cut(delimiter))) for delimiter in _possible(text, cut)),
        key=lambda candidate: -candidate.score,
    )
    worthy = [candidate for candidate in candidates if candidate.score >= _WORTH]
    if not worthy:
        return None
    if len(worthy) > 1 and worthy[1].score > worthy[0].score * (1 - _CLOSE):
        raise _ambiguous(path, worthy[0].delimiter, worthy[1].delimiter)
    return worthy[0].delimiter


def _possible(text: str, cut: Cut) -> list[str]:
    """The delimiters that occur; a longer one that fits throughout rules out the characters it is made of."""
    longer = [delimiter for delimiter in LONGER if delimiter in text and _is_throughout(delimiter, text, cut)][:1]
    return longer + [one for one in SINGLE if one in text and not any(one in many for many in longer)]


def _is_throughout(delimiter: str, text: str, cut: Cut) -> bool:
    if len(set(delimiter)) == 1:  # "||" is also two empty cells: it counts only when none stands alone
        return text.count(delimiter[0]) == len(delimiter) * text.count(delimiter)
    rows = [row for row in cut(delimiter) if not is_blank(row)]
    width = dominant_width([len(row) for row in rows])
    return width > 1 and sum(1 for row in rows if len(row) == width) >= 0.9 * len(rows)


def _score(rows: Sequence[Sequence[str]]) -> float:
    """Between 0 and 1.1: how evenly the rows are cut, in how many cells, and whether the first row is too."""
    widths = [len(row) for row in rows if not is_blank(row)]
    width = dominant_width(widths)
    if width < 2:
        return 0.0
    regular = widths.count(width)
    below_titles = len(widths) - widths.index(width)
    evenness = 0.5 * regular / len(widths) + 0.5 * regular / below_titles
    return evenness * (1 - 1 / width) + (0.1 if widths[0] == width else 0.0)


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
