"""When a pickup is due: five cron fields in a time zone. Pure: no clock of its own.

Our own small parser: the libraries that were tried run a fixed time twice on the night the clocks go back, and take
more than the five fields (seconds, random and hashed times), which here would be misunderstandings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pipeline.errors import SetupError

_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
    "dec": 12,
}  # fmt: skip
_DAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_SHORT = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
_PART = re.compile(r"(?:(?P<all>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")
_SEARCH_DAYS = 366 * 9
"""A 29 February can be eight years away (1896 to 1904, 2096 to 2104)."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The minutes at which something is due, in ``zone``. ``every_hour``: the hour field is ``*`` or ``*/n``."""

    text: str
    zone: ZoneInfo
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    every_hour: bool

    def next_after(self, moment: float) -> float | None:
        """The first time due after ``moment`` (both in seconds since 1970); ``None`` when there is none in nine years.

        Where the clocks go forward, a time that is skipped is due at the moment of the change. Where they go back, a
        fixed hour is due once, the first time it comes; ``*`` hours are due each time.
        """
        # A day early: on days of a change, the wall clock and the order of moments disagree.
        day = datetime.fromtimestamp(moment, self.zone).date() - timedelta(days=1)
        for _ in range(_SEARCH_DAYS):
            if self._fits(day):
                later = [at for at in self._moments(day) if at > moment]
                if later:
                    return min(later)
            day += timedelta(days=1)
        return None

    def _fits(self, day: date) -> bool:
        """Cron's own rule: when both day fields are restricted, one of them is enough."""
        if day.month not in self.months:
            return False
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return in_month or in_week if self.either_day else in_month and in_week

    def _moments(self, day: date) -> set[float]:
        return {
            _moment(datetime.combine(day, time(hour, minute, fold=fold), self.zone))
            for hour in self.hours
            for minute in self.minutes
            for fold in ((0, 1) if self.every_hour else (0,))
        }


def _moment(local: datetime) -> float:
    """Seconds since 1970; a local time the clocks skip becomes the moment at which they do."""
    at = local.astimezone(UTC)
    if at.astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None, fold=0):
        return at.timestamp()
    gap = local.replace(fold=0).utcoffset(), local.replace(fold=1).utcoffset()
    before, after = min(gap, key=_seconds), max(gap, key=_seconds)
    assert before is not None  # noqa: S101 - a time zone always has an offset
    assert after is not None  # noqa: S101 - see above
    early, late = (local.replace(tzinfo=None) - offset for offset in (after, before))
    return _change_between(early.replace(tzinfo=UTC), late.replace(tzinfo=UTC), local)


def _seconds(offset: timedelta | None) -> float:
    return offset.total_seconds() if offset is not None else 0.0


def _change_between(early: datetime, late: datetime, local: datetime) -> float:
    """The minute at which the offset of the zone changes."""
    minutes = range(int((late - early).total_seconds() // 60) + 1)
    first = early.astimezone(local.tzinfo).utcoffset()
    changed = (early + timedelta(minutes=m) for m in minutes)
    return next((at for at in changed if at.astimezone(local.tzinfo).utcoffset() != first), late).timestamp()


def parse_schedule(text: str, zone: ZoneInfo, where: str) -> Schedule:
    """Read five cron fields; ``SetupError`` beginning with ``where`` says which field is wrong and how."""
    fields = _SHORT.get(text.strip().casefold(), text).split()
    if len(fields) != 5:
        raise SetupError(
            f"{where}: schedule '{text}' has {len(fields)} fields; write five, as in \"0 6 * * *\": minute, hour, day "
            "of the month, month, day of the week."
        )
    minutes, hours, days, months, weekdays = (
        _numbers(field, *known, f"{where}: schedule '{text}'") for field, known in zip(fields, _FIELDS, strict=True)
    )
    schedule = Schedule(
        text, zone, tuple(sorted(minutes)), tuple(sorted(hours)), days, months, frozenset(d % 7 for d in weekdays),
        either_day=not fields[2].startswith("*") and not fields[4].startswith("*"),
        every_hour=fields[1].startswith("*"),
    )  # fmt: skip
    if schedule.next_after(0) is None:
        raise SetupError(f"{where}: schedule '{text}' never comes: no such day is in those months.")
    return schedule


def _numbers(field: str, name: str, low: int, high: int, names: dict[str, int], where: str) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise SetupError(
                f"{where}: '{part}' is not a {name}; write a number, a range 1-5, a list 1,3 or steps */15."
            )
        found |= _range(match, part, f"{where}: {name}", low, high, names)
    return frozenset(found)


def _range(match: re.Match[str], part: str, where: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    step = int(match["step"] or 1)
    if step == 0:
        raise SetupError(f"{where}: '{part}' has steps of 0.")
    if match["all"]:
        return set(range(low, high + 1, step))
    first = _number(match["first"], where, low, high, names)
    end = match["last"] or (str(high) if match["step"] else match["first"])
    last = _number(end, where, low, high, names)
    if last < first:
        raise SetupError(f"{where}: '{part}' runs backwards; write two ranges with a comma between them.")
    return set(range(first, last + 1, step))


def _number(text: str, where: str, low: int, high: int, names: dict[str, int]) -> int:
    number = names.get(text.casefold(), int(text) if text.isascii() and text.isdigit() else -1)
    if not low <= number <= high:
        known = f" or a name such as {', '.join(list(names)[:3])}" if names else ""
        raise SetupError(f"{where}: '{text}' is not a number from {low} to {high}{known}.")
    return number
