"""Names with every odd character, and thousands of files at once: each delivered once, each workbook found again."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from project import HEADER, ProjectFolder, order_row

from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer

ODD = {
    "newline": b"orders\nforged line: all is well.csv", "return": b"orders\r2.csv", "tab": b"orders\t.csv",
    "quotes": b"orders \"double\" 'single' `back`.csv", "emoji": "orders 📦🎉.csv".encode(),
    "right to left": "orders_\u202egpj.csv".encode(), "arabic": "orders_\u0637\u0644\u0628.csv".encode(),
    "long": b"orders_" + b"x" * 244 + b".csv",
    "long in letters of four bytes": b"orders_" + "📦".encode() * 60 + b".csv",
    "dash": b"--orders.csv", "option": b"-rf *.csv", "trailing dot": b"orders.csv.", "trailing space": b"orders.csv ",
    "device": b"CON.csv", "device without ending": b"NUL", "port": b"com1.csv", "colon": b"orders:stream.csv",
    "wildcards": b"orders*?[a].csv", "backslash": b"orders\\..\\x.csv", "percent": b"orders%2e%2e%2f%s%n.csv",
    "composed": unicodedata.normalize("NFC", "orders_é.csv").encode(),
    "decomposed": unicodedata.normalize("NFD", "orders_é.csv").encode(),
    "no UTF-8": b"orders_\xff\xfe\x80.csv", "latin-1": "orders_é.csv".encode("latin-1"),
    "formula": b"=HYPERLINK(1).csv", "markup": b"<b>orders & more</b>.csv".replace(b"/", b"|"), "spaces": b"   .csv",
    "escape": b"orders\x1b[2J\x07.csv", "zero width": "orders\u200b\ufeff.csv".encode(),
}  # fmt: skip


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer) -> ProjectFolder:
    made = ProjectFolder.make(tmp_path / "p", sandbox.base_urls())
    (made.path / "inbox" / "orders").mkdir()
    return made


def orders(sandbox: SandboxServer) -> Counter[str]:
    return Counter(order["source_id"] for order in sandbox.truth()["orderdesk"]["orders"])


def test_every_odd_name_goes_its_whole_way(project: ProjectFolder, sandbox: SandboxServer) -> None:
    folder = os.fsencode(project.path / "inbox" / "orders")
    for number, name in enumerate(ODD.values()):
        text = "\n".join((HEADER, order_row(str(1000 + number)), order_row(str(2000 + number), qty="two")))
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:  # noqa: PTH118, PTH123 - names of bytes
            file.write(text)
    called = project.run()
    assert called.code == 1, called.err
    assert "Traceback" not in called.err
    assert "\x1b" not in called.err
    assert not any(line.startswith("forged") for line in called.err.splitlines())
    told = called.json()
    assert told["balanced"]
    assert len(told["files"]) == len(ODD)
    assert {entry["state"] for entry in told["files"]} == {"closed"}
    assert orders(sandbox) == Counter(str(1000 + number) for number in range(len(ODD)))
    assert os.listdir(folder) == []  # noqa: PTH208 - names of bytes
    assert len(project.workbooks()) == len(ODD)
    correct_all(project)
    again = project.run()
    assert again.code == 0, again.err
    assert orders(sandbox) == Counter(str(base + n) for base in (1000, 2000) for n in range(len(ODD)))
    assert project.workbooks() == []
    for command in (["status"], ["status", "--json"], ["find", "1000"], ["reconcile"]):
        assert "Traceback" not in project.call(*command).err


def correct_all(project: ProjectFolder) -> None:
    for path in project.workbooks():
        book = openpyxl.load_workbook(path)
        sheet = book["Fix these rows"]
        column = [cell.value for cell in sheet[1]].index("Qty") + 1
        sheet.cell(2, column).value = "1"
        book.save(project.path / "inbox" / path.name)


def test_an_odd_name_that_fits_no_feed_is_refused_in_words(project: ProjectFolder) -> None:
    inbox = os.fsencode(project.path / "inbox")
    for name in (b"\xff\xfe.csv", b"what\nis this.csv", b"-.csv"):
        with open(os.path.join(inbox, name), "w", encoding="utf-8") as file:  # noqa: PTH118, PTH123 - names of bytes
            file.write(f"{HEADER}\n{order_row('1')}\n")
    called = project.run()
    assert called.code == 1, called.err
    assert "Traceback" not in called.err
    assert {entry["code"] for entry in called.json()["files"]} <= {"no_feed", "unknown_feed"}
    assert len(project.workbooks()) == 3


def drop_many(project: ProjectFolder, number: int) -> None:
    for n in range(number):
        (project.path / "inbox" / f"orders_{n:05d}.csv").write_text(f"{HEADER}\n{order_row(f'K{n:05d}')}\n")


@pytest.mark.parametrize("number", [150, pytest.param(5000, marks=pytest.mark.slow)])
def test_many_files_at_once_need_no_more_handles_than_one(
    project: ProjectFolder, sandbox: SandboxServer, number: int
) -> None:
    drop_many(project, number)
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", "run", "--json", "--project", str(project.path)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=project.environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),  # noqa: PLW1509 - no thread here
    ) as process:  # fmt: skip
        process.communicate(timeout=1500)
    assert process.returncode == 0
    status = project.status()
    assert status["balanced"]
    assert len(status["files"]) == number
    assert orders(sandbox) == Counter(f"K{n:05d}" for n in range(number))
    assert list((project.path / "inbox").iterdir()) == [project.path / "inbox" / "orders"]
    assert list((project.path / "var" / "work").iterdir()) == []
