"""What a reading of a polluted file is worth, as the Pollock benchmark defines it.

Ten figures between 0 and 1 are added: whether the file was read at all; precision, recall and their harmonic mean F1
for the cells of the header, for records (all cells of a row joined) and for cells. A bag of texts is compared with
another bag: order does not count. Precision and recall stand as the benchmark's program has them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

Rows = Sequence[Sequence[str]]


def points(clean: Rows, read: Rows | None) -> float:
    """0 to 10 for what was read of a file; ``None`` is a file that could not be read."""
    return sum(figures(clean, read))


def figures(clean: Rows, read: Rows | None) -> list[float]:
    """The ten figures in the order above."""
    if read is None:
        return [0.0] * 10
    if not clean:
        return [1.0] * 10
    header = _bags(map(_plain, clean[0]), map(_plain, read[0] if read else ()))
    records = _bags((_record(row) for row in clean[1:]), (_record(row) for row in read[1:]))
    cells = _bags((cell for row in clean for cell in row), (cell for row in read for cell in row))
    return [1.0, *header, *records, *cells]


def _bags(clean: Iterable[str], read: Iterable[str]) -> tuple[float, float, float]:
    wanted, got = Counter(clean), Counter(read)
    if not wanted:
        return 1.0, 1.0, 1.0
    common = (wanted & got).total()
    if not common:
        return 0.0, 0.0, 0.0
    one, other = common / wanted.total(), common / got.total()
    return one, other, 2 * one * other / (one + other)


def _record(row: Sequence[str]) -> str:
    return "".join(map(_plain, row))


def _plain(cell: str) -> str:
    """Header and record cells are compared without the case of letters, and numbers by their value."""
    text = cell.strip()
    if text[:1] not in "-+.0123456789":
        return cell.lower()
    try:
        return f"{float(text):g}"
    except ValueError:
        return cell.lower()
