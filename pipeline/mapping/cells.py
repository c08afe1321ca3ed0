"""A column of text, read once per distinct text: what every parser has in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from pipeline.fields import FieldSpec
from pipeline.mapping.damage import is_cut, is_floated, is_made_a_date, is_packed, is_rounded
from pipeline.mapping.quick import plain, value_of
from pipeline.mapping.unseen import without_unseen
from pipeline.reasons import Trouble

if TYPE_CHECKING:  # a mapping is proved without them; only reading a file loads them
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from pipeline.arrow import Texts
    from pipeline.coded import Coded

LONGEST = 32_767
"""Characters one cell may hold: what Excel itself can hold (Microsoft: Excel specifications and limits)."""

ERROR_CELLS = frozenset(
    {
        "#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#ERROR!",
        "#GETTING_DATA",
    }
)  # fmt: skip
_IDS = frozenset(
    {
        "order_id", "customer_id", "sku", "tracking_number", "payment_reference", "manufacturer_sku",
        "cheque_number",
    }
)  # fmt: skip
_INVISIBLE_ENDS = "\ufeff\u200b\u2060"  # byte-order mark and zero-width characters left behind by other programs
_BREAKS = re.compile("[\t\r\n]")
_ARMOUR = re.compile(r'="(.*)"', re.DOTALL)  # Excel's way of keeping a text a text in a CSV file: ="00123"
_MARKED_NUMBER = re.compile(r"'(?=[+(]?[0-9][0-9\s+().,/-]*$)")  # '85003, the spreadsheet's own mark for text
_MARKED_ID = re.compile(r"'(?=[0-9+])")
EXPONENT = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]{1,3}")


class Reading(Struct, frozen=True):
    """How the cells of one column are read: the field, the parser, and everything the parser may ask.

    ``decimal`` is the declared (or, after a survey, decided) decimal mark; ``day_first`` the decided order of
    day and month; ``is_cut`` that a spreadsheet cut the long numbers of the column; ``zone`` the zone of times that
    name none. ``choices`` and the word lists are as the mapping wrote them.
    """

    spec: FieldSpec
    parse: str
    zone: ZoneInfo
    formats: tuple[str, ...] = ()
    decimal: str | None = None
    day_first: bool | None = None
    choices: Mapping[str, Any] = field(default_factory=dict)
    separator: str = ","
    part: str = "full"
    country: str | None = None
    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    is_cut: bool = False


Parser = Callable[[Sequence[str], Reading], list[Any]]
"""Turns distinct, cleaned, non-empty texts into values, or a :class:`Trouble` where a text cannot be read."""


class Column(Struct, frozen=True):
    """A column read: its values (none where a cell is empty or unreadable), and the troubles by position."""

    cells: Coded
    troubles: tuple[tuple[int, Trouble], ...]


def distinct(cells: Texts) -> tuple[npt.NDArray[np.int32], list[str]]:
    """For each cell the number of its text, and the distinct texts in the order in which they come."""
    codes, texts = distinct_texts(cells)
    return codes, texts.to_pylist()


def distinct_texts(cells: Texts) -> tuple[npt.NDArray[np.int32], pa.LargeStringArray]:
    """The same with the texts as an Arrow array."""
    from pipeline.arrow import encoded

    return encoded(cells)


def reaches(cells: Texts, length: int) -> bool:
    """Whether a text of a column has so many bytes."""
    import pyarrow.compute as pc

    longest = pc.max(pc.binary_length(cells)).as_py()
    return longest is not None and longest >= length


def read_column(cells: Texts, reading: Reading, parser: Parser) -> Column:
    """Read a text column with a parser, each distinct text once; plain ones in bulk."""
    import numpy as np

    from pipeline.arrow import as_array

    codes, found = distinct_texts(cells)
    told = plain(found, reading, LONGEST, identifies=is_id(reading.spec.name)) if len(found) else None
    rest = np.arange(len(found)) if told is None else np.flatnonzero(~told)
    results = read_texts((found if told is None else found.take(as_array(rest))).to_pylist(), reading, parser)
    bad = {at: result for at, result in zip(rest.tolist(), results, strict=True) if isinstance(result, Trouble)}
    values = [None if isinstance(result, Trouble) else result for result in results]
    numbers = np.arange(1, len(found) + 1, dtype=np.int32)  # of each text's value: 0 is none
    numbers[rest[[value is None for value in values]]] = 0
    read = (
        _coded(numbers[codes], values) if told is None else _coded_in_bulk(numbers[codes], found, rest, values, reading)
    )
    return Column(read, _where(codes, bad, len(found)))


def _coded(codes: npt.NDArray[np.int32], values: list[Any]) -> Coded:
    from pipeline.coded import Coded

    return Coded.of_values(codes, [None, *values])


def _coded_in_bulk(
    codes: npt.NDArray[np.int32], found: pa.Array, rest: npt.NDArray[np.intp], values: list[Any], reading: Reading
) -> Coded:
    """Plain texts as they stand, and in the place of the others how their values are written."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from pipeline.arrow import as_array
    from pipeline.coded import Coded

    make = value_of(reading)
    if values:
        written = values if make is None else [None if value is None else format(value, "f") for value in values]
        mask = np.zeros(len(found), dtype=bool)
        mask[rest] = True
        found = pc.replace_with_mask(found, as_array(mask), pa.array(written, pa.large_string()))
    return Coded(codes, pa.concat_arrays([pa.nulls(1, pa.large_string()), found]), make=make)


def _where(codes: npt.NDArray[np.int32], bad: Mapping[int, Trouble], count: int) -> tuple[tuple[int, Trouble], ...]:
    """The rows of the texts that cannot be read."""
    import numpy as np

    if not bad:
        return ()
    wanted = np.zeros(count, dtype=bool)
    wanted[list(bad)] = True
    rows = np.flatnonzero(wanted[codes])
    return tuple((at, bad[code]) for at, code in zip(rows.tolist(), codes[rows].tolist(), strict=True))


def read_texts(texts: Sequence[str], reading: Reading, parser: Parser) -> list[Any]:
    """Clean each text, then parse what is left: a value, ``None`` for an empty cell, or a :class:`Trouble`."""
    identifies = is_id(reading.spec.name)
    cleaned = [clean(text, identifies=identifies) for text in texts]
    if reading.spec.name.endswith("postal_code"):  # other codes may end so: sizes, versions
        cleaned = [_FLOATED if isinstance(bare, str) and is_floated(bare) else bare for bare in cleaned]
    if reading.is_cut:
        cleaned = [
            _CUT_SHORT if isinstance(bare, str) and is_cut(bare) and not is_marked(text) else bare
            for bare, text in zip(cleaned, texts, strict=True)
        ]
    sound = [at for at, text in enumerate(cleaned) if text and not isinstance(text, Trouble)]
    results: list[Any] = [text if isinstance(text, Trouble) else None for text in cleaned]
    for at, value in zip(sound, parser([str(cleaned[at]) for at in sound], reading), strict=True):
        results[at] = value
    return results


_FLOATED = Trouble("floated_code")
_CUT_SHORT = Trouble("excel_cut_number")


def clean(text: str, *, identifies: bool) -> str | Trouble:
    """The text without blanks at its ends, Excel's armour and text mark, and what nobody sees; a :class:`Trouble` when
    nobody could use it.
    """
    bare = trimmed(text)
    if not (text.isascii() and text.isprintable()):
        seen = without_unseen(bare, identifies=identifies)
        if isinstance(seen, Trouble):
            return seen
        bare = seen.strip()
    if bare[:1] == "=" and (armoured := _ARMOUR.fullmatch(bare)):
        bare = trimmed(armoured[1].replace('""', '"'))
    if bare[:1] == "'" and (_MARKED_ID if identifies else _MARKED_NUMBER).match(bare):
        bare = bare[1:]
    if bare[:1] == "#" and bare in ERROR_CELLS:
        return Trouble("excel_error_cell")
    if len(bare) > LONGEST:
        return Trouble("too_long", {"length": f"{len(bare):,}", "limit": f"{LONGEST:,}"})
    return _sound_id(bare) if identifies else bare


def trimmed(text: str) -> str:
    """The text without white space (also non-breaking and zero-width) at its ends."""
    return text.strip().strip(_INVISIBLE_ENDS).strip()


def is_marked(text: str) -> bool:
    """Whether a cell bears a spreadsheet's own marks of a text, so that its digits were never those of a number."""
    return text.lstrip()[:1] in {"=", "'"}


def is_code(name: str) -> bool:
    """Whether a field holds a code that may have more digits than a spreadsheet keeps."""
    return name in _IDS


def is_id(name: str) -> bool:
    """Whether a field identifies something, so that a spreadsheet's rounding or dating would destroy it."""
    return name in _IDS or name.endswith(("postal_code", "phone"))


def _sound_id(text: str) -> str | Trouble:
    if not text.isprintable() and (broken := _BREAKS.search(text)):
        return Trouble("control_character", {"character": f"U+{ord(broken[0]):04X}, a line break or tab"})
    if is_rounded(text):
        return Trouble("excel_damaged_number")
    if is_packed(text):
        return Trouble("several_codes")
    return Trouble("excel_damaged_date") if is_made_a_date(text) else text
