"""How much of a vendor's allowance is used, and whether it is ever overdrawn, measured at the vendor.

    python bench/rate_limit.py [--quick] [--seconds 60] [--json FILE]

Two simulated vendors enforce their documented limits: Order Desk's bucket (20 calls, 3 more each second) and Keap's 10
calls a second and 240 a minute. Orders are delivered with the accounts' default settings: once by one process, and once
by two, the first killed halfway, as a crash would have it (what its successor needs to start is allowance unused). What
is allowed is counted from the first call to the end: 20 + 3 per second, and 240 per minute.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measure import arguments, environment, keep, print_table

sys.path.insert(0, str(Path(__file__).resolve().parent / "proof"))

from ground import SECRETS, Ground, row

from pipeline.sandbox.contract import Call, Reply
from pipeline.sandbox.keap import SimulatedKeap
from pipeline.sandbox.orderdesk import SimulatedOrderDesk
from pipeline.sandbox.server import SandboxServer


class _WatchedOrderDesk(SimulatedOrderDesk):
    """Remembers when each call came and how it was answered."""

    def handle(self, call: Call) -> Reply:
        """As Order Desk does."""
        return _noted(self, super().handle(call))


class _WatchedKeap(SimulatedKeap):
    """Remembers when each call came and how it was answered."""

    def handle(self, call: Call) -> Reply:
        """As Keap does."""
        return _noted(self, super().handle(call))


def _noted(target: Any, reply: Reply) -> Reply:  # noqa: ANN401 - either of the two
    target.__dict__.setdefault("seen", []).append((time.monotonic(), reply.status))
    return reply


VENDORS: dict[str, tuple[str, Callable[[], Any], Callable[[float], float]]] = {
    "Order Desk: 20 + 3 a second": (
        "orderdesk",
        lambda: _WatchedOrderDesk(throttled=True),
        lambda seconds: 20 + 3 * seconds,
    ),
    "Keap: 240 a minute, 10 a second": ("keap", lambda: _WatchedKeap(throttled=True), lambda seconds: 4 * seconds),
}


def main(asked: argparse.Namespace) -> int:
    """Measure both, side by side in time."""
    seconds = 20.0 if asked.quick else asked.seconds
    rows: list[dict[str, Any]] = []
    plays = [(name, killed) for name in VENDORS for killed in (False, True)]
    threads = [threading.Thread(target=lambda play=play: rows.append(_at(*play, seconds))) for play in plays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows.sort(key=lambda row: (row["allowance"], row["process"]), reverse=True)
    print_table(rows)
    keep(asked, "Under a rate limit", rows)
    return 0 if all(row["429 answers"] == 0 for row in rows) else 1


def _at(name: str, killed: bool, seconds: float) -> dict[str, Any]:
    target, make, allowed = VENDORS[name]
    vendor = make()
    with tempfile.TemporaryDirectory(prefix="orderdrop-bench-") as folder, SandboxServer([vendor]) as sandbox:
        ground = Ground.make(Path(folder) / "p", sandbox.base_urls(), [target], settle=0)
        path = ground.path / "pipeline.toml"
        path.write_text("\n".join(line for line in path.read_text().splitlines() if not line.startswith("rate")))
        ground.drop("orders.csv", [row(f"o{n}") for n in range(int(allowed(seconds)) + 50)])
        if killed:
            _run_for(ground.path, vendor, seconds / 2)
        _run_for(ground.path, vendor, seconds)
    seen = vendor.seen
    begun = seen[0][0]
    counted = [status for at, status in seen if at - begun <= seconds]
    used, refused = len(counted), sum(status == 429 for status in counted)
    return {
        "allowance": name,
        "process": "killed halfway, started anew" if killed else "one",
        "seconds": f"{seconds:.0f}",
        "allowed calls": f"{allowed(seconds):.0f}",
        "used": used - refused,
        "share": f"{(used - refused) / allowed(seconds):.3f}",
        "429 answers": refused,
        "goal": "none" * killed or "0.98 and none",
        "": "met" if not refused and (killed or used >= 0.98 * allowed(seconds)) else "missed",
    }


def _run_for(folder: Path, vendor: Any, until: float) -> None:  # noqa: ANN401 - either of the two
    """Run until ``until`` seconds after the vendor's first call, then kill."""
    command = [sys.executable, "-m", "pipeline", "run", "--project", str(folder)]
    process = subprocess.Popen(
        command, env={**environment(), **SECRETS}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while process.poll() is None:
            seen = vendor.__dict__.get("seen")
            if seen and time.monotonic() - seen[0][0] > until:
                break
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    options = arguments(__doc__)
    options.add_argument("--seconds", type=float, default=60.0)
    sys.exit(main(options.parse_args()))
