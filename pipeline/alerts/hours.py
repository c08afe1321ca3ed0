"""Times of day, stretches of quiet and days of the week, in the project's time zone. Pure: no clock of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from pipeline.errors import SetupError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
EVERY_DAY = frozenset(range(7))


class Quiet(Struct, frozen=True):
    """When a channel is left alone: stretches of the day (over midnight too), and whole days."""

    stretches: tuple[tuple[time, time], ...] = ()
    days: frozenset[int] = frozenset()

    def at(self, moment: float, zone: ZoneInfo) -> bool:
        """Whether ``moment`` (seconds since 1970) lies in the quiet."""
        local = datetime.fromtimestamp(moment, zone)
        now = local.time()
        inside = (a <= now < b if a < b else now >= a or now < b for a, b in self.stretches)
        return local.weekday() in self.days or any(inside)


def read_time(text: str, where: str) -> time:
    """``HH:MM``; ``SetupError`` beginning with ``where``."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise SetupError(f"{where}: '{text}' is not a time of day; write it as 08:00.")
    return time(int(match[1]), int(match[2]))


def read_days(text: str, where: str) -> frozenset[int]:
    """``mon-fri``, ``sat,sun`` as numbers, Monday 0; an empty text is no day."""
    found: set[int] = set()
    for part in filter(None, (piece.strip().casefold() for piece in text.split(","))):
        first, dash, last = part.partition("-")
        last = last if dash else first
        if first not in _DAYS or last not in _DAYS:
            raise SetupError(f"{where}: '{part}' is not a day of the week; write days as in mon-fri or sat,sun.")
        begin, end = _DAYS.index(first), _DAYS.index(last)
        found |= set(range(begin, end + 1)) if begin <= end else {*range(begin, 7), *range(end + 1)}
    return frozenset(found)


def read_quiet(stretches: Sequence[str], days: str, where: str) -> Quiet:
    """``["20:00-07:00"]`` and ``"sat,sun"``; ``SetupError`` names what is wrong."""
    read = []
    for text in stretches:
        begin, dash, end = text.partition("-")
        pair = read_time(begin, f"{where} quiet"), read_time(end if dash else "", f"{where} quiet")
        if pair[0] == pair[1]:
            raise SetupError(f"{where} quiet: '{text}' begins and ends at the same time.")
        read.append(pair)
    quiet = Quiet(tuple(read), read_days(days, f"{where} quiet_days"))
    if quiet.days == EVERY_DAY:
        raise SetupError(f"{where} quiet_days: these are all days; nobody would ever be told.")
    return quiet


def moment_of(day: date, at: time, zone: ZoneInfo) -> float:
    """A local time of day as seconds since 1970; one that the clocks skip is that much later."""
    return datetime.combine(day, at, zone).timestamp()


def last_of(times: Sequence[time], quiet: Quiet, now: float, zone: ZoneInfo) -> float:
    """The last time of day of ``times`` at or before ``now`` that was not in the quiet, as seconds since 1970."""
    today = datetime.fromtimestamp(now, zone).date()
    found = (moment_of(today - timedelta(days=back), at, zone) for back in range(9) for at in times)
    return max((moment for moment in found if moment <= now and not quiet.at(moment, zone)), default=float("-inf"))


def hours_within(begin: float, end: float, days: frozenset[int], zone: ZoneInfo) -> float:
    """Hours between two moments that fall on ``days``."""
    return sum(max(0.0, b - a) for a, b in _stretches(begin, end, days, zone)) / 3600


def _stretches(begin: float, end: float, days: frozenset[int], zone: ZoneInfo) -> Iterator[tuple[float, float]]:
    if days == EVERY_DAY:
        yield begin, end
        return
    day = datetime.fromtimestamp(begin, zone).date()
    last = datetime.fromtimestamp(end, zone).date()
    while day <= last:
        if day.weekday() in days:
            yield max(begin, moment_of(day, time(), zone)), min(end, moment_of(day + timedelta(days=1), time(), zone))
        day += timedelta(days=1)
