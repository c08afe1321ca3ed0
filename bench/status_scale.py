"""``orderdrop status`` on ledgers of 10,000 to 10,000,000 deliveries, and what a delivery costs there.

    python bench/status_scale.py [--quick] [--sizes 10000,1000000] [--json FILE]

For each size: the whole command ``orderdrop status`` against ``import pandas`` (paired), 2,000 further orders delivered
to a loopback vendor with eight calls at a time against the same on an empty ledger (paired), and the bytes of the
ledger per delivery. A recount of every delivery proves the tallies first.
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

from measure import ROOT, arguments, environment, keep, print_table, ratio
from vendor import Vendor, vendor

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
NEW = 2_000
CONCURRENCY = 8
PANDAS = (sys.executable, "-c", "import pandas")
SETTINGS = """
[accounts.orderdesk]
target = "orderdesk"
store_id = "90001"
api_key = { env = "ORDERDESK_API_KEY" }
base_url = "http://127.0.0.1:9"
"""


def main(asked: argparse.Namespace) -> int:
    """Measure every size and print the curve."""
    rows = []
    with vendor() as shop:
        for size in SIZES[:2] if asked.quick else map(int, asked.sizes.split(",")):
            rows.append(_at(shop, size, 2 if asked.quick else asked.rounds))
            print(rows[-1], flush=True)
    print_table(rows)
    keep(asked, "Growth: status and delivery on a big ledger", rows)
    return 0


def _at(shop: Vendor, size: int, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="orderdrop-bench-") as folder:
        big, empty = Path(folder) / "big", Path(folder) / "empty"
        for place in (big, empty):
            _project(place)
        _fill(big, size)
        bytes_each = (big / "var" / "ledger.db").stat().st_size / size
        _run(big, "status", "--recount")
        status, pandas = [], []
        for _ in range(rounds):
            status.append(_seconds([*_command(big, "status"), "--json"]))
            pandas.append(_seconds(PANDAS))
        there, fresh = [], []
        for number in range(rounds):
            there.append(_delivered(shop, big, number))
            fresh.append(_delivered(shop, empty, number))
        _run(big, "status", "--recount")
    return {
        "deliveries in the ledger": f"{size:,}",
        "bytes per delivery": f"{bytes_each:.0f}",
        "status (s)": f"{statistics.median(status):.3f}",
        "status / import pandas": f"{ratio(status, pandas):.2f}",
        "a delivery (ms)": f"{statistics.median(there) / NEW * 1000:.2f}",
        "of one into an empty ledger": f"{ratio(there, fresh):.2f}",
    }


def _project(folder: Path) -> None:
    from pipeline.ledger.engine import open_engine

    (folder / "mappings").mkdir(parents=True)
    (folder / "pipeline.toml").write_text(SETTINGS)
    open_engine(f"sqlite:///{folder / 'var' / 'ledger.db'}").dispose()


def _fill(folder: Path, size: int) -> None:
    from big_ledger import fill

    fill(folder / "var" / "ledger.db", size)


def _command(folder: Path, *what: str) -> list[str]:
    return [sys.executable, "-c", "from pipeline.cli import main; main()", *what, "--project", str(folder)]


def _run(folder: Path, *what: str) -> None:
    done = subprocess.run(_command(folder, *what), env=environment(), capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1, 3}:
        raise SystemExit(done.stderr)


def _seconds(command: Any) -> float:  # noqa: ANN401 - a list or a tuple
    begun = time.perf_counter()
    subprocess.run(command, env=environment(), capture_output=True, check=True)
    return time.perf_counter() - begun


def _delivered(shop: Vendor, folder: Path, number: int) -> float:
    """Seconds from the first call to the last answer, as the vendor sees it."""
    shop.reset()
    program = ROOT / "bench" / "deliver_once.py"
    asked = ["orderdrop", shop.url, str(folder / "var"), str(NEW), str(CONCURRENCY), f"n{number}-"]
    subprocess.run([sys.executable, str(program), *asked], check=True, env=environment())
    seen = shop.report()
    assert (seen["orders"], seen["twice"]) == (NEW, 0), seen
    return float(seen["seconds"])


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    options = arguments(__doc__)
    options.add_argument("--sizes", default=",".join(map(str, SIZES)), help="deliveries in the ledger, one run each")
    sys.exit(main(options.parse_args()))
