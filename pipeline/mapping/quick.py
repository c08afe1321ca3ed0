"""Cells that need no second look, told in bulk: nearly all of a column are what they seem, and Python is slow.

What matches here is what ``cells.clean`` leaves as it is and what the parser gives back as it is (or as a number); the
patterns take in less than those of the parsers, never more. All else goes the long way.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipeline.mapping.damage import FLOATED, MADE_A_DATE, ROUNDED
from pipeline.mapping.unseen import GARBLED

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from pipeline.mapping.cells import Reading

_INNER = r"[^\p{Z}\p{C}\x{FFFD}\x{FFFE}\x{FFFF}]"
_FIRST = r"[^\p{Z}\p{C}\x{FFFD}\x{FFFE}\x{FFFF}='#]"
_TEXT = rf"^{_FIRST}(?:(?:{_INNER}| )*{_INNER})?$"
_CODE = _TEXT.replace(r"\p{Z}", r";,|\p{M}\p{Z}")  # what holds several codes has to be looked at
_LABEL = "[A-Za-z0-9_+-]+"
_EMAIL = rf"^{_LABEL}(?:\.{_LABEL})*@(?:[a-z0-9][a-z0-9-]*\.)+[a-z][a-z0-9-]*[a-z0-9]$"
_PHONE = r"^\+?[0-9(][0-9().\-/ ]*[0-9]{3}$"
_DECIMAL = r"^(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,2})?$"  # as a number is written that was made of it
_WHOLE = r"^(?:0|[1-9][0-9]{0,17})$"
_DAMAGED = rf"^(?:{ROUNDED.pattern}|{MADE_A_DATE.pattern}|{FLOATED.pattern})$"
_SHORT = 23  # bytes within which no part of a phone number has too many digits
_NAME_LONG = 64


_Way = tuple[str, int]
"""What a plain text looks like, and how many bytes it has at most."""


def plain(texts: pa.Array, reading: Reading, longest: int, *, identifies: bool) -> npt.NDArray[np.bool_] | None:
    """Which of the texts are plain, ``None`` when the parser has no quick way; ``longest`` in characters."""
    import pyarrow.compute as pc

    way = _way(reading, longest)
    if way is None or reading.is_cut:
        return None
    pattern, most = way
    if identifies and pattern is _TEXT:
        pattern = _CODE
    found = pc.and_(pc.match_substring_regex(texts, pattern), pc.less_equal(pc.binary_length(texts), most))
    if identifies:
        found = pc.and_not(found, pc.match_substring_regex(texts, _DAMAGED))
    if not pc.all(pc.string_is_ascii(texts)).as_py():  # the patterns above take in letters of any script
        found = pc.and_not(found, pc.match_substring_regex(texts, GARBLED))
    mask: npt.NDArray[np.bool_] = found.to_numpy(zero_copy_only=False)
    return mask


def value_of(reading: Reading) -> Callable[[str], Any] | None:
    """What makes the value of a plain text; ``None`` when it is the text itself."""
    return Decimal if reading.spec.type == "decimal" else None


def _way(reading: Reading, longest: int) -> _Way | None:
    kind = reading.spec.type
    match reading.parse:
        case "text" if kind != "decimal":
            return _TEXT, longest
        case "email":
            return _EMAIL, _NAME_LONG
        case "phone" if reading.country is None:
            return _PHONE, _SHORT
        case "decimal" | "money" if kind == "decimal" and reading.decimal != ",":
            return _DECIMAL, longest
        case "integer" if kind == "decimal" and reading.decimal != ",":
            return _WHOLE, longest
    return None
