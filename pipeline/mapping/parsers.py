"""The closed list of parsers, which fields each may feed, and how its values become the field's type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from pipeline.mapping import cells, countries, damage, dates, numbers, texts
from pipeline.mapping.cells import Column, Parser, Reading
from pipeline.reasons import Trouble

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.arrow import Texts

_TEXTUAL = frozenset({"text", "map"})


class ParserSpec(Struct, frozen=True):
    """One parser of the list. ``fits``: the field types it may feed; ``keys``: the rule keys only it understands."""

    read: Parser
    fits: frozenset[str]
    keys: frozenset[str] = frozenset()


def _spec(read: Parser, fits: str, keys: str = "") -> ParserSpec:
    return ParserSpec(read, frozenset(fits.split()) | _TEXTUAL, frozenset(keys.split()))


PARSERS: Mapping[str, ParserSpec] = {
    "text": _spec(texts.read_text, "phone"),
    "integer": _spec(numbers.read_integers, "decimal", "decimal"),
    "decimal": _spec(numbers.read_decimals, "decimal", "decimal"),
    "money": _spec(numbers.read_money, "decimal", "decimal"),
    "date": _spec(dates.read_dates, "date time", "format timezone"),
    "datetime": _spec(dates.read_datetimes, "date time", "format timezone"),
    "email": _spec(texts.read_emails, "email"),
    "phone": _spec(texts.read_phones, "phone", "country"),
    "country": _spec(countries.read_countries, "country"),
    "choice": _spec(texts.read_choices, "decimal boolean country", "choices"),
    "boolean": _spec(texts.read_booleans, "boolean", "true false"),
    "list": _spec(texts.read_lists, "", "separator"),
    "split_name": _spec(texts.read_names, "", "part"),
}
"""Every parser a mapping may name."""

DEFAULT_PARSERS: Mapping[str, str] = {
    "text": "text", "map": "text", "decimal": "decimal", "time": "datetime", "date": "date",
    "boolean": "boolean", "country": "country", "email": "email", "phone": "phone",
}  # fmt: skip
"""The parser of a field type where the mapping names none."""


def read(column: Texts, reading: Reading) -> Column:
    """Read one text column into values of its field's type."""
    return cells.read_column(column, reading, _typed)


def read_one(text: str, reading: Reading) -> Any:  # noqa: ANN401 - a model.Value or a Trouble
    """Read one text, such as a constant of a mapping: a value, ``None``, or a :class:`Trouble`."""
    return cells.read_texts([text], reading, _typed)[0]


def marks_and_orders(column: Texts, reading: Reading) -> frozenset[str]:
    """What a column tells about itself: ``.`` or ``,`` as decimal mark, ``day`` or ``month`` first, codes ``cut``."""
    is_code = may_be_cut(reading)
    if is_code and not cells.reaches(column, damage.KEPT + 1):
        return frozenset()
    distinct = _telling(cells.distinct_texts(column)[1], reading)
    marked = {cells.clean(text, identifies=False) for text in distinct if cells.is_marked(text)}
    cleaned = (cells.clean(text, identifies=False) for text in distinct)
    sound = [text for text in cleaned if isinstance(text, str)]
    if is_code:
        return damage.cuts_in(text for text in sound if text not in marked)
    return dates.orders_in(sound) if reading.parse in {"date", "datetime"} else numbers.marks_in(sound)


def _telling(texts: pa.Array, reading: Reading) -> list[str]:
    """Those of a column's texts that can tell anything about it, sorted out in bulk."""
    import pyarrow.compute as pc

    if may_be_cut(reading):
        texts = texts.filter(pc.match_substring_regex(texts, "[0-9]{16}"))
    elif reading.parse not in {"date", "datetime"}:
        texts = texts.filter(pc.match_substring_regex(texts, "[.,]"))
    told: list[str] = texts.to_pylist()
    return told


def needs_survey(reading: Reading) -> bool:
    """Whether the whole column must be looked at before a cell of it can be read."""
    if reading.parse in {"date", "datetime"}:
        return not reading.formats
    return may_be_cut(reading) or (reading.parse in {"integer", "decimal", "money"} and reading.decimal is None)


def may_be_cut(reading: Reading) -> bool:
    """Whether the column holds codes, of which only the whole column shows that a spreadsheet cut the long ones."""
    return reading.parse == "text" and cells.is_code(reading.spec.name)


def decided(reading: Reading, shown: frozenset[str]) -> Reading:
    """The reading with what its whole column showed; where the column contradicts itself nothing is decided."""
    if len(shown) != 1 or not needs_survey(reading):
        return reading
    (one,) = shown
    if one in {damage.CUT, damage.WHOLE}:
        return replace(reading, is_cut=one == damage.CUT)
    return replace(reading, day_first=one == "day") if one in {"day", "month"} else replace(reading, decimal=one)


def _typed(distinct: Sequence[str], reading: Reading) -> list[Any]:
    values = PARSERS[reading.parse].read(distinct, reading)
    return [value if value is None or isinstance(value, Trouble) else _fit(value, reading) for value in values]


def _fit(value: Any, reading: Reading) -> Any:  # noqa: ANN401 - a model.Value or a Trouble
    """The parser's value as the field's type wants it: a day as a time at midnight, a number in a text field
    as text.
    """
    kind = reading.spec.type
    if kind in _TEXTUAL:
        return _text(value)
    if kind == "time" and not isinstance(value, datetime):
        midnight = datetime.combine(value, time())
        return dates.instant(midnight, reading.zone) or Trouble("no_such_time", {"zone": str(reading.zone)})
    if kind == "date" and isinstance(value, datetime):
        return value.date()
    return value


def _text(value: Any) -> str:  # noqa: ANN401 - a model.Value
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case date():  # a datetime is one too
            return value.isoformat()
    return str(value)
