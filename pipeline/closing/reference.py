"""How a corrected row finds its way back: our columns in a workbook, and the reference of each row."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from msgspec import Struct

PROBLEM = "Problem"
ADVICE = "What to do"
REFERENCE = "Row reference (leave as it is)"
EXTRA_CELL = "Extra cell"
REFUSAL_TITLE = "This file could not be read"

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no l, 1, i, o, 0: people retype these wrongly
DECISION = "Decision"
REMOTE_ID = "Id at the target (if you know it)"
DOUBT_REFERENCE = "Doubt reference (leave as it is)"

_DOUBT = re.compile(
    r"OD1D-(?P<link>[A-Za-z0-9_-]{1,64})-(?P<delivery>[0-9]{1,18})-(?P<step>[0-9]{1,18})-(?P<sends>[0-9]{1,9})"
    r"-(?P<check>[a-z0-9]{4})"
)
_REFERENCE = re.compile(r"OD1-(?P<link>[A-Za-z0-9_-]{1,64})-(?P<row>[0-9]{1,9})-(?P<check>[a-z0-9]{4})")
_OURS = re.compile(
    rf"(?P<name>{PROBLEM}|{ADVICE}|{re.escape(REFERENCE)}|{EXTRA_CELL} [0-9]+)"
    r"(?: \[(?P<level>[0-9]{1,9})\])?",
    re.IGNORECASE,
)


class Origin(Struct, frozen=True):
    """Where a corrected row came from: the batch's link id and the row number in the original file."""

    link: str
    row: int


class DoubtOrigin(Struct, frozen=True):
    """One unanswered send: the batch's link id, the delivery, its step, and how often that had been sent by then.

    The same step sent again and not answered again is another doubt: an old decision does not settle it.
    """

    link: str
    delivery: int
    step: int
    sends: int


class OurColumns(Struct, frozen=True):
    """Positions, from 0, of the columns that are ours in a returned header.

    ``reference`` carries the row references; ``extra`` the cells that stood beyond the file's own header.
    """

    reference: int
    extra: tuple[int, ...]
    words: tuple[int, ...]

    @property
    def all(self) -> frozenset[int]:
        """Every position that is not the file's own."""
        return frozenset((self.reference, *self.extra, *self.words))


def our_headers(header: Sequence[str], extra_cells: int = 0) -> tuple[str, ...]:
    """Header texts for our columns: the extra cells, then Problem, What to do and Row reference.

    A file whose own header has one of these names gets ours with a number behind, ``Problem [2]``. It is one
    number for all our columns and higher than any in the file, so the file's own are never mistaken for ours.
    """
    names = (*(f"{EXTRA_CELL} {n + 1}" for n in range(extra_cells)), PROBLEM, ADVICE, REFERENCE)
    level = 1 + max((level for _, level in map(_named, header)), default=0)
    return names if level == 1 else tuple(f"{name} [{level}]" for name in names)


def our_columns(header: Sequence[str]) -> OurColumns | None:
    """Which columns of a header are ours; ``None`` when no row reference is among them."""
    seen = [(position, *_named(text)) for position, text in enumerate(header)]
    levels = [level for _, name, level in seen if name == folded(REFERENCE)]
    if not levels:
        return None
    ours = [(position, name) for position, name, level in seen if name and level == max(levels)]
    references = [position for position, name in ours if name == folded(REFERENCE)]
    extra = tuple(position for position, name in ours if name.startswith(folded(EXTRA_CELL)))
    words = tuple(position for position, _ in ours if position != references[0] and position not in extra)
    return OurColumns(references[0], extra, words)


def write_reference(link: str, row: int) -> str:
    """The text that leads back to a row: ``OD1-k3x9q2ab-17-h7dm``; ``link``: 1 to 64 URL-safe characters."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", link):
        raise ValueError("a batch link is 1 to 64 letters, digits, - or _")
    return f"OD1-{link}-{row}-{_check(link, row)}"


def read_reference(text: str) -> Origin | None:
    """The origin a reference leads to; ``None`` when it is empty, mistyped or not ours."""
    found = _REFERENCE.fullmatch(text.strip())
    if found is None or _check(found["link"], int(found["row"])) != found["check"]:
        return None
    return Origin(found["link"], int(found["row"]))


def write_doubt_reference(origin: DoubtOrigin) -> str:
    """The text that leads back to an unanswered send: ``OD1D-k3x9q2ab-17-21-1-h7dm``."""
    where = f"{origin.link}-{origin.delivery}-{origin.step}-{origin.sends}"
    return f"OD1D-{where}-{_letters(where)}"


def read_doubt_reference(text: str) -> DoubtOrigin | None:
    """The unanswered send a reference leads to; ``None`` when it is empty, mistyped or not ours."""
    found = _DOUBT.fullmatch(text.strip())
    if found is None:
        return None
    origin = DoubtOrigin(found["link"], int(found["delivery"]), int(found["step"]), int(found["sends"]))
    return origin if write_doubt_reference(origin) == text.strip() else None


def folded(text: str) -> str:
    """A header text without regard to case and spacing."""
    return " ".join(text.split()).casefold()


def is_refusal(header: Sequence[str]) -> bool:
    """Whether a header is that of our own notice, dropped into the inbox instead of the repaired file."""
    return bool(header) and header[0].strip() == REFUSAL_TITLE


def _named(text: str) -> tuple[str, int]:
    """The folded name and its number where a header text is one of ours, else ``("", 0)``."""
    found = _OURS.fullmatch(" ".join(text.split()))
    return (folded(found["name"]), int(found["level"] or 1)) if found else ("", 0)


def _check(link: str, row: int) -> str:
    return _letters(f"{link}/{row}")


def _letters(text: str) -> str:
    """Four characters that change with any slip of the hand (one in 900,000 slips goes unseen)."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    letters = []
    for _ in range(4):
        number, index = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[index])
    return "".join(letters)
