"""Rows whose quote marks do not fit: told from sound ones, and laid out so that a person finds their cells.

A mended row is always broken: its cells stand under their columns in the workbook, none of it is ever sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from pipeline.reading.blocks import Flaw
from pipeline.reading.dialect import STAND_IN, Dialect

_MOST_WORK = 50_000
"""Delimiters times quote marks times columns of a row that is laid out anew; beyond, it stays as it was cut."""


def is_suspicious(line: str, dialect: Dialect) -> bool:
    """A quick look: whether a line may hold a quote mark out of place; sound lines seldom pass for suspicious."""
    if not dialect.quote or dialect.quote not in line:
        return False
    return line.count(dialect.quote) % 2 == 1 or bool(_suspicious(dialect).search(line))


@lru_cache(maxsize=64)
def _suspicious(dialect: Dialect) -> re.Pattern[str]:
    return re.compile(out_of_place(dialect.cuts_with, dialect.quote))


def out_of_place(delimiter: str, quote: str) -> str:
    """A pattern for a quote mark amid text, and for an empty pair of them with text behind."""
    mark, cut = re.escape(quote), re.escape(delimiter)
    return (
        rf"(?<=[^{cut}{mark}\r\n]){mark}(?=[^{cut}{mark}\r\n])|(?:^|(?<=[{cut}\r\n])){mark}{mark}(?=[^{cut}{mark}\r\n])"
    )


def is_sound(text: str, dialect: Dialect) -> bool:
    """Whether every quoted cell of the record closes, with nothing but blanks between its end and the delimiter.

    One unquoted cell may hold a lone mark (``5" pipe``); two of them are what is left of a quoted text cut in pieces.
    """
    line = dialect.prepared(text).rstrip("\r\n")
    at = lone = 0
    while at <= len(line):
        cell = _quoted(line, at, dialect)
        end = cell[1] if cell else _bare_end(line, at, dialect)
        if cell is None and _begins_quoted(line, at, dialect):
            return False
        lone += cell is None and bool(dialect.quote) and line.count(dialect.quote, at, end) % 2
        at = end + 1
    return lone < 2


def _begins_quoted(line: str, at: int, dialect: Dialect) -> bool:
    return line.startswith(dialect.quote, _behind_blanks(line, at, dialect)) if dialect.quote else False


def _behind_blanks(line: str, at: int, dialect: Dialect) -> int:
    while dialect.space_before_quote and line.startswith(" ", at):
        at += 1
    return at


def _quoted(line: str, at: int, dialect: Dialect) -> tuple[str, int] | None:
    """A cell properly in quote marks from ``at`` on: its text and where it ends; ``None`` when it is none."""
    if not _begins_quoted(line, at, dialect):
        return None
    start = at = _behind_blanks(line, at, dialect) + 1
    while at < len(line):
        if dialect.escape and line[at] == dialect.escape:
            at += 2
        elif line[at] != dialect.quote:
            at += 1
        elif line.startswith(dialect.quote, at + 1):
            at += 2
        else:
            end = at + 1
            while line[end : end + 1] in {" ", "\t"} and line[end] != dialect.cuts_with:
                end += 1
            whole = end >= len(line) or line[end] == dialect.cuts_with
            return (_unescaped(line[start:at], dialect) + line[at + 1 : end], end) if whole else None
    return None


def _bare_end(line: str, at: int, dialect: Dialect) -> int:
    end = line.find(dialect.cuts_with, at)
    return len(line) if end < 0 else end


def _unescaped(text: str, dialect: Dialect) -> str:
    if dialect.escape:
        text = re.sub(rf"{re.escape(dialect.escape)}(.)", r"\1", text)
    return text.replace(dialect.quote * 2, dialect.quote)


def mended(text: str, dialect: Dialect, width: int) -> list[str] | None:
    """The record cut into exactly ``width`` cells with the fewest quote marks taken as text; ``None``: no such cut."""
    line = dialect.prepared(text).rstrip("\r\n")
    cuts, marks = line.count(dialect.cuts_with), line.count(dialect.quote)
    if width < 2 or cuts + 1 < width or (cuts + 1) * (marks + 1) * width > _MOST_WORK:
        return None
    # From each place a cell can begin at: number of cells so far → (marks taken as text, cell before, its start).
    best: dict[int, dict[int, tuple[int, str, int]]] = {0: {0: (0, "", -1)}}
    for at in (0, *(place + 1 for place, char in enumerate(line) if char == dialect.cuts_with)):
        reached = [(count, cost) for count, (cost, _, _) in best.get(at, {}).items() if count < width]
        for cell, end, price in _readings(line, at, dialect) if reached else ():
            known = best.setdefault(end + 1, {})
            for count, cost in reached:
                if cost + price < known.get(count + 1, (1 << 30,))[0]:
                    known[count + 1] = (cost + price, cell, at)
    return _traced(best, len(line) + 1, width, dialect)


def _readings(line: str, at: int, dialect: Dialect) -> Iterator[tuple[str, int, int]]:
    """Ways to read the cell at ``at``: its text, its end, and how many marks had to be taken as text."""
    begins = _begins_quoted(line, at, dialect)
    end = _bare_end(line, at, dialect)
    bare = line[_behind_blanks(line, at, dialect) : end] if dialect.space_before_quote else line[at:end]
    yield bare, end, 3 if begins else 0
    if not begins:
        return
    proper = _quoted(line, at, dialect)
    if proper is not None:
        yield *proper, 0
    start = _behind_blanks(line, at, dialect) + 1
    closing = line.find(dialect.quote, start)
    inside = 0
    while closing >= 0:
        if closing + 1 >= len(line) or line[closing + 1] == dialect.cuts_with:
            yield _unescaped(line[start:closing], dialect), closing + 1, 1 + inside
        inside += 1
        closing = line.find(dialect.quote, closing + 1)


def _traced(
    best: dict[int, dict[int, tuple[int, str, int]]], end: int, width: int, dialect: Dialect
) -> list[str] | None:
    cells: list[str] = []
    at, count = end, width
    while count:
        if count not in best.get(at, {}):
            return None
        _, cell, at = best[at][count]
        cells.append(restored(cell, dialect))
        count -= 1
    return cells[::-1] if at == 0 else None


def restored(cell: str, dialect: Dialect) -> str:
    """A delimiter of several characters that stood inside quotes gets its own text back."""
    if dialect.delimiter is None or len(dialect.delimiter) == 1:
        return cell
    return cell.replace(STAND_IN, dialect.delimiter)


def stray_quote(row: int) -> Flaw:
    """Text stands behind the closing mark of a cell, or a mark is missing."""
    return Flaw(
        "stray_quote",
        f"The quote marks of row {row} do not fit: a mark stands amid the text of a cell.",
        "Look at each cell of the row: a quote mark inside a text is written twice. Correct the cells.",
    )


def run_together(row: int, first: int, lines: int) -> Flaw:
    """One of the rows that an open quote mark made one."""
    told = "in it is not closed" if row == first else f"in row {first} is not closed"
    return Flaw(
        "unclosed_quote",
        f"Row {row} cannot be told from its neighbours for certain: a quote mark {told}, "
        f"so {lines} lines read as one row.",
        "Close the quote mark (inside a text it is written twice), and look whether each cell is right.",
    )


def separate(lines: Sequence[str], dialect: Dialect) -> bool:
    """Whether the lines of a record that does not close look like rows of their own."""
    return any(dialect.cuts_with in dialect.prepared(line) and is_sound(line, dialect) for line in lines[1:])
