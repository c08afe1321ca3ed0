"""How much memory a process takes at most while it takes in a file, by the number of rows.

    python bench/memory.py [--quick] [--json FILE]

The kernel tells the peak of the finished process. The counts have to be those of the file.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import order_lines
import xlsxwriter
from ingest import BENCH, project_for
from measure import arguments, environment, keep, print_table

CSV = (10_000, 100_000, 1_000_000, 10_000_000)
XLSX = (10_000, 100_000, 1_000_000)


def main(asked: argparse.Namespace) -> int:
    """Measure the curve of each format."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="orderdrop-bench-") as folder:
        for ending, sizes in (("csv", CSV), ("xlsx", XLSX)):
            for size in sizes[: 2 if asked.quick else len(sizes)]:
                rows.append(_measured(Path(folder), size, ending))
                print(rows[-1], flush=True)
    print_table(rows)
    keep(asked, "Memory: the peak while a file is taken in", rows)
    return 0


def _measured(folder: Path, size: int, ending: str) -> dict[str, Any]:
    file = folder / f"bench_lines.{ending}"
    if ending == "csv":
        order_lines.write(file, size, 1)
    else:
        _write_workbook(file, size)
    place = project_for(folder / "p", file)
    begun = time.perf_counter()
    command = [sys.executable, str(BENCH / "take_in_once.py"), str(place), str(place / file.name)]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        told = process.stdout.read() if process.stdout else ""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or json.loads(told)["read"] != size:
        raise SystemExit(f"{file.name} of {size} rows ended with {process.returncode}: {told}")
    seconds = time.perf_counter() - begun
    return {
        "format": ending, "rows": f"{size:,}", "MB of file": f"{file.stat().st_size / 1e6:.0f}",
        "peak MB": f"{used.ru_maxrss / 1024:.0f}", "µs a row": f"{seconds / size * 1e6:.1f}",
    }  # fmt: skip


def _write_workbook(path: Path, size: int) -> None:
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, order_lines.HEADER)
    for number, row in enumerate(order_lines.rows(size, 1), 1):
        for column, text in enumerate(row):
            sheet.write_string(number, column, text)
    book.close()


if __name__ == "__main__":
    sys.exit(main(arguments(__doc__).parse_args()))
