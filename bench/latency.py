"""One dropped file of ten orders: from the moment it is settled to the last order delivered, against the bare calls.

    python bench/latency.py [--quick] [--rounds 5] [--json FILE]

A watch is running and has taken in one file before, as it has after a minute of any day. A file is moved into its inbox
(settle time 0, so it is settled there and then); the clock runs until the vendor has answered the tenth order. The bare
calls are the same ten, one after another, by one httpx client that is connected already.
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

sys.path.insert(0, str(Path(__file__).resolve().parent / "proof"))

import httpx
from desk import order
from ground import HEADER, SECRETS, Ground, row
from measure import arguments, environment, keep, print_table, ratio, spread
from vendor import Vendor, vendor

from pipeline.targets.orderdesk.payload import order_payload
from pipeline.targets.orderdesk.settings import OrderOptions

ORDERS = 10
GOAL = 1.5
LONGEST = 120.0


def main(asked: argparse.Namespace) -> int:
    """Measure at three answer times and print the table."""
    with vendor() as shop:
        rows = [_at(shop, answer_ms, 3 if asked.quick else asked.rounds) for answer_ms in (20, 100, 500)]
    print_table(rows)
    keep(asked, "Latency of a dropped file of ten orders", rows)
    return 0


def _at(shop: Vendor, answer_ms: int, rounds: int) -> dict[str, Any]:
    ours, bare = [], []
    with tempfile.TemporaryDirectory(prefix="orderdrop-bench-") as folder:
        ground = Ground.make(Path(folder) / "p", {"orderdesk": shop.url}, ["orderdesk"], settle=1)
        settings = ground.path / "pipeline.toml"
        settings.write_text(settings.read_text() + "look_first = false\n")
        command = [
            sys.executable,
            "-c",
            "from pipeline.cli import main; main()",
            "watch",
            "--project",
            str(ground.path),
        ]
        log = (Path(folder) / "log").open("wb")
        process = subprocess.Popen(command, env={**environment(), **SECRETS}, stdout=log, stderr=log)
        try:
            for number in range(-1, rounds):
                seconds = _dropped(shop, ground, answer_ms, number)
                if number >= 0:
                    ours.append(seconds)
                    bare.append(_bare(shop, answer_ms))
        finally:
            process.terminate()
            process.wait()
            log.close()
    share = ratio(ours, bare)
    return {
        "answer time (ms)": answer_ms,
        "bare calls (s)": f"{statistics.median(bare):.3f}",
        "orderdrop watch (s)": f"{statistics.median(ours):.3f}",
        "ratio": f"{share:.2f}",
        "of the rounds": spread(ours, bare),
        f"goal {GOAL}": "met" if share <= GOAL else "missed",
    }


def _dropped(shop: Vendor, ground: Ground, answer_ms: int, number: int) -> float:
    shop.reset(answer_ms)
    draft = ground.path / "draft.csv"
    draft.write_text("\n".join((HEADER, *(row(f"r{number}-{n}") for n in range(ORDERS)))) + "\n")
    begun = time.monotonic()
    os.rename(draft, ground.path / "inbox" / f"orders_{number}.csv")  # noqa: PTH104 - as a person's program does
    while (seen := shop.report())["orders"] < ORDERS or time.monotonic() < seen["last_at"]:
        time.sleep(0.02)
        assert time.monotonic() - begun < LONGEST, "nothing came"
    time.sleep(1.0)  # the pass that handed back is over
    return float(shop.report()["last_at"] - begun)


def _bare(shop: Vendor, answer_ms: int) -> float:
    shop.reset(answer_ms)
    with httpx.Client(trust_env=False, timeout=60) as client:
        client.get(f"{shop.url}/report")
        for n in range(ORDERS):
            client.post(f"{shop.url}/orders", json=order_payload(order(f"b{n}"), OrderOptions())).raise_for_status()
    return float(shop.report()["seconds"])


if __name__ == "__main__":
    sys.exit(main(arguments(__doc__).parse_args()))
