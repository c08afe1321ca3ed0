"""Header texts made comparable: ``OrderID``, ``order_id``, ``Order #`` and ``ORDER-ID`` are the same words."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_BRACKETS = re.compile(r"[(\[（【][^)\]）】]*[)\]）】]")
_WHOSE = re.compile(
    r"[(\[（【]\s*((?:billing|shipping|delivery|rechnung|lieferung|facturation|livraison)\b[^)\]）】]*)[)\]）】]", re.I
)
"""Brackets that say whose address it is, and no unit: ``City (Billing)``."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_DIGITS = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_GAPS = re.compile(r"[\W_]+")
_NUMBER_SIGNS = re.compile(r"[#№]")
_SAME_WORD = {"no": "number", "nr": "number", "num": "number", "nbr": "number", "qty": "quantity", "addr": "address"}
_NOISE = "amount value text field order customer buyer seller the of code name total info detail"
NOISE = frozenset(_NOISE.split())
"""Words that may stand in or be left out of a header without changing what it means."""

_UNITS = (
    "brutto netto gross net incl inkl ttc ht tva vat mwst ust iva btw eur usd gbp chf pln czk sek nok dkk huf brl inr "
    "jpy cad aud rub try"
)
UNITS = frozenset(_UNITS.split())
"""Words at the end of a header that say in what an amount is counted."""


@lru_cache(maxsize=8192)
def words(header: str) -> tuple[str, ...]:
    """The words of a header without case, accents, units in brackets and punctuation; numbers stand alone."""
    plain = unicodedata.normalize("NFKC", header)
    plain = _WHOSE.sub(r" \1 ", plain)
    plain = _BRACKETS.sub(" ", plain) if _BRACKETS.sub("", plain).strip() else plain
    plain = _CAMEL.sub(" ", _NUMBER_SIGNS.sub(" number ", plain))
    parts = _GAPS.split(_DIGITS.sub(" ", _without_accents(plain.casefold())))
    return tuple(_SAME_WORD.get(part, part) for part in parts if part)


@lru_cache(maxsize=8192)
def glued(header: str) -> str:
    """The words without gaps, so that ``EMAILADDRESS`` meets ``email address``."""
    return "".join(words(header))


def _without_accents(text: str) -> str:
    spread = unicodedata.normalize("NFD", text.replace("ł", "l"))
    return unicodedata.normalize("NFC", "".join(c for c in spread if not "\u0300" <= c <= "\u036f"))
