"""Excel: errors workbooks against a bare XlsxWriter script, and reading .xlsx against openpyxl's read-only mode.

    python bench/workbooks.py [--quick] [--rounds 5] [--json FILE]

Every figure is a whole process. Written are 10,000 rows of 25 cells with a red cell and a note each; read are 100,000
rows of 25 cells, and the displayed text of the first is proved.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measure import arguments, environment, keep, print_table, ratio, spread


def main(asked: argparse.Namespace) -> int:
    """Measure both and print the table."""
    written, read = (2_000, 10_000) if asked.quick else (10_000, 100_000)
    rounds = 2 if asked.quick else asked.rounds
    with tempfile.TemporaryDirectory(prefix="orderdrop-bench-") as folder:
        large, draft = Path(folder) / "large.xlsx", Path(folder) / "draft.xlsx"
        _seconds("make-large", large, read)
        writing = _rounds(("write-ours", "write-bare", "write-openpyxl"), draft, written, rounds)
        reading = _rounds(("read-ours", "read-openpyxl"), large, read, rounds)
    ours, bare, slow = writing.values()
    mine, theirs = reading.values()
    rows: list[dict[str, Any]] = [
        _row(f"errors workbook, {written:,} rows / bare script", ours, bare, "≤ 1.2", good=ratio(ours, bare) <= 1.2),
        _row("the same / openpyxl, write-only", ours, slow, "–", good=True),
        _row(f"reading .xlsx, openpyxl / ours, {read:,} × 25", theirs, mine, "≥ 8", good=ratio(theirs, mine) >= 8),
    ]  # fmt: skip
    print_table(rows)
    keep(asked, "Excel", rows)
    return 0


def _row(what: str, one: list[float], other: list[float], goal: str, *, good: bool) -> dict[str, Any]:
    return {
        "what": what,
        "seconds": f"{statistics.median(one):.2f} / {statistics.median(other):.2f}",
        "ratio": f"{ratio(one, other):.2f}",
        "of the rounds": spread(one, other),
        "goal": goal,
        "": "met" if good else "missed",
    }


def _rounds(programs: tuple[str, ...], path: Path, rows: int, rounds: int) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, seconds in taken.items():
            seconds.append(_seconds(name, path, rows))
    return taken


def _seconds(name: str, path: Path, rows: int) -> float:
    program = Path(__file__).parent / "workbook_once.py"
    begun = time.perf_counter()
    subprocess.run([sys.executable, str(program), name, str(path), str(rows)], env=environment(), check=True)
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main(arguments(__doc__).parse_args()))
