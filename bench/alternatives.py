"""The same 1,000 orders and the same lost answers, on what people would use instead.

    python bench/alternatives.py [--orders 1000] [--lost 0.1] [--venv DIR]

dlt and drt-core are installed from PyPI into an environment of their own when this runs; they are no part of this
project. Each sends its orders to a fresh simulated Order Desk store in the way its own documentation shows, until it
says that it is done. About one answer in ten is lost after the work. Duplicates are counted by the store.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "proof"))

from ground import SECRETS, Ground, fast_folder, orders_at, row

from pipeline.sandbox.faults import Fault
from pipeline.sandbox.orderdesk import SimulatedOrderDesk
from pipeline.sandbox.server import SandboxServer

PACKAGES = ("dlt", "drt-core")
HEADERS = {"ORDERDESK-STORE-ID": "90001", "ORDERDESK-API-KEY": "sandbox-key", "Content-Type": "application/json"}
LONGEST = 1800
"""Seconds one tool may take."""

TRIES = 50
"""How often a tool is called again while it says that it is not done."""

DLT_SCRIPT = """
import json, os, sys
import dlt, requests
from dlt.pipeline.exceptions import PipelineStepFailed

url, headers, number, batch = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])

@dlt.destination(batch_size=batch, name="order_desk")
def order_desk(items, table):
    for item in items:
        body = {"source_id": item["source_id"], "source_name": "dlt",
            "shipping": {"first_name": "Anna", "last_name": "Berg"}, "order_items": [
            {"name": "Mug", "code": "WB-100", "quantity": 1, "price": 12.5}]}
        requests.post(url, json=body, headers=headers, timeout=10).raise_for_status()

pipeline = dlt.pipeline("orders", destination=order_desk, pipelines_dir=os.getcwd())
try:
    pipeline.run([{"source_id": f"o{n}"} for n in range(number)], table_name="orders")
except PipelineStepFailed:
    pass
for _ in range(1000):
    if not pipeline.has_pending_data:
        break
    try:
        pipeline.load()
    except PipelineStepFailed:
        continue
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What one tool left at the store."""

    name: str
    missing: int
    duplicates: int
    lost_answers: int


Send = Callable[[Path, SandboxServer, int], None]


def measure(name: str, send: Send, orders: int, lost: float) -> Result:
    """Let a tool send ``orders`` orders to a fresh store and count what is there."""
    with (
        tempfile.TemporaryDirectory(prefix="orderdrop-alternatives-", dir=fast_folder()) as folder,
        SandboxServer([SimulatedOrderDesk()]) as sandbox,
    ):
        sandbox.faults.add([Fault("drop_after", probability=lost, seed=11)])
        send(Path(folder), sandbox, orders)
        seen: Counter[str] = orders_at(sandbox.truth(), "orderdesk")
        struck = sum(report["struck"] for report in sandbox.faults.report())
    missing = sum(1 for n in range(orders) if not seen[f"o{n}"])
    return Result(name, missing, sum(seen.values()) - len(seen), struck)


# --- ours --------------------------------------------------------------------------------------------------------


def send_with_orderdrop(folder: Path, sandbox: SandboxServer, orders: int) -> None:
    """The command as people call it, until it says that nothing waits."""
    ground = Ground.make(folder / "p", sandbox.base_urls(), ["orderdesk"], settle=1)
    ground.drop("orders.csv", [row(f"o{n}") for n in range(orders)])
    command = [sys.executable, "-m", "pipeline", "run", "--project", str(ground.path)]
    for _ in range(TRIES):
        if subprocess.run(command, env={**os.environ, **SECRETS}, capture_output=True, check=False).returncode == 0:
            return


# --- dlt ---------------------------------------------------------------------------------------------------------


def send_with_dlt(python: Path, batch: int) -> Send:
    """A custom destination as dlt's documentation shows it, loaded again while packages are pending."""

    def send(folder: Path, sandbox: SandboxServer, orders: int) -> None:
        script = folder / "send.py"
        script.write_text(DLT_SCRIPT)
        url = f"{sandbox.base_urls()['orderdesk']}/orders"
        environment = {
            **os.environ, "HOME": str(folder), "RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL",
            "LOAD__WORKERS": "1",
        }  # fmt: skip
        _call([str(python), str(script), url, json.dumps(HEADERS), str(orders), str(batch)], folder, environment)

    return send


# --- drt ---------------------------------------------------------------------------------------------------------


def send_with_drt(python: Path) -> Send:
    """A table in SQLite, a sync to its REST destination with the documented defaults."""

    def send(folder: Path, sandbox: SandboxServer, orders: int) -> None:
        with sqlite3.connect(folder / "orders.sqlite") as database:
            database.execute("CREATE TABLE orders (source_id TEXT)")
            database.executemany("INSERT INTO orders VALUES (?)", [(f"o{n}",) for n in range(orders)])
        database.close()
        _drt_project(folder, f"{sandbox.base_urls()['orderdesk']}/orders")
        environment = {**os.environ, "HOME": str(folder), "DRT_TELEMETRY_DISABLED": "1", "DO_NOT_TRACK": "1"}
        _call([str(python.parent / "drt"), "run"], folder, environment)

    return send


def _drt_project(folder: Path, url: str) -> None:
    (folder / ".drt").mkdir()
    (folder / "syncs").mkdir()
    (folder / ".drt" / "profiles.yml").write_text(f"local:\n  type: sqlite\n  database: {folder / 'orders.sqlite'}\n")
    (folder / "drt_project.yml").write_text("name: orders\nversion: '0.1'\nprofile: local\n")
    headers = "".join(f'    {name}: "{value}"\n' for name, value in HEADERS.items())
    body = (
        '{ "source_id": "{{ row.source_id }}", "source_name": "drt", '
        '"shipping": {"first_name": "Anna", "last_name": "Berg"}, '
        '"order_items": [{"name": "Mug", "code": "WB-100", "quantity": 1, "price": 12.5}] }'
    )
    (folder / "syncs" / "orders.yml").write_text(
        "name: orders\nmodel: ref('orders')\ndestination:\n  type: rest_api\n"
        f"  url: {url}\n  method: POST\n  headers:\n{headers}  body_template: |\n    {body}\n"
        "sync:\n  mode: full\n  batch_size: 100\n  on_error: skip\n  rate_limit:\n    requests_per_second: 1000\n"
    )


def _call(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    try:
        ended = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        print(f"  {Path(command[0]).name} was not done after {LONGEST} s", file=sys.stderr)
        return
    if ended.returncode not in {0, 1} or "Traceback" in ended.stderr:
        print(f"  {command[0]} ended with {ended.returncode}: {ended.stderr[-800:]}", file=sys.stderr)


# --- the environment of the others -------------------------------------------------------------------------------


def environment_with_packages(folder: Path) -> tuple[Path, str] | None:
    """Python of an environment with the packages and what was installed; ``None`` where they cannot be had."""
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    got = subprocess.run([*pip, "install", *PACKAGES], capture_output=True, text=True, check=False)
    if got.returncode != 0:
        print(f"dlt and drt-core cannot be installed here: {got.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    asked = "from importlib.metadata import version as v; print('dlt', v('dlt') + ', drt-core', v('drt-core'))"
    return python, subprocess.run([str(python), "-c", asked], capture_output=True, text=True, check=True).stdout.strip()


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--lost", type=float, default=0.1, help="share of answers lost after the work")
    parser.add_argument("--venv", type=Path, help="where dlt and drt-core are, or shall be, installed")
    asked = parser.parse_args()
    runs: list[tuple[str, Send]] = [("orderdrop", send_with_orderdrop)]
    with tempfile.TemporaryDirectory(prefix="orderdrop-others-") as folder:
        others = environment_with_packages(asked.venv or Path(folder) / "venv")
        if others is not None:
            python, versions = others
            print(f"Compared with {versions}.\n")
            runs += [
                ("dlt, custom destination, batches of 1", send_with_dlt(python, 1)),
                ("dlt, custom destination, batches of 10", send_with_dlt(python, 10)),
                ("drt-core, REST destination", send_with_drt(python)),
            ]
        print("| sent with | orders | answers lost | missing | duplicates |\n|---|---|---|---|---|")
        for name, send in runs:
            found = measure(name, send, asked.orders, asked.lost)
            print(
                f"| {name} | {asked.orders} | {found.lost_answers} | {found.missing} | {found.duplicates} |", flush=True
            )
    return 0 if others is not None else 3


if __name__ == "__main__":
    sys.exit(_main())
