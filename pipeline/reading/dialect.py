"""How a text file is cut into cells: what the mapping names, and what the file itself tells."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from pipeline.errors import FileRefused
from pipeline.reading.delimiter import find_delimiter, named_delimiter
from pipeline.reading.header import SAMPLE_ROWS
from pipeline.reading.table import Hints

SAMPLE_BYTES = 1 << 18
# A code point Unicode reserves for never being exchanged: it stands in for delimiters of several characters,
# which the csv module does not know.
STAND_IN = "\ufdd0"
_SEP_LINE = re.compile(r'"?sep=([^"\r\n]+)"?[\r\n]*$', re.IGNORECASE)
_NONE = {"", "none", "off", "no"}


class Dialect(Struct, frozen=True):
    """How the text is cut. ``delimiter`` is ``None`` for one column, ``quote`` and ``escape`` are ``""`` for none.

    ``escape`` is a character that makes a quote mark behind it part of the text, beside doubling it.
    ``space_before_quote``: a quoted cell may follow the delimiter after blanks. ``has_sep_line``: row 1 is
    Excel's ``sep=;`` and nothing else. ``errors`` says what becomes of bytes that are no letters in the encoding.
    """

    encoding: str
    delimiter: str | None
    quote: str = '"'
    escape: str = ""
    space_before_quote: bool = False
    has_sep_line: bool = False
    errors: str = "strict"

    @property
    def cuts_with(self) -> str:
        """The one character the csv module cuts at."""
        return self.delimiter if self.delimiter is not None and len(self.delimiter) == 1 else STAND_IN

    def prepared(self, line: str) -> str:
        """The line as the csv module has to get it."""
        if self.delimiter is not None and len(self.delimiter) > 1:
            line = line.replace(self.delimiter, STAND_IN)
        if self.escape:  # it escapes quote marks and itself; in front of anything else it is text
            escape, quote = re.escape(self.escape), re.escape(self.quote)
            line = re.sub(f"{escape}({escape}|{quote})?", lambda m: m.group() if m.group(1) else self.escape * 2, line)
        return line

    def reader_options(self) -> dict[str, object]:
        """Options of ``csv.reader``."""
        if not self.quote:
            return {"delimiter": self.cuts_with, "quoting": csv.QUOTE_NONE, "quotechar": None}
        return {
            "delimiter": self.cuts_with,
            "quotechar": self.quote,
            "escapechar": self.escape or None,
            "skipinitialspace": self.space_before_quote,
        }


def find_dialect(path: Path, encoding: str, hints: Hints) -> Dialect:
    """The dialect the mapping names, or else the one the beginning of the file shows.

    ``FileRefused``: ``ambiguous_delimiter``, or ``unusable_hint`` for a delimiter, quote or escape that cannot be.
    """
    text = sample_text(path, encoding)
    sep = _SEP_LINE.match(text.split("\n", 1)[0].split("\r", 1)[0])
    plain = Dialect(encoding, None, has_sep_line=sep is not None)
    named = None if hints.quote is None else _named_quote(path, hints.quote)
    delimiter: str | None = named_delimiter(hints.delimiter) if hints.delimiter else sep.group(1) if sep else None
    quote = named if named is not None else _likely_quote(text, delimiter)
    if delimiter is None:
        trial = replace(plain, quote=quote, space_before_quote=True)
        delimiter = find_delimiter(path, text, lambda one: cut_sample(text, replace(trial, delimiter=one)), quote)
    if delimiter is not None:
        _refuse_useless(path, delimiter, quote)
    found = replace(plain, delimiter=delimiter, quote=quote)
    found = replace(found, space_before_quote=_has_space_before_quote(cut_sample(text, found), quote))
    return replace(found, escape=_escape(path, hints.escape, text, found))


def _likely_quote(text: str, delimiter: str | None) -> str:
    """The apostrophe where it wraps a whole column and no cell stands in double marks, else the double mark."""
    if "'" not in text:
        return '"'
    around = re.escape(delimiter) if delimiter else r"[,;|\t#:^~]"
    lines = [line for line in text.splitlines() if line.strip()][:SAMPLE_ROWS]
    return "'" if _wraps_a_column(lines, "'", around) and not _wrapped(text, '"', around) else '"'


def _wraps_a_column(lines: Sequence[str], quote: str, around: str) -> bool:
    """Whether nearly all cells of some column begin with the mark, and what begins with it ends with it.

    ``'tis`` and the ``'00123`` of spreadsheets do not end.
    """
    if len(lines) < 2 or _wrapped("\n".join(lines), quote, around) < 2:
        return False
    rows = [[cell.strip() for cell in re.split(around, line)][:50] for line in lines]
    for column in range(max(map(len, rows))):
        cells = [row[column] for row in rows if len(row) > column and row[column]]
        if len(cells) >= 0.8 * len(rows) and sum(cell.startswith(quote) for cell in cells) >= 0.6 * len(cells):
            return True
    return False


def _wrapped(text: str, quote: str, around: str) -> int:
    """How many cells stand whole in the mark; 0 when clearly more begin with it than end with it."""
    begins = len(re.findall(rf"(?:^|[\r\n]|{around})[ \t]*{quote}(?=[^{quote}\r\n])", text))
    whole = len(re.findall(rf"(?:^|[\r\n]|{around})[ \t]*{quote}[^\r\n]*?{quote}[ \t]*(?=[\r\n]|$|{around})", text))
    return whole if begins <= 1.1 * whole else 0


def _escape(path: Path, hint: str | None, text: str, found: Dialect) -> str:
    r"""A backslash, where only with it the quote marks of the sample close: ``"12\" long"``."""
    if hint is not None:
        if hint.strip().casefold() in _NONE:
            return ""
        if len(hint) != 1 or hint in (found.quote, found.delimiter):
            raise bad_hint(path, f"“{hint}” cannot be the escape character")
        return hint
    if not found.quote or "\\" + found.quote not in text:
        return ""
    from pipeline.reading.mending import is_sound

    lines = [line for line in text.splitlines() if "\\" + found.quote in line]
    escaped = replace(found, escape="\\")
    plain_faults = sum(1 for line in lines if not is_sound(line, found))
    return "\\" if plain_faults > 2 * sum(1 for line in lines if not is_sound(line, escaped)) else ""


def _has_space_before_quote(sample: Sequence[Sequence[str]], quote: str) -> bool:
    """Whether cells read as blank-then-quote: the writer put a blank after each delimiter."""
    cells = (cell for cells in sample for cell in cells if cell[:1] == " ")
    return bool(quote) and any(cell.lstrip(" ").startswith(quote) for cell in cells)


def _named_quote(path: Path, hint: str) -> str:
    if hint.strip().casefold() in _NONE:
        return ""
    if len(hint) != 1:
        raise bad_hint(path, f"the quote mark “{hint}” has more than one character")
    return hint


def _refuse_useless(path: Path, delimiter: str, quote: str) -> None:
    if delimiter == quote or any(char in delimiter for char in "\r\n"):
        raise bad_hint(path, "the delimiter is the quote mark or a line break")


def bad_hint(path: Path, detail: str) -> FileRefused:
    """What the mapping says about the file cannot be."""
    return FileRefused(
        "unusable_hint",
        f"{path.name} cannot be read as the mapping says: {detail}.",
        "Correct `files: {delimiter: …, quote: …}` in the mapping, or leave them out so that they are found.",
    )


def sample_text(path: Path, encoding: str) -> str:
    """The beginning of the file; a character or record cut off by the end of the sample is left out."""
    with path.open("rb") as stream:
        head = stream.read(SAMPLE_BYTES + 1)
    text = head[:SAMPLE_BYTES].decode(encoding, "ignore").lstrip("\ufeff")
    if len(head) <= SAMPLE_BYTES:
        return text
    last_end = max(text.rfind("\n"), text.rfind("\r"))
    return text[: last_end + 1] if last_end > 0 else text


def cut_sample(text: str, dialect: Dialect) -> list[list[str]]:
    """The sample's first rows as cells; what an open quote swallows at its end is left out."""
    import io

    rows: list[list[str]] = []
    lines = (dialect.prepared(line) for line in io.StringIO(text, newline=""))
    with suppress(csv.Error):
        rows.extend(islice(csv.reader(lines, **dialect.reader_options()), SAMPLE_ROWS))  # type: ignore[arg-type]
    return rows[1:] if dialect.has_sep_line else rows
