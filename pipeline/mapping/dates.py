"""Dates and times from text: declared formats, ISO 8601, Excel's day numbers, and what a column tells about
its order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.mapping.cells import Reading
from pipeline.mapping.declared import by_format
from pipeline.mapping.spoken_dates import CLOCK, folded, in_english, offset_of, spoken, without_weekday
from pipeline.reasons import Trouble

FIRST_YEAR, LAST_YEAR = 1900, 2100
_ISO = re.compile(
    r"(?P<y>[0-9]{4})(?P<by>[-/.])(?P<m>[0-9]{1,2})(?P=by)(?P<d>[0-9]{1,2})"
    r"(?:(?:[T ]|, )(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?)"
    r"\s*(?P<zone>Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_PARTIAL = re.compile(r"[0-9]{1,2}-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-[0-9]{4}")
_COMPACT = re.compile(r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})")
_BASIC = re.compile(r"[0-9]{8}T?[0-9]{6}(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?")
_NUMERIC = re.compile(
    rf"(?P<a>[0-9]{{1,2}})\s?(?P<by>[-/.])\s?(?P<b>[0-9]{{1,2}})\s?(?P=by)\s?(?P<y>[0-9]{{4}})\.?{CLOCK}"
)
_YEAR_FIRST = re.compile(
    rf"(?P<y>[0-9]{{4}})\s?(?P<by>[-/.])\s?(?P<m>[0-9]{{1,2}})\s?(?P=by)\s?(?P<d>[0-9]{{1,2}})\.?{CLOCK}"
)
_SERIAL = re.compile(r"[2-7][0-9]{4}(?:[.,][0-9]+)?|80000")
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - Excel's day 0 in the 1900 system, on no particular clock
_SAMPLE = datetime(2026, 11, 25, 14, 30, 5, tzinfo=UTC)


def read_datetimes(texts: Sequence[str], reading: Reading) -> list[Any]:
    """Times with a zone: the one a text names, else the reading's; everything is told in the reading's zone."""
    return [_in_zone(moment, reading.zone) for moment in _moments(texts, reading)]


def read_dates(texts: Sequence[str], reading: Reading) -> list[Any]:
    """Calendar days as they are written; a time of day or an offset beside them does not move them."""
    return [m.date() if isinstance(m, datetime) else m for m in _moments(texts, reading)]


def orders_in(texts: Iterable[str]) -> frozenset[str]:
    """Which orders of day and month the texts show beyond doubt: ``day``, ``month``, both or none."""
    bare = (without_weekday(folded(text))[0] for text in texts)
    return frozenset(order for found in map(_NUMERIC.fullmatch, bare) if found and (order := _order(found)))


def format_problem(form: str) -> str | None:
    """What is wrong with a declared format, ``None`` when it can be used."""
    parts = set(re.findall(r"%[A-Za-z]", form))
    if not ((parts & {"%Y", "%y"} and parts & {"%m", "%b", "%B"} and "%d" in parts) or {"%Y", "%j"} <= parts):
        return "it must name year, month and day, as in %m/%d/%Y"
    if "%Z" in parts:
        return "names of zones have many meanings: use %z for offsets, or `timezone` for the whole column"
    if "%I" in parts and "%p" not in parts:
        return "%I counts twelve hours and needs %p (AM or PM) beside it"
    try:
        text = _SAMPLE.strftime(form)
        read = datetime.strptime(text, form)  # noqa: DTZ007 - only its month and day are looked at
    except (ValueError, re.error):  # the second one for a part that stands twice
        return "it is not a format of strptime"
    return None if (read.month, read.day) == (_SAMPLE.month, _SAMPLE.day) else "it does not give back the same date"


def instant(local: datetime, zone: ZoneInfo) -> datetime | None:
    """A wall-clock time in a zone: the first of two when the clocks go back, ``None`` when they skip it.

    Midnight is what a bare date becomes, so a skipped midnight is the first moment of its day.
    """
    there = local.replace(tzinfo=zone)
    back = there.astimezone(UTC).astimezone(zone)
    if back.replace(tzinfo=None) == local:
        return there
    return back if (local.hour, local.minute) == (0, 0) else None


def _in_zone(moment: datetime | Trouble, zone: ZoneInfo) -> datetime | Trouble:
    if isinstance(moment, Trouble):
        return moment
    if moment.tzinfo is not None:
        return moment.astimezone(zone)
    return instant(moment, zone) or Trouble("no_such_time", {"zone": str(zone)})


def _moments(texts: Sequence[str], reading: Reading) -> Iterator[datetime | Trouble]:
    """Naive as written, or aware where the text names an offset."""
    declared = _by_formats(texts, reading.formats)
    for text, moment in zip(texts, declared, strict=True):
        found = moment if moment is not None else _undeclared(text, reading)
        if isinstance(found, datetime) and not FIRST_YEAR <= found.year <= LAST_YEAR:
            yield Trouble("date_out_of_range")
        else:
            yield found


def _by_formats(texts: Sequence[str], formats: Sequence[str]) -> list[datetime | Trouble | None]:
    """What the declared formats make of each text; two that read the same text differently contradict each other."""
    results: list[datetime | Trouble | None] = [None] * len(texts)
    for form in formats:
        for at, moment in enumerate(_by_format(texts, form)):
            before = results[at]
            if before is None or moment is None or before == moment:
                results[at] = before if moment is None else moment
            elif isinstance(before, datetime):
                results[at] = _ambiguous(before, moment)
    return results


def _by_format(texts: Sequence[str], form: str) -> list[datetime | None]:
    return by_format([in_english(text, form) for text in texts], form)


def _undeclared(text: str, reading: Reading) -> datetime | Trouble:
    """ISO always (workbook dates arrive so); the rest only where the mapping declares no format."""
    found: datetime | Trouble | None = _iso(text)
    if found is not None:
        return found
    if _SERIAL.fullmatch(text) and _may_be_serial(reading.formats):
        days = timedelta(days=float(text.replace(",", ".")))
        return _EPOCH + timedelta(seconds=round(days.total_seconds()))
    if not reading.formats:
        found = _written_out(text, reading)
    return found if found is not None else _bad_date(reading)


def _bad_date(reading: Reading) -> Trouble:
    if not reading.formats:
        return Trouble("bad_date", {"expected": "that can be told for certain", "example": "2026-11-25"})
    examples = " or ".join(_SAMPLE.strftime(form).strip() for form in reading.formats)
    return Trouble(
        "bad_date", {"expected": f"of the declared form ({', '.join(reading.formats)})", "example": examples}
    )


def _may_be_serial(formats: Sequence[str]) -> bool:
    return not formats or any(re.search(r"[^%A-Za-z]", form) for form in formats)


def _iso(text: str) -> datetime | None:
    if _PARTIAL.fullmatch(text):
        return by_format([text], "%d-%b-%Y")[0]
    if not text[:4].isdecimal():
        return None
    if text[4:5] == "-" and text[10:11] in {"", "T", " "}:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    found = _ISO.fullmatch(text)
    return _assemble(found["y"], found["m"], found["d"], found["time"], zone=found["zone"]) if found else None


def _compact(text: str) -> datetime | None:
    found = _COMPACT.fullmatch(text)
    if found:
        return _assemble(found["y"], found["m"], found["d"])
    if _BASIC.fullmatch(text):
        try:
            return datetime.fromisoformat(text if "T" in text else f"{text[:8]}T{text[8:]}")
        except ValueError:
            return None
    return None


def _written_out(text: str, reading: Reading) -> datetime | Trouble | None:
    """A date in numbers or with names; a weekday that stands with it must be its own."""
    bare, weekday = without_weekday(folded(text))
    found = _compact(text) or _numeric(bare, reading.day_first) or _year_first(bare) or _named(bare, reading)
    wrong = isinstance(found, datetime) and weekday not in {None, found.weekday()}
    return None if wrong else found


def _named(text: str, reading: Reading) -> datetime | None:
    parts = spoken(text, short_years=reading.spec.type == "time")
    return _assemble(parts["y"], parts["m"], parts["d"], parts["time"], parts["half"], parts["zone"]) if parts else None


def _year_first(text: str) -> datetime | None:
    found = _YEAR_FIRST.fullmatch(text)
    return _assemble(found["y"], found["m"], found["d"], found["time"], found["half"], found["zone"]) if found else None


def _numeric(text: str, day_first: bool | None) -> datetime | Trouble | None:
    found = _NUMERIC.fullmatch(text)
    if found is None:
        return None
    clock = (found["time"], found["half"], found["zone"])
    by_day = _assemble(found["y"], found["b"], found["a"], *clock)
    by_month = _assemble(found["y"], found["a"], found["b"], *clock)
    if by_day is None or by_month is None or by_day == by_month:
        return by_day or by_month
    if day_first is None:
        return _ambiguous(by_month, by_day)
    return by_day if day_first else by_month


def _order(found: re.Match[str]) -> str | None:
    first, second = int(found["a"]), int(found["b"])
    if 12 < first <= 31 and 1 <= second <= 12:
        return "day"
    return "month" if 12 < second <= 31 and 1 <= first <= 12 else None


def _ambiguous(one: datetime, other: datetime) -> Trouble:
    return Trouble("ambiguous_date", {"one": f"{one:%Y-%m-%d}", "other": f"{other:%Y-%m-%d}"})


def _assemble(
    year: str,
    month: str,
    day: str,
    clock: str | None = None,
    half: str | None = None,
    zone: str | None = None,
) -> datetime | None:
    """The parts as a time; ``None`` when there is no such day or hour."""
    try:
        bare = datetime.combine(date(int(year), int(month), int(day)), datetime.min.time())
        offset = offset_of((zone or "").casefold())
        timed = datetime.fromisoformat(f"2000-01-01T{_full_clock(clock or '0:00')}{offset or ''}")
    except ValueError:
        return None
    if offset is None:
        return None
    hour = _hour(timed.hour, half)
    return None if hour is None else datetime.combine(bare, timed.timetz().replace(hour=hour))


def _full_clock(clock: str) -> str:
    hour, _, rest = clock.replace(",", ".").partition(":")
    return f"{hour.zfill(2)}:{rest or '00'}"


def _hour(hour: int, half: str | None) -> int | None:
    """The hour of a day of 24, ``None`` where AM or PM stands with an hour that has none."""
    if not half:
        return hour
    if not 1 <= hour <= 12:
        return None
    return hour % 12 + (12 if half.casefold().startswith("p") else 0)


@lru_cache(maxsize=64)
def zone_named(name: str) -> ZoneInfo:
    """The zone of that name; ``ValueError`` when there is none."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise ValueError(f"'{name}' is not a time zone; write one such as America/New_York") from None
