"""How much memory a process takes at most while it takes in a file, by the number of rows.

    python bench/memory.py [--quick] [--json FILE]

The kernel tells the peak of the finished process. The counts have to be those of the file. The last curve is of the
process that writes the workbook of a file that is wrong in every row.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import order_lines
import xlsxwriter
from ingest import BENCH, project_for
from measure import arguments, environment, keep, print_table

CSV = (10_000, 100_000, 1_000_000, 10_000_000)
XLSX = (10_000, 100_000, 1_000_000)
SHARED = "xlsx, shared texts"
HANDED_BACK = "csv, all rows wrong, handed back"


def main(asked: argparse.Namespace) -> int:
    """Measure the curve of each format."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="orderdrop-bench-") as folder:
        for form, sizes in (("csv", CSV), ("xlsx", XLSX), (SHARED, XLSX), (HANDED_BACK, XLSX)):
            for size in sizes[: 2 if asked.quick else len(sizes)]:
                rows.append(_measured(Path(folder), size, form))
                print(rows[-1], flush=True)
    print_table(rows)
    keep(asked, "Memory: the peak while a file is taken in", rows)
    return 0


def _measured(folder: Path, size: int, form: str) -> dict[str, Any]:
    file = folder / f"bench_lines.{form.partition(',')[0]}"
    _apart(_write, file, size, form)
    place = project_for(folder / "p", file)
    told, peak, seconds = _run("take_in_once.py", place, place / file.name)
    if told["read"] != size:
        raise SystemExit(f"{file.name} of {size} rows: {told}")
    if form == HANDED_BACK:
        told, peak, seconds = _run("hand_back_once.py", place)
        if "bench_lines.errors.xlsx" not in told:
            raise SystemExit(f"{file.name} of {size} rows came back as {told}")
    return {
        "format": form, "rows": f"{size:,}", "MB of file": f"{file.stat().st_size / 1e6:.0f}",
        "peak MB": f"{peak:.0f}", "µs a row": f"{seconds / size * 1e6:.1f}",
    }  # fmt: skip


def _run(program: str, *told: Path) -> tuple[dict[str, Any], float, float]:
    """What the program printed, its peak in MB, and its seconds."""
    begun = time.perf_counter()
    command = [sys.executable, str(BENCH / program), *map(str, told)]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        printed = process.stdout.read() if process.stdout else ""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{program} ended with {process.returncode}: {printed}")
    found: dict[str, Any] = json.loads(printed)
    return found, used.ru_maxrss / 1024, time.perf_counter() - begun


def _apart(work: Callable[..., None], *told: object) -> None:
    """Work done in a process of its own: what it takes would count as the peak of every process begun after it."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=told)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{work.__name__} ended with {process.exitcode}")


def _write(file: Path, size: int, form: str) -> None:
    if form in {"xlsx", SHARED}:
        _write_workbook(file, size, shared=form == SHARED)
    else:
        order_lines.write(file, size, 100 if form == HANDED_BACK else 1)


def _write_workbook(path: Path, size: int, *, shared: bool) -> None:
    """Texts in their cells, or told once and referred to by number, as Excel does it."""
    with xlsxwriter.Workbook(str(path), {"constant_memory": not shared}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, order_lines.HEADER)
        for number, row in enumerate(order_lines.rows(size, 1), 1):
            for column, text in enumerate(row):
                sheet.write_string(number, column, text)


if __name__ == "__main__":
    sys.exit(main(arguments(__doc__).parse_args()))
