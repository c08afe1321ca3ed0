"""10,000 orders from a CSV to a loopback API, with orderdrop and with what people would use instead.

    python bench/side_by_side.py [--quick] [--orders 10000] [--venv DIR] [--json FILE]

Each tool is a whole process: wall time, CPU seconds and peak memory of it and its children, the orders counted at the
vendor. Then once more with 10 % of the answers lost after the work: what is missing, and what is there twice, when the
tool says that it is done. dlt, drt-core and singer-sdk are installed from PyPI into an environment of their own.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent / "proof"))

from ground import HEADER, SECRETS, Ground, row
from measure import arguments, environment, keep, print_table
from vendor import Vendor, vendor

PACKAGES = ("dlt", "drt-core", "singer-sdk")
TRIES = 20
LONGEST = 900.0
"""Seconds after which a tool is stopped; what the vendor has by then counts."""
INSTALLING = 600.0
AT_ONCE = 8
BODY = """
def body(row):
    first, _, last = row["Name"].partition(" ")
    return {"source_id": row["Order #"], "source_name": "bench", "email": row["Email"],
        "shipping": {"first_name": first, "last_name": last, "address1": row["Street"], "city": row["City"],
                     "postal_code": row["Zip"], "country": row["Country"]},
        "order_items": [{"name": row["Item"], "code": row["SKU"], "quantity": int(row["Qty"]), "price": row["Price"]}]}
HEADERS = {"ORDERDESK-STORE-ID": "90001", "ORDERDESK-API-KEY": "sandbox-key"}
"""
PANDAS = (
    BODY
    + """
import sys
from concurrent.futures import ThreadPoolExecutor
import httpx, pandas
orders = pandas.read_csv(sys.argv[1], dtype=str).to_dict("records")
client = httpx.Client(headers=HEADERS, timeout=10, trust_env=False)
def send(row):
    for _ in range(5):
        try:
            answer = client.post(sys.argv[2] + "/orders", json=body(row))
            answer.raise_for_status()
            return
        except httpx.HTTPError:
            continue
    print("not sent:", row["Order #"])
with ThreadPoolExecutor(int(sys.argv[3])) as pool:
    list(pool.map(send, orders))
"""
)
DLT = (
    BODY
    + """
import csv, os, sys
import dlt, requests
from dlt.pipeline.exceptions import PipelineStepFailed
session = requests.Session()
session.trust_env = False
@dlt.destination(batch_size=1, name="order_desk")
def order_desk(items, table):
    for item in items:
        session.post(sys.argv[2] + "/orders", json=item["body"], headers=HEADERS, timeout=10).raise_for_status()
@dlt.resource(name="orders", max_table_nesting=0, columns={"body": {"data_type": "json"}})
def orders():
    with open(sys.argv[1], newline="") as file:
        for row in csv.DictReader(file):
            yield {"id": row["Order #"], "body": body(row)}
pipeline = dlt.pipeline("orders", destination=order_desk, pipelines_dir=os.getcwd())
try:
    pipeline.run(orders())
except PipelineStepFailed:
    pass
for _ in range(3000):
    if not pipeline.has_pending_data:
        break
    try:
        pipeline.load()
    except PipelineStepFailed:
        continue
"""
)
TAP = """
import csv, json, sys
def say(**message):
    print(json.dumps(message))
with open(sys.argv[1], newline="") as file:
    rows = csv.DictReader(file)
    columns = {name: {"type": ["null", "string"]} for name in rows.fieldnames}
    say(type="SCHEMA", stream="orders", schema={"type": "object", "properties": columns}, key_properties=["Order #"])
    for row in rows:
        say(type="RECORD", stream="orders", record=row)
"""
SINGER = (
    BODY
    + """
import sys
import requests
from singer_sdk import Target, typing as th
from singer_sdk.sinks import RecordSink
class Orders(RecordSink):
    session = requests.Session()
    session.trust_env = False
    def process_record(self, record, context):
        for tries in range(5):
            try:
                self.session.post(self.config["url"] + "/orders", json=body(record), headers=HEADERS, timeout=10
                    ).raise_for_status()
                return
            except requests.RequestException:
                if tries == 4:
                    raise
class TargetOrders(Target):
    name = "target-orders"
    config_jsonschema = th.PropertiesList(th.Property("url", th.StringType)).to_dict()
    default_sink_class = Orders
TargetOrders.cli()
"""
)

Run = Callable[[Path, Path, str], list[list[str]]]
"""``run(folder, file, url)`` makes what the tool needs and gives its command: one, or two for a pipe."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A way to bring a file of orders to an API."""

    name: str
    at_once: int
    run: Run
    again: bool = False


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process tree took."""

    wall: float
    cpu: float
    megabytes: float
    stopped: bool


def main(asked: argparse.Namespace) -> int:
    """Play every tool twice and print the table."""
    number = 500 if asked.quick else asked.orders
    with tempfile.TemporaryDirectory(prefix="orderdrop-others-") as folder, vendor() as shop:
        python, versions = _environment(asked.venv or Path(folder) / "venv")
        file = Path(folder) / "orders.csv"
        with file.open("w", newline="") as out:
            out.write(HEADER + "\n" + "\n".join(row(f"o{n}") for n in range(number)) + "\n")
        rows = []
        for tool in _tools(python, versions):
            rows.append(_measured(tool, shop, file, number))
            print("| " + " | ".join(map(str, rows[-1].values())) + " |", file=sys.stderr, flush=True)
    print_table(rows)
    keep(asked, "Side by side, end to end", rows, [f"{number:,} orders; memory is the largest process."])
    return 0


def _measured(tool: Tool, shop: Vendor, file: Path, number: int) -> dict[str, Any]:
    cost = _play(tool, shop, file, lose=0.0)
    fair = shop.report()
    wrong = number - fair["orders"] + fair["twice"]
    after = _play(tool, shop, file, lose=0.1)
    foul = shop.report()
    return {
        "sent with": tool.name,
        "calls at once": tool.at_once,
        "wall (s)": f"{cost.wall:.1f}" + (f" ({wrong} wrong)" if wrong else ""),
        "CPU (s)": f"{cost.cpu:.1f}",
        "memory (MB)": f"{cost.megabytes:.0f}",
        "answers lost": f"{foul['lost_answers']}" + f" (stopped after {LONGEST:.0f} s)" * after.stopped,
        "missing": number - foul["orders"],
        "created twice": foul["twice"],
    }


def _play(tool: Tool, shop: Vendor, file: Path, lose: float) -> Cost:
    shop.reset(lose=lose)
    with tempfile.TemporaryDirectory(prefix="orderdrop-bench-") as folder:
        commands = tool.run(Path(folder), file, shop.url)
        begun, cpu, most = time.perf_counter(), 0.0, 0.0
        until = begun + LONGEST
        for _ in range(TRIES if tool.again else 1):
            code, used, megabytes = _run(commands, Path(folder), max(1.0, until - time.perf_counter()))
            cpu, most = cpu + used, max(most, megabytes)
            if code == 0 or time.perf_counter() > until:
                break
        wall = time.perf_counter() - begun
        return Cost(wall, cpu, most, stopped=wall > LONGEST)


def _run(commands: list[list[str]], folder: Path, seconds: float) -> tuple[int, float, float]:
    told = {
        **environment(), **SECRETS, "HOME": str(folder), "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "CRITICAL", "LOAD__WORKERS": str(AT_ONCE), "DRT_TELEMETRY_DISABLED": "1",
        "DO_NOT_TRACK": "1",
    }  # fmt: skip
    del told["PYTHONPATH"]
    with (folder / "log").open("ab") as log:
        processes: list[subprocess.Popen[bytes]] = []
        for command in commands:
            source = processes[-1].stdout if processes else subprocess.DEVNULL
            target = log if command is commands[-1] else subprocess.PIPE
            processes.append(subprocess.Popen(command, cwd=folder, env=told, stdin=source, stdout=target, stderr=log))
        for process in processes[:-1]:
            assert process.stdout is not None
            process.stdout.close()
        code, cpu, most = 0, 0.0, 0.0
        patience = threading.Timer(seconds, lambda: [process.kill() for process in processes])
        patience.start()
        for process in processes:
            _, status, usage = os.wait4(process.pid, 0)
            code = process.returncode = os.waitstatus_to_exitcode(status)
            cpu += usage.ru_utime + usage.ru_stime
            most = max(most, usage.ru_maxrss / 1024)
        patience.cancel()
    return code, cpu, most


# --- the tools ---------------------------------------------------------------------------------------------------


def _tools(python: Path | None, versions: str) -> list[Tool]:
    ours = [
        Tool("orderdrop", AT_ONCE, _orderdrop, again=True),
        Tool("pandas + httpx, 30 lines, five tries", AT_ONCE, _script(sys.executable, PANDAS)),
    ]
    if python is None:
        return ours
    known = dict(part.split(" ") for part in versions.split(", "))
    return [
        *ours,
        Tool(f"dlt {known['dlt']}, custom destination", AT_ONCE, _script(str(python), DLT)),
        Tool(f"Singer: target on singer-sdk {known['singer-sdk']}, five tries", 1, _singer(python)),
        Tool(f"drt-core {known['drt-core']}, REST destination", 1, _drt(python)),
    ]


def _orderdrop(folder: Path, file: Path, url: str) -> list[list[str]]:
    ground = Ground.make(folder / "p", {"orderdesk": url}, ["orderdesk"], settle=1, patience=15)
    settings = ground.path / "pipeline.toml"
    settings.write_text(settings.read_text() + f"concurrency = {AT_ONCE}\nlook_first = false\n")
    (ground.path / "inbox" / "orders.csv").write_bytes(file.read_bytes())
    return [[sys.executable, "-c", "from pipeline.cli import main; main()", "run", "--project", str(ground.path)]]


def _script(python: str, text: str) -> Run:
    def run(folder: Path, file: Path, url: str) -> list[list[str]]:
        (folder / "send.py").write_text(text)
        return [[python, str(folder / "send.py"), str(file), url, str(AT_ONCE)]]

    return run


def _singer(python: Path) -> Run:
    def run(folder: Path, file: Path, url: str) -> list[list[str]]:
        (folder / "tap.py").write_text(TAP)
        (folder / "target.py").write_text(SINGER)
        (folder / "config.json").write_text(f'{{"url": "{url}"}}')
        target = [str(python), str(folder / "target.py"), "--config", str(folder / "config.json")]
        return [[sys.executable, str(folder / "tap.py"), str(file)], target]

    return run


def _drt(python: Path) -> Run:
    def run(folder: Path, file: Path, url: str) -> list[list[str]]:
        import sqlite3

        with file.open(newline="") as source, sqlite3.connect(folder / "orders.sqlite") as database:
            names, *lines = csv.reader(source)
            columns = [name.strip(" #").lower() + " TEXT" for name in names]
            database.execute(f"CREATE TABLE orders ({', '.join(columns)})".replace("order TEXT", '"order" TEXT'))
            database.executemany(f"INSERT INTO orders VALUES ({', '.join('?' for _ in columns)})", lines)
        database.close()
        for name, text in _drt_files(folder, url).items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        return [[str(python.parent / "drt"), "run"]]

    return run


def _drt_files(folder: Path, url: str) -> dict[str, str]:
    body = (
        '{ "source_id": "{{ row.order }}", "source_name": "bench", "email": "{{ row.email }}", '
        '"shipping": {"first_name": "{{ row.name }}", "city": "{{ row.city }}"}, '
        '"order_items": [{"name": "{{ row.item }}", "code": "{{ row.sku }}", "quantity": 1, "price": 12.5}] }'
    )
    return {
        ".drt/profiles.yml": f"local:\n  type: sqlite\n  database: {folder / 'orders.sqlite'}\n",
        "drt_project.yml": "name: orders\nversion: '0.1'\nprofile: local\n",
        "syncs/orders.yml": (
            "name: orders\nmodel: ref('orders')\ndestination:\n  type: rest_api\n"
            f"  url: {url}/orders\n  method: POST\n  headers:\n    ORDERDESK-STORE-ID: \"90001\"\n"
            f"    ORDERDESK-API-KEY: \"sandbox-key\"\n    Content-Type: \"application/json\"\n"
            f"  body_template: |\n    {body}\n"
            "sync:\n  mode: full\n  batch_size: 100\n  on_error: skip\n  rate_limit:\n    requests_per_second: 100000\n"
        ),
    }  # fmt: skip


def _environment(folder: Path) -> tuple[Path | None, str]:
    """Python of an environment with the others, and their versions; ``None`` where they cannot be had."""
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install", *PACKAGES]
    try:
        subprocess.run(pip, check=True, timeout=INSTALLING, stderr=subprocess.DEVNULL)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        print("The others could not be installed; only ours and the script are compared.", file=sys.stderr)
        return None, ""
    asked = f"from importlib.metadata import version as v;print(', '.join(n + ' ' + v(n) for n in {PACKAGES!r}))"
    got = subprocess.run([str(python), "-c", asked], capture_output=True, text=True, check=True)
    return python, got.stdout.strip()


if __name__ == "__main__":
    options = arguments(__doc__)
    options.add_argument("--orders", type=int, default=10_000)
    options.add_argument("--venv", type=Path, help="where the others are, or shall be, installed")
    sys.exit(main(options.parse_args()))
