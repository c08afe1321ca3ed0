"""What the cells of a column look like, without its header."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from pipeline.proposing.dates import Notation, notation

Reads = Callable[[str, Sequence[str]], float]
"""``reads(parser, texts)``: which share of the texts (0 to 1) a parser of the mapping understands."""

MOST_TEXTS = 120
_NUMBER = re.compile(
    r"[-+(]?\s*(?:[A-Z]{3}\s?|(?:[A-Z]{1,2})?[$€£¥₹₽₺₩₫]\s?|R[sp]\.?\s?|kr\.?\s?)?[-+]?\d[\d.,'’\u00a0\u202f ]*\)?\s*"
    r"(?:%|[A-Z]{2,3}|[$€£¥₹₽₺₩₫円元원]|zł|Kč|Ft|kr\.?|lei|руб\.?|лв\.?)?-?"
)
_WHOLE = re.compile(r"-?\d{1,9}(?:[.,]0+)?")
_MARKS = re.compile(r"\d([.,])\d{1,2}(?!\d)[^\d.,]*$|\d([.,])\d{4,}$")
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_IP = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?=.*::)[0-9a-f:]{2,39}", re.IGNORECASE)
_PARCEL = re.compile(r"1Z[0-9A-Z]{16}|[A-Z]{2}\d{9}[A-Z]{2}|9[2-5]\d{20}|JJD\d{10,20}")
_LINK = re.compile(r"https?://\S+", re.IGNORECASE)
_ANSWERS = "true false yes no y n t f wahr falsch ja nein vrai faux oui non si да нет"
_YES_NO = frozenset(_ANSWERS.split())
_CODES = "usd eur gbp cad aud nzd chf sek nok dkk pln czk huf jpy cny rub inr brl mxn zar sgd hkd try ils aed krw thb"
_COMMON_MONEY = frozenset(_CODES.split())


@dataclass(frozen=True)
class Look:
    """The distinct, trimmed, non-empty texts of one column (the first ``MOST_TEXTS``), and how many cells they fill."""

    texts: tuple[str, ...]
    filled: int
    rows: int
    reads: Reads

    @property
    def empty(self) -> bool:
        """Whether the sample holds no value at all."""
        return not self.texts

    @cached_property
    def numbers(self) -> float:
        """Share of texts written as numbers, with or without a currency."""
        return self._share(_NUMBER)

    @cached_property
    def digits(self) -> float:
        """Share of texts with a digit in them."""
        return self._of(lambda text: any(letter.isdecimal() for letter in text))

    @cached_property
    def whole(self) -> float:
        """Share of texts that are whole numbers of at most nine digits."""
        return self._share(_WHOLE)

    @cached_property
    def dates(self) -> Notation | None:
        """How the column writes dates, ``None`` when it holds none."""
        return notation(self.texts)

    @cached_property
    def yes_no(self) -> float:
        """Share of texts that say yes or no."""
        return self._of(lambda text: text.casefold() in _YES_NO)

    @cached_property
    def currencies(self) -> float:
        """Share of texts that are currency codes."""
        return self._of(lambda text: bool(_CURRENCY.fullmatch(text)) and text.casefold() in _COMMON_MONEY)

    @cached_property
    def addresses(self) -> float:
        """Share of texts that are IP addresses."""
        return self._share(_IP)

    @cached_property
    def parcels(self) -> float:
        """Share of texts that have the form of a carrier's parcel number."""
        return self._share(_PARCEL)

    @cached_property
    def links(self) -> float:
        """Share of texts that are web addresses."""
        return self._share(_LINK)

    @cached_property
    def emails(self) -> float:
        """Share of texts that are e-mail addresses."""
        return self.reads("email", self.texts) if any("@" in text for text in self.texts) else 0.0

    @cached_property
    def countries(self) -> float:
        """Share of texts that are countries."""
        if self.empty or self.numbers > 0.5:
            return 0.0
        return self.reads("country", self.texts[:20])

    @cached_property
    def phones(self) -> float:
        """Share of texts that can be telephone numbers."""
        return self.reads("phone", self.texts) if self.texts else 0.0

    @cached_property
    def marks(self) -> frozenset[str]:
        """The decimal marks the numbers show beyond doubt."""
        found = (_MARKS.search(text) for text in self.texts)
        return frozenset(mark[1] or mark[2] for mark in found if mark)

    def _share(self, form: re.Pattern[str]) -> float:
        return self._of(lambda text: bool(form.fullmatch(text)))

    def _of(self, holds: Callable[[str], bool]) -> float:
        return sum(map(holds, self.texts)) / len(self.texts) if self.texts else 0.0


def look(cells: Sequence[str], reads: Reads) -> Look:
    """Look at the cells of one column."""
    filled = [text.strip() for text in cells if text.strip()]
    distinct = tuple(dict.fromkeys(filled))
    return Look(distinct[:MOST_TEXTS], len(filled), len(cells), reads)
