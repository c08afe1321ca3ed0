"""Runs of bytes beyond ASCII: which of them are letters in UTF-8, which are none, and which are so by accident.

Letters of an older encoding make valid UTF-8 now and then: ``SPÓŁKA`` in cp1250 holds the two bytes of a Cyrillic
letter. Such a letter stands amid letters of another script, and is no evidence for UTF-8.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

CHUNK = 1 << 20
_RUN = re.compile(rb"(?<![\x80-\xff])([\x00-\x7f]?)([\x80-\xff]+)(?=([\x00-\x7f]?))")
_HIGH = re.compile(rb"[\x80-\xff]+")
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_BEYOND_ASCII = bytes(range(0x80, 0x100))
FEW = 5
"""Runs, at most, that may be no UTF-8 in a file where no more than so many are."""
_MANY_MORE = 4
_BESIDE_LATIN = ("LATIN", "GREEK", "COMBINING", "MODIFIER", "MICRO", "SCRIPT")
_WIDE = "\u0800"


@dataclass(slots=True)
class Runs:
    """How many runs of a file are ``letters`` in UTF-8, ``accidents``, or ``none``; ``line``: where the first stands.

    ``wide`` counts those among the letters that are of three bytes each, as accidents never are.
    """

    letters: int = 0
    accidents: int = 0
    none: int = 0
    wide: int = 0
    line: dict[str, int] = field(default_factory=dict)

    @property
    def has_wide(self) -> bool:
        """Whether letters of three bytes are more than what chance makes of two-byte ones."""
        return self.wide * 100 > self.none

    @property
    def is_damaged_utf8(self) -> bool:
        """Whether nearly all is UTF-8, so that what is not was damaged on the way."""
        return self.letters > self.none * _MANY_MORE or (self.none <= FEW and self.letters > self.none)

    def count(self, part: bytes, line: int = 1) -> int:
        """Count the runs of a part that begins in that line; how many line breaks it has."""
        if not part.isascii() and not _SEQUENCE.search(part):  # three times as quick, for files in an older encoding
            self.none += len(_HIGH.findall(part))
            first = _HIGH.search(part)
            if first is not None and "none" not in self.line:
                self.line["none"] = line + part.count(b"\n", 0, first.start())
            return part.count(b"\n")
        for found, times in Counter([] if part.isascii() else _RUN.findall(part)).items():
            kind = kind_of(*found)
            setattr(self, kind, getattr(self, kind) + times)
            if kind == "letters" and min(found[1].decode()) >= _WIDE:
                self.wide += times
            if kind not in self.line:
                self.line[kind] = line + part.count(b"\n", 0, part.index(found[0] + found[1]))
        return part.count(b"\n")


def runs_of(path: Path) -> Runs:
    """Look at every run of the file."""
    runs, line, rest = Runs(), 1, b""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            whole = rest + chunk
            end = max(
                0, len(whole.rstrip(_BEYOND_ASCII)) - 1
            )  # a run is not cut in two, nor from what stands before it
            rest = whole[end:]
            line += runs.count(whole[:end], line)
    runs.count(rest, line)
    return runs


def kind_of(before: bytes, run: bytes, after: bytes) -> str:
    """``letters``, ``accidents`` or ``none``, by what stands around the run."""
    try:
        text = run.decode("utf-8")
    except UnicodeDecodeError:
        return "none"
    around = (before.decode("ascii"), *text, after.decode("ascii"))
    pairs = itertools.pairwise(around)
    return "accidents" if any(_never_meet(one, other) for one, other in pairs) or _is_odd(text) else "letters"


def _never_meet(one: str, other: str) -> bool:
    """Whether one is a Latin letter of ASCII and the other a letter of a script that never stands in Latin words."""
    if one.isascii() == other.isascii():
        return False
    plain, foreign = (one, other) if one.isascii() else (other, one)
    return plain.isalpha() and "\u0180" <= foreign < "\u0800" and _is_foreign(foreign)


def _is_foreign(char: str) -> bool:
    return unicodedata.category(char)[0] in "LM" and not unicodedata.name(char, "?").startswith(_BESIDE_LATIN)


def _is_odd(text: str) -> bool:
    return any(unicodedata.category(char) in {"Cn", "Co"} for char in text)
