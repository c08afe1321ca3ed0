"""Orders per second with the safe protocol, against a bare httpx client that keeps no book.

    python bench/delivery.py [--quick] [--rounds 5] [--json FILE]

Both send the same orders to the same loopback vendor with the same number of calls under way; each half of a round is a
process of its own, and the rate is what the vendor sees between the first call and the last answer. orderdrop commits
and syncs the intent of every call before its first byte, and the outcome after it. The ledger lies on the disk of the
temporary folder (``TMPDIR``); a file system in memory would make syncing free and prove nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measure import arguments, environment, keep, print_table, ratio, spread
from vendor import Vendor, vendor

GOAL = 0.80
ANSWERS = (0, 20, 100)
CONCURRENCIES = (1, 8, 32)


def main(asked: argparse.Namespace) -> int:
    """Measure every cell and print the table."""
    rows = []
    sync = _sync_milliseconds()
    with vendor() as shop:
        for answer_ms in ANSWERS:
            for concurrency in CONCURRENCIES:
                rows.append(_cell(shop, answer_ms, concurrency, asked))
                print_table(rows[-1:]) if len(rows) == 1 else print(
                    "| " + " | ".join(map(str, rows[-1].values())) + " |"
                )
                sys.stdout.flush()
    notes = [
        f"One sync of this disk took {sync:.1f} ms (median).",
    ]
    print(*notes, sep="\n")
    keep(asked, "Delivery with the safe protocol", rows, notes)
    return 0


def _cell(shop: Vendor, answer_ms: int, concurrency: int, asked: argparse.Namespace) -> dict[str, Any]:
    number = _orders(answer_ms, concurrency, quick=asked.quick)
    rates: dict[str, list[float]] = {"orderdrop": [], "bare": []}
    for _ in range(2 if asked.quick else asked.rounds):
        for who, measured in rates.items():
            measured.append(_rate(shop, who, number, answer_ms, concurrency))
    share = ratio(rates["orderdrop"], rates["bare"])
    return {
        "answer time (ms)": answer_ms,
        "calls at once": concurrency,
        "bare httpx, orders/s": f"{statistics.median(rates['bare']):.0f}",
        "orderdrop, orders/s": f"{statistics.median(rates['orderdrop']):.0f}",
        "share": f"{share:.2f}",
        "of the rounds": spread(rates["orderdrop"], rates["bare"]),
        f"goal {GOAL:.2f}": "met" if share >= GOAL else "missed",
    }


def _orders(answer_ms: int, concurrency: int, *, quick: bool) -> int:
    """Enough for some seconds."""
    most = 600 if quick else 3000
    if answer_ms == 0:
        return most // 2 if concurrency == 1 else most
    return max(30, min(most, int(concurrency * (1.5 if quick else 4) * 1000 / answer_ms)))


def _rate(shop: Vendor, who: str, number: int, answer_ms: int, concurrency: int) -> float:
    shop.reset(answer_ms)
    program = Path(__file__).parent / "deliver_once.py"
    with tempfile.TemporaryDirectory(prefix="orderdrop-bench-") as folder:
        command = [sys.executable, str(program), who, shop.url, folder, str(number), str(concurrency)]
        subprocess.run(command, check=True, env=environment())
    seen = shop.report()
    assert (seen["orders"], seen["twice"]) == (number, 0), seen
    return float(number / seen["seconds"])


def _sync_milliseconds() -> float:
    with tempfile.NamedTemporaryFile() as file:
        taken = []
        for _ in range(50):
            file.write(b"x" * 4096)
            file.flush()
            begun = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1000


if __name__ == "__main__":
    sys.exit(main(arguments(__doc__).parse_args()))
