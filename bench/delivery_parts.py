"""Where the time of one order goes when one call is under way at a time and the vendor answers at once.

    python bench/delivery_parts.py [--quick] [--rounds 5] [--json FILE]

The drain of ``delivery.py`` in this very process, its parts timed from within (which costs a little by itself). Below
them stands what cannot be spared: writing and syncing as many bytes as a commit puts into SQLite's log, over a file
that is as long already. What a part takes is the median of its times, and of the rounds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import struct
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent / "proof"))

from deliver_once import orderdrop
from desk import Desk
from measure import arguments, keep, print_table
from vendor import Vendor, vendor

from pipeline.delivery.crew import Crew
from pipeline.ledger.writer import GroupWriter, _Begun
from pipeline.targets.wire import Wire

FRAME, HEAD = 24 + 4096, 32
PARTS = {
    "commit": "the commit: pages into the log, and its sync",
    "statements": "the statements before it: outcome of the last order, intent of this one",
    "ready": "the next order made ready, while the answer is awaited",
    "call": "the call besides that: out, the rest of the wait, in",
    "rest": "all else: signing, reading the answer, verdict, workers",
}
Times = dict[str, list[int]]


def main(asked: argparse.Namespace) -> int:
    """Measure and print the table."""
    number, rounds = (1000, 2) if asked.quick else (3000, asked.rounds)
    times: Times = defaultdict(list)
    _time(_Begun, "commit", times["commit"])
    _time(GroupWriter, "_commit", times["group"])
    _time(Crew, "make_ready", times["ready"])
    _time(Wire, "_exchange", times["exchange"])
    _time(Crew, "_attend_to", times["order"])
    pages = _count_pages()
    with vendor() as shop:
        told = [_round(shop, number, times, pages) for _ in range(rounds)]
    middle = {name: statistics.median(one[name] for one in told) for name in told[0]}
    rows = [
        {"part": said, "µs": f"{middle[name]:.0f}", "share": f"{middle[name] / middle['order']:.2f}"}
        for name, said in PARTS.items()
    ]
    rows.append({"part": "one order", "µs": f"{middle['order']:.0f}", "share": "1.00"})
    floor, share = middle["floor"], middle["floor"] / middle["order"]
    said = f"{middle['pages']:.0f} pages written and synced by themselves"
    rows.append({"part": said, "µs": f"{floor:.0f}", "share": f"{share:.2f}"})
    print_table(rows)
    keep(asked, "Where the time of an order goes, one call at a time, answered at once", rows)
    return 0


def _time(owner: Any, name: str, times: list[int]) -> None:  # noqa: ANN401 - a class of the product
    inner: Callable[..., Any] = getattr(owner, name)

    def timed(*values: Any) -> Any:  # noqa: ANN401 - as the inner one
        begun = time.perf_counter_ns()
        try:
            return inner(*values)
        finally:
            times.append(time.perf_counter_ns() - begun)

    setattr(owner, name, timed)


def _count_pages() -> list[float]:
    """Pages of a commit, from the log as each drain leaves it."""
    counted: list[float] = []
    inner = Desk.drain

    def drain(self: Desk) -> Any:  # noqa: ANN401 - as the inner one
        ended = inner(self)
        log = (self.folder / "ledger.db-wal").read_bytes()
        ends = [struct.unpack_from(">I", log, at + 4)[0] != 0 for at in range(HEAD, len(log) - FRAME + 1, FRAME)]
        commits = [at for at, is_last in enumerate(ends) if is_last]
        counted.append(statistics.median(later - one for one, later in pairwise(commits)))
        return ended

    Desk.drain = drain  # type: ignore[method-assign]
    return counted


def _round(shop: Vendor, number: int, times: Times, pages: list[float]) -> dict[str, float]:
    for measured in times.values():
        measured.clear()
    shop.reset()
    with tempfile.TemporaryDirectory(prefix="orderdrop-bench-") as folder:
        orderdrop(shop.url, Path(folder), number, 1, "o")
        floor = _written_and_synced(Path(folder), pages[-1])
    took = {name: statistics.median(measured) / 1000 for name, measured in times.items()}
    told = {
        "commit": took["commit"], "statements": took["group"] - took["commit"], "ready": took["ready"],
        "call": took["exchange"] - took["ready"], "rest": took["order"] - took["group"] - took["exchange"],
    }  # fmt: skip
    return told | {"order": took["order"], "floor": floor, "pages": pages[-1]}


def _written_and_synced(folder: Path, pages: float) -> float:
    """Microseconds for as many pages as a commit has, in one piece, over a file that is as long already."""
    size, taken = int(pages * FRAME), []
    with (folder / "bare").open("w+b") as file:
        os.pwrite(file.fileno(), b"x" * size * 50, 0)
        os.fsync(file.fileno())
        for at in range(200):
            begun = time.perf_counter_ns()
            os.pwrite(file.fileno(), b"y" * size, at % 50 * size)
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter_ns() - begun)
    return statistics.median(taken) / 1000


if __name__ == "__main__":
    sys.exit(main(arguments(__doc__).parse_args()))
