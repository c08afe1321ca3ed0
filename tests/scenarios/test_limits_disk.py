"""A full disk, no further files, read-only folders, files held open: said clearly, nothing lost, nothing twice."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from limits import busy, fill, read_only, small_disk, use_up_inodes
from project import Called, ProjectFolder, order_row

from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer) -> ProjectFolder:
    made = ProjectFolder.make(tmp_path / "p", sandbox.base_urls())
    (made.path / "errors").mkdir()
    return made


def orders(sandbox: SandboxServer) -> Counter[str]:
    return Counter(order["source_id"] for order in sandbox.truth()["orderdesk"]["orders"])


def said(called: Called, *texts: str) -> None:
    assert "Traceback" not in called.out + called.err
    for text in texts:
        assert text in called.err, called.err


def test_a_full_disk_stops_before_anything_is_sent_and_loses_nothing(tmp_path: Path, sandbox: SandboxServer) -> None:
    with small_disk(tmp_path / "disk", "size=3m") as disk:
        project = ProjectFolder.make(disk / "p", sandbox.base_urls())
        project.drop("orders_1.csv", order_row("1001"))
        assert project.run().code == 0
        project.drop("orders_2.csv", order_row("1002"), order_row("1003", qty="two"))
        filler = fill(disk)
        called = project.call("run")
        said(called, "Make room")
        assert called.code in {1, 4}, called.err
        assert orders(sandbox) == Counter(["1001"])
        filler.unlink()
        done = project.run()
        assert (done.code, done.json()["balanced"]) == (1, True), done.err
        assert orders(sandbox) == Counter(["1001", "1002"])
        assert [path.name for path in project.workbooks()] == ["orders_2.errors.xlsx"]


def test_a_disk_that_fills_up_on_the_way_loses_and_doubles_nothing(tmp_path: Path, sandbox: SandboxServer) -> None:
    with small_disk(tmp_path / "disk", "size=8m") as disk:
        project = ProjectFolder.make(disk / "p", sandbox.base_urls())
        project.drop("orders_1.csv", *(order_row(str(1000 + n)) for n in range(600)))
        keep = disk / "keep"
        keep.write_bytes(b"x" * (shutil.disk_usage(disk).free - 500_000))
        called = project.call("run")
        said(called)
        assert called.code in {1, 4}, called.err
        assert "room" in called.err
        keep.unlink()
        done = project.run()
        assert done.json()["balanced"], done.err
        assert orders(sandbox) == Counter(str(1000 + n) for n in range(600))


def test_where_no_further_file_can_be_made_the_file_stays(tmp_path: Path, sandbox: SandboxServer) -> None:
    with small_disk(tmp_path / "disk", "nr_inodes=80") as disk:
        project = ProjectFolder.make(disk / "p", sandbox.base_urls())
        project.drop("orders_1.csv", order_row("1001"))
        assert project.run().code == 0
        project.drop("orders_2.csv", order_row("1002", qty="two"), order_row("1003"))
        many = use_up_inodes(disk)
        called = project.call("run")
        said(called, "room")
        assert called.code in {1, 4}, called.err
        shutil.rmtree(many)
        assert project.run().code == 1
        assert orders(sandbox) == Counter(["1001", "1003"])
        assert [path.name for path in project.workbooks()] == ["orders_2.errors.xlsx"]


def test_an_inbox_that_may_only_be_read_is_told_and_its_files_wait(
    project: ProjectFolder, sandbox: SandboxServer
) -> None:
    project.drop("orders_1.csv", order_row("1001"))
    with read_only(project.path / "inbox"):
        for _ in range(2):
            called = project.call("run")
            said(called, "orders_1.csv stays in the inbox", "Make inbox/ and var/ writable")
            assert called.code == 1
        assert orders(sandbox) == Counter()
        assert list((project.path / "var" / "work").iterdir()) == []
    assert project.run().code == 0
    assert orders(sandbox) == Counter(["1001"])


def test_workbooks_wait_while_errors_may_only_be_read(project: ProjectFolder, sandbox: SandboxServer) -> None:
    project.drop("orders_1.csv", order_row("1001"), order_row("1002", qty="two"))
    with read_only(project.path / "errors"):
        called = project.call("run")
        said(called, "orders_1.csv: its workbook or original could not be put in place", "nothing is lost")
        assert called.code == 1
        assert project.call("status").code == 1  # a row waits for a person, who has no workbook yet
    assert orders(sandbox) == Counter(["1001"])
    assert project.run().code == 1
    assert [path.name for path in project.workbooks()] == ["orders_1.errors.xlsx"]
    assert orders(sandbox) == Counter(["1001"])


def test_a_file_that_another_program_holds_waits(project: ProjectFolder, sandbox: SandboxServer) -> None:
    held = project.drop("orders_1.csv", order_row("1001"))
    project.drop("orders_2.csv", order_row("1002"))
    with busy(held):
        called = project.call("run")
        said(called, "orders_1.csv is held open by another program")
        assert orders(sandbox) == Counter(["1002"])
    assert project.run().code == 0
    assert orders(sandbox) == Counter(["1001", "1002"])


@pytest.mark.parametrize("lock", ["~$orders_1.csv", ".~lock.orders_1.csv#"])
def test_a_file_that_somebody_has_open_in_an_office_program_waits(
    project: ProjectFolder, sandbox: SandboxServer, lock: str
) -> None:
    project.drop("orders_1.csv", order_row("1001"))
    beside = project.path / "inbox" / lock
    beside.write_bytes(b"x" * 165)
    called = project.call("run")
    said(called, f"orders_1.csv is open in another program: {lock} lies beside it", "once it is closed")
    assert (called.code, orders(sandbox)) == (0, Counter())
    beside.unlink()
    assert project.run().code == 0
    assert orders(sandbox) == Counter(["1001"])


@pytest.mark.parametrize("way", ["busy", "lock"])
def test_an_answered_workbook_that_is_held_open_is_put_away_later(
    project: ProjectFolder, sandbox: SandboxServer, way: str
) -> None:
    project.drop("orders_1.csv", order_row("1001", qty="two"))
    project.run()
    (workbook,) = project.workbooks()
    shutil.copy(workbook, project.path / "inbox" / workbook.name)
    book = openpyxl.load_workbook(project.path / "inbox" / workbook.name)
    sheet = book["Fix these rows"]
    column = [cell.value for cell in sheet[1]].index("Qty") + 1
    sheet.cell(2, column).value = "1"
    book.save(project.path / "inbox" / workbook.name)
    lock = workbook.with_name(f"~${workbook.name}")
    if way == "busy":
        with busy(workbook):
            called = project.call("run")
    else:
        lock.write_bytes(b"x")
        called = project.call("run")
        lock.unlink()
    said(called, "could not be put in place", "nothing is lost")
    assert called.code == 1
    assert orders(sandbox) == Counter(["1001"])
    assert workbook.exists()
    assert project.run().code == 0
    assert not workbook.exists()
    assert orders(sandbox) == Counter(["1001"])
