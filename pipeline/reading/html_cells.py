"""What a person sees in a cell of an HTML table, and what Excel wrote beside it."""

from __future__ import annotations

import html
import math
import re

from pipeline.reading.laid import joined_lines
from pipeline.reading.named_formats import css_format_code
from pipeline.reading.shown import general_text, number_text, parse_format

LONGEST_TEXT = 1 << 24
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_RULE = re.compile(r"([^{}]{1,1000})\{([^{}]*)\}")
_CLASS = re.compile(r"\.([\w-]+)\s*(?:,|$)")
_FORMAT = re.compile(r"""mso-number-format\s*:\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:[^;"'\\]|\\.)+)""", re.DOTALL)
_UNREADABLE = re.compile(r"^#+$|^[+-]?\d+(?:[.,]\d+)?E[+-]?\d+$", re.IGNORECASE)
"""What a column too narrow makes of a number: ``####``, ``1.23E+11``."""
_INVISIBLE = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse))", re.IGNORECASE)


class CellText:
    """The text of a cell as it is gathered; ``is_bold`` cells and blank ones are told alike."""

    def __init__(self) -> None:
        self._lines: list[list[str]] = [[]]
        self._length = 0

    def add(self, text: str) -> None:
        self._length += len(text)
        if self._length > LONGEST_TEXT:
            raise ValueError("a text longer than any cell holds")
        self._lines[-1].append(text)

    def break_line(self) -> None:
        """``<br>``, or the beginning or end of a paragraph that holds anything."""
        if any(text.strip() for text in self._lines[-1]):
            self._lines.append([])

    def seen(self) -> str:
        """The text as a browser shows it: blanks count as one, lines end where they are told to."""
        lines = (_BLANKS.sub(" ", "".join(pieces)).strip(" ") for pieces in self._lines)
        return joined_lines(html.unescape(line).strip() for line in lines)


def class_formats(style: str) -> dict[str, str]:
    """The number format of each class of a style sheet that has one."""
    known: dict[str, str] = {}
    for names, body in _RULE.findall(style):
        found = _FORMAT.search(body)
        if found:
            known |= dict.fromkeys(_CLASS.findall(names.strip()), css_format_code(found[1]))
    return known


def is_invisible(attributes: dict[str, str]) -> bool:
    """Whether a row is hidden from people."""
    return "hidden" in attributes or bool(_INVISIBLE.search(attributes.get("style", "")))


def told_text(seen: str, attributes: dict[str, str], formats: dict[str, str]) -> str:
    """The text of a cell: what is seen, or Excel's own number (``x:num``) where the page shows it cut or as a date."""
    value = _number(attributes.get("x:num") or attributes.get("sdval"))
    if value is None or "x:str" in attributes:
        return seen
    code = _code(attributes, formats)
    if parse_format(code).kind == "time":
        return number_text(value, code)
    return general_text(value) if _UNREADABLE.match(seen.strip()) else seen


def _number(said: str | None) -> float | None:
    try:
        value = float(said) if said else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _code(attributes: dict[str, str], formats: dict[str, str]) -> str:
    found = _FORMAT.search(attributes.get("style", ""))
    if found:
        return css_format_code(found[1])
    names = attributes.get("class", "").split()
    return next((formats[name] for name in names if name in formats), "General")
