"""Dialect detection, measured on published sets of annotated files.

A file counts as right when it comes out cut into the same cells as with the annotated dialect. (Delimiters alone cannot
be compared: a single column has none, and annotators write down a comma.) Sets: the annotations of ws-garcia/CSVsniffer
for the files of van den Burg et al. (CleverCSV), for the W3C's "CSV on the Web" tests and for files around Pollock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from pipeline.errors import FileRefused
from pipeline.reading import Hints
from pipeline.reading.dialect import Dialect, cut_sample, find_dialect, sample_text
from pipeline.reading.encoding import find_encoding

_WORDS = {
    "comma": ",", "semicolon": ";", "tab": "\t", "vslash": "|", "nsign": "#", "space": " ", "doublequote": '"',
    "singlequote": "'", "backslash": "\\", "": "",
}  # fmt: skip
_ENCODINGS = {"utf8": "utf-8", "ansi": "cp1252", "shif-jis": "shift_jis"}
SETS = {
    "CleverCSV's files": ("CCSV-manual_Dialect_Annotation.txt", "CSV_Wrangling/data/github/Curated files"),
    "W3C CSVW": ("W3C-CSVW-dialect_annotations.txt", "python/W3C-CSVW"),
    "Pollock and others": ("POLLOCK-dialect_annotations.txt", "python/CSV"),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one file: ``right``, ``wrong``, or the code it was refused with."""

    name: str
    outcome: str
    detail: str = ""


def judged(collection: Path, title: str) -> Iterator[Verdict]:
    """The files of one set that are present, each with its verdict."""
    annotations, folder = SETS[title]
    for line in (collection / "python/ground truth" / annotations).read_text("utf-8").splitlines():
        fields = line.split("|")
        path = collection / folder / fields[0]
        if len(fields) == 6 and path.is_file():
            yield _verdict(path, fields)


def _verdict(path: Path, fields: list[str]) -> Verdict:
    try:
        encoding = find_encoding(path).name
    except FileRefused as refused:
        if refused.code != "undecodable":
            return Verdict(path.name, refused.code)
        # A mixture of encodings is refused until one is named; then the dialect is found as ever.
        encoding = _ENCODINGS.get(fields[1], fields[1])
    try:
        found = find_dialect(path, encoding, Hints())
    except FileRefused as refused:
        return Verdict(path.name, refused.code, refused.message)
    text = sample_text(path, encoding)
    delimiter, quote, escape = (_WORDS.get(word, word) for word in fields[2:5])
    told = Dialect(encoding, delimiter, quote or '"', "\\" if escape == "\\" else "")
    same = any(_cells(text, found) == _cells(text, one) for one in (told, replace(told, escape="")))
    return Verdict(path.name, "right" if same else "wrong", f"{found.delimiter!r} {found.quote!r}, told {fields[2:5]}")


def _cells(text: str, dialect: Dialect) -> list[list[str]]:
    """The cells without the blanks at their edges."""
    rows = cut_sample(text, replace(dialect, space_before_quote=True))
    return [[re.sub(r"^\s+|\s+$", "", cell) for cell in row] for row in rows]
