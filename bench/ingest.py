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
from typing import Any, NamedTuple

import order_lines
from measure import ROOT, arguments, environment, keep, print_table, ratio, spread

from pipeline.ledger.engine import open_engine

BENCH = ROOT / "bench"
SIZES = (100_000, 1_000_000)
BAD = (1, 50)
ALIKE = ("read", "accepted", "rejected")


class _Round(NamedTuple):
    """Seconds of each program over one file, one after another; bytes of the ledger."""

    ours: float
    by_hand: float
    ledger: int
    judging: float = 0.0
    by_pydantic: float = 0.0


def main(asked: argparse.Namespace) -> int:
    """Measure every size with few and with many bad rows."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="orderdrop-bench-") as folder:
        for size in [asked.rows] if asked.rows else SIZES[: 1 if asked.quick else len(SIZES)]:
            seen = _measured(Path(folder), size, 2 if asked.quick else asked.rounds)
            for percent, rounds in seen.items():
                rows.append(_told(size, percent, rounds, seen[BAD[0]]))
                print(rows[-1], flush=True)
    print_table(rows)
    keep(asked, "Ingest: read, map, check, write to the ledger", rows)
    return 0


def _measured(folder: Path, size: int, rounds: int) -> dict[int, list[_Round]]:
    """Rounds by share of bad rows: in each of them files with few and with many take turns."""
    files = {percent: folder / str(percent) / "bench_lines.csv" for percent in BAD}
    seen: dict[int, list[_Round]] = {percent: [] for percent in BAD}
    for percent, file in files.items():
        file.parent.mkdir(exist_ok=True)
        order_lines.write(file, size, percent)
    for number in range(rounds + 1):
        for percent, file in files.items():
            found = _round(folder / "p", file, row_by_row=number > 0 and percent == BAD[0])
            if number:  # the first round warms the caches
                seen[percent].append(found)
    return seen


def _round(place: Path, file: Path, *, row_by_row: bool) -> _Round:
    project_for(place, file)
    ours, taken = _timed("take_in_once.py", str(place), str(place / file.name))
    ledger = (place / "var" / "ledger.db").stat().st_size
    found = _Round(ours, _timed_as(taken, "by_hand.py", str(file)), ledger)
    if not row_by_row:
        return found
    judging = _timed_as(taken, "judge_once.py", str(place), str(file))
    return found._replace(judging=judging, by_pydantic=_timed_as(taken, "by_pydantic.py", str(file)))


def _told(size: int, percent: int, rounds: list[_Round], with_few: list[_Round]) -> dict[str, Any]:
    ours, by_hand, validated = [r.ours for r in rounds], [r.by_hand for r in rounds], [r.by_pydantic for r in rounds]
    beside = all(validated)
    return {
        "rows": f"{size:,}", "bad": f"{percent} %", "to pandas by hand": f"{ratio(ours, by_hand):.2f}",
        "from–to": spread(ours, by_hand),
        "pydantic to ours, no ledger": f"{ratio(validated, [r.judging for r in rounds]):.2f}" if beside else "",
        "ledger included": f"{ratio(validated, ours):.2f}" if beside else "",
        "µs a row": f"{statistics.median(ours) / size * 1e6:.1f}",
        "ledger bytes a row": f"{rounds[-1].ledger / size:.0f}",
        "to 1 % bad": f"{ratio(ours, [r.ours for r in with_few]):.2f}",
    }  # fmt: skip


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
