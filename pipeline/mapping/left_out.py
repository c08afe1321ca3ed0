"""Which rows of a file are skipped and why, told in a sentence: what is left out is never left out in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

REPEATED, TOTAL, CLOSING = "repeats the header", "is a total", "closes the report"
_PLURAL = {REPEATED: "repeat the header", TOTAL: "are totals", CLOSING: "close the report"}
_NAMED = 5
"""Row numbers, at most, that the sentence gives for each reason."""


@dataclass(slots=True)
class LeftOut:
    """The skipped rows of each block by reason; a block that is read once more counts once."""

    _blocks: dict[int, Mapping[str, tuple[int, tuple[int, ...]]]] = field(default_factory=dict)

    def note(self, first: int, rows: Mapping[str, npt.NDArray[np.int64]]) -> None:
        """The numbers of the skipped rows, by reason, of the block that begins with row ``first``."""
        self._blocks[first] = {why: (len(them), tuple(them[:_NAMED].tolist())) for why, them in rows.items()}

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence about all skipped rows, none when there are none."""
        counts: Counter[str] = Counter()
        named: dict[str, list[int]] = {}
        for first in sorted(self._blocks):
            for why, (count, numbers) in self._blocks[first].items():
                counts[why] += count
                named.setdefault(why, []).extend(numbers)
        told = [_told(why, count, named[why][:_NAMED]) for why, count in counts.items()]
        total = sum(counts.values())
        return (f"{total:,} row{'s' if total > 1 else ''} skipped: {'; '.join(told)}.",) if told else ()


def _told(why: str, count: int, numbers: list[int]) -> str:
    rows = ", ".join(map(str, numbers)) + (", …" if count > len(numbers) else "")
    if count == 1:
        return f"row {rows} {why}"
    return f"{count:,} {_PLURAL.get(why, why)} (rows {rows})"
