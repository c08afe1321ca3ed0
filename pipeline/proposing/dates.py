"""The format of a column of dates, decided by the column as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y",
    "%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%m-%d-%y", "%d-%m-%y", "%d-%b-%Y", "%d %b %Y", "%d-%b-%y", "%b %d, %Y",
    "%b %d %Y", "%d %B %Y", "%B %d, %Y", "%b-%d-%y",
)  # fmt: skip
_TIMES = (
    "", " %H:%M", " %H:%M:%S", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S %z", "T%H:%M:%S%z", " %H:%M:%S.%f",
    "T%H:%M:%S.%f%z", "T%H:%M:%S.%f", ", %H:%M", ", %I:%M %p",
)  # fmt: skip
_LIKE_A_DATE = re.compile(r"\d.*[-/.,: ].*\d|(?:19|20)\d{6}")
_ISO = re.compile(r"%Y-%m-%d(?:[ T]%H:%M.*)?")


@dataclass(frozen=True, slots=True)
class Notation:
    """How a column writes its dates: every format that reads all of it, and whether a time of day stands there.

    Two formats left (day first and month first) mean that the column does not tell.
    """

    formats: tuple[str, ...]
    timed: bool

    @property
    def plain(self) -> bool:
        """Whether the reader understands it without a declared format (ISO 8601)."""
        return len(self.formats) == 1 and bool(_ISO.fullmatch(self.formats[0]))


def notation(texts: Sequence[str]) -> Notation | None:
    """The notation of distinct texts, ``None`` when they are no dates; for a few may be damaged, most must fit."""
    likely = [text for text in texts if len(text) <= 40 and _LIKE_A_DATE.search(text)]
    if not texts or not _enough(len(likely), len(texts)):
        return None
    formats = tuple(form for form in _forms(likely[0]) if _reads(form, likely))
    formats = formats or tuple(form for text in likely[1:3] for form in _forms(text) if _reads(form, likely))
    return Notation(_best(formats, likely), any("%H" in f or "%I" in f for f in formats)) if formats else None


def _forms(text: str) -> Iterator[str]:
    """Every combined format that reads one text."""
    for date in _DATES:
        for time in _TIMES:
            if _moment(text, date + time) is not None:
                yield date + time


def _reads(form: str, texts: Sequence[str]) -> bool:
    return _enough(sum(_moment(text, form) is not None for text in texts), len(texts))


def _enough(good: int, of: int) -> bool:
    """One in ten may be damaged, and one in three where there are few."""
    return of - good <= max(0.1 * of, 1 if of >= 3 else 0)


def _best(formats: Sequence[str], texts: Sequence[str]) -> tuple[str, ...]:
    """The formats that read the most texts, one for each meaning."""
    counted = {form: sum(_moment(text, form) is not None for text in texts) for form in formats}
    most = [form for form in counted if counted[form] == max(counted.values())]
    meanings = {tuple(_moment(text, form) for text in texts): form for form in reversed(most)}
    return tuple(form for form in most if form in meanings.values())


def _moment(text: str, form: str) -> datetime | None:
    try:
        found = datetime.strptime(text, form)  # noqa: DTZ007 - only whether it can be read is asked
    except ValueError:
        return None
    fixed = len(re.sub(r"\D", "", text)) == 8 if form == "%Y%m%d" else True
    return found if fixed and 1900 <= found.year <= 2100 else None
