"""Taking in a file, ledger writes included, against pandas written by hand without a ledger: paired whole processes.

    python bench/ingest.py [--quick] [--rows 100000] [--json FILE]

Beside them the rows are validated one by one with pydantic, which writes nothing either; so its time is told as that
of our own reading, mapping and checking alone, and as that of all we do. All have to agree on the rows read, accepted
and rejected before anything is timed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import order_lines
from measure import ROOT, arguments, environment, keep, print_table, ratio, spread

from pipeline.ledger.engine import open_engine

BENCH = ROOT / "bench"
SIZES = (100_000, 1_000_000)
BAD = (1, 50)
ALIKE = ("read", "accepted", "rejected")


def main(asked: argparse.Namespace) -> int:
    """Measure every size with few and with many bad rows."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="orderdrop-bench-") as folder:
        for size in [asked.rows] if asked.rows else SIZES[: 1 if asked.quick else len(SIZES)]:
            few: float | None = None
            for percent in BAD:
                row, seconds = _measured(Path(folder), size, percent, 2 if asked.quick else asked.rounds)
                few = few or seconds
                rows.append({**row, "to 1 % bad": f"{seconds / few:.2f}"})
                print(rows[-1], flush=True)
    print_table(rows)
    keep(asked, "Ingest: read, map, check, write to the ledger", rows)
    return 0


def _measured(folder: Path, size: int, percent: float, rounds: int) -> tuple[dict[str, Any], float]:
    file = folder / "bench_lines.csv"
    order_lines.write(file, size, percent)
    ours, theirs, row_by_row, beside = [], [], [], []
    for number in range(rounds + 1):
        place = project_for(folder / "p", file)
        one, taken = _timed("take_in_once.py", str(place), str(place / file.name))
        ledger = (place / "var" / "ledger.db").stat().st_size
        other = _timed_as(taken, "by_hand.py", str(file))
        if number:  # the first round warms the caches
            ours.append(one)
            theirs.append(other)
        if number and percent == BAD[0]:
            validated = _timed_as(taken, "by_pydantic.py", str(file))
            beside.append(validated / _timed_as(taken, "judge_once.py", str(place), str(file)))
            row_by_row.append(validated / one)
    seconds = statistics.median(ours)
    row = {
        "rows": f"{size:,}", "bad": f"{percent} %", "to pandas by hand": f"{ratio(ours, theirs):.2f}",
        "from–to": spread(ours, theirs),
        "pydantic to ours, no ledger": f"{statistics.median(beside):.2f}" if beside else "",
        "ledger included": f"{statistics.median(row_by_row):.2f}" if row_by_row else "",
        "µs a row": f"{seconds / size * 1e6:.1f}",
        "ledger bytes a row": f"{ledger / size:.0f}",
    }  # fmt: skip
    return row, seconds


def project_for(place: Path, file: Path) -> Path:
    """A fresh project folder with the file in it, and the empty ledger that a command before it has left."""
    shutil.rmtree(place, ignore_errors=True)
    (place / "mappings").mkdir(parents=True)
    shutil.copy(BENCH / "feed.yaml", place / "mappings" / "bench_lines.yaml")
    shutil.copy(BENCH / "pipeline.toml", place)
    shutil.copy(file, place)
    open_engine(f"sqlite:///{place}/var/ledger.db").dispose()
    return place


def _timed_as(taken: dict[str, Any], program: str, *told: str) -> float:
    """Seconds of another program, which has to find the same."""
    seconds, found = _timed(program, *told)
    if any(taken[name] != found[name] for name in ALIKE):
        raise SystemExit(f"They do not agree: {taken} and {found}")
    return seconds


def _timed(program: str, *told: str) -> tuple[float, dict[str, Any]]:
    begun = time.perf_counter()
    command = [sys.executable, str(BENCH / program), *told]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - begun
    found: dict[str, Any] = json.loads(done.stdout)
    return seconds, found


if __name__ == "__main__":
    options = arguments(__doc__)
    options.add_argument("--rows", type=int, help="a file of this many rows only")
    sys.exit(main(options.parse_args()))
