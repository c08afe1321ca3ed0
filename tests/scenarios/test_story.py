"""The whole story through the command line: drop, run, correct the workbook, drop it back, run."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from project import SECRETS, ProjectFolder, order_row

from pipeline.sandbox import all_targets
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.server import SandboxServer


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer) -> ProjectFolder:
    return ProjectFolder.make(tmp_path / "p", sandbox.base_urls())


def orders(sandbox: SandboxServer) -> Counter[str]:
    """Order Desk orders by our number, by the sandbox's own count."""
    return Counter(order["source_id"] for order in sandbox.truth()["orderdesk"]["orders"])


def test_drop_run_correct_drop_back_run(project: ProjectFolder, sandbox: SandboxServer) -> None:
    project.drop(
        "orders_1.csv",
        order_row("1001"),
        order_row("1002", qty="two"),
        order_row("1003", date="13/45/2026"),
        "TOTAL,,,,,,,,,,,",
    )
    first = project.run()
    assert first.code == 1, first.err
    assert orders(sandbox) == {"1001": 1}
    (entry,) = first.json()["files"]
    assert entry["rows"] == {"read": 4, "accepted": 1, "rejected": 2, "skipped": 1}
    assert entry["state"] == "closed"

    workbook = project.path / entry["workbook"]
    assert workbook.name == "orders_1.errors.xlsx"
    book = openpyxl.load_workbook(workbook)
    sheet = book["Fix these rows"]
    header = [cell.value for cell in sheet[1]]
    assert [sheet.cell(row, 1).value for row in (2, 3)] == ["1002", "1003"]
    assert sheet.cell(2, header.index("Zip") + 1).value == "02110"
    sheet.cell(2, header.index("Qty") + 1).value = "2"
    sheet.cell(3, header.index("Date") + 1).value = "01/06/2026"
    book.save(project.path / "inbox" / "orders_1.errors.xlsx")

    second = project.run()
    assert second.code == 0, second.err
    assert orders(sandbox) == {"1001": 1, "1002": 1, "1003": 1}
    assert project.workbooks() == []
    status = project.status()
    assert status["balanced"]
    assert [f["rows"]["read"] for f in status["files"]] == [4, 2]
    assert not list((project.path / "inbox").iterdir())
    archived = [p.name for p in (project.path / "var" / "archive").rglob("*") if p.is_file()]
    assert "orders_1.csv" in archived


def test_find_tells_the_life_of_an_order(project: ProjectFolder) -> None:
    project.drop("orders_1.csv", order_row("1001"), order_row("1002", qty="two"))
    project.run()
    found = project.call("find", "1001", "--json").json()
    (delivery,) = found["deliveries"]
    assert delivery["file"] == "orders_1.csv"
    assert delivery["rows"] == [2]
    assert delivery["state"] == "delivered"
    assert delivery["remote_id"]
    assert delivery["steps"][0]["attempts"][0]["outcome"] == "done"
    rejected = project.call("find", "1002")
    assert "rejected" in rejected.out
    assert "two" in rejected.out
    assert project.call("find", "nobody").code == 1


def test_the_same_file_again_is_recognised(project: ProjectFolder, sandbox: SandboxServer) -> None:
    project.drop("orders_1.csv", order_row("1001"))
    project.run()
    project.drop("orders_1_again.csv", order_row("1001"))
    again = project.call("run")
    assert again.code == 0
    assert "came before" in again.out
    assert orders(sandbox) == {"1001": 1}
    assert [f["state"] for f in project.status()["files"]] == ["closed", "duplicate"]


def test_the_same_order_in_another_file_is_unchanged(project: ProjectFolder, sandbox: SandboxServer) -> None:
    project.drop("orders_1.csv", order_row("1001"))
    project.run()
    project.drop("orders_2.csv", order_row("1001"), order_row("1002"))
    project.run()
    assert orders(sandbox) == {"1001": 1, "1002": 1}
    assert project.status()["files"][1]["deliveries"]["unchanged"] == 1


def test_preview_prints_the_requests_that_run_sends(project: ProjectFolder, sandbox: SandboxServer) -> None:
    path = project.drop("orders_1.csv", order_row("1001"), order_row("1002", qty="x"))
    told = project.call("preview", str(path), "--json").json()
    assert told["rows"]["rejected"] == 1
    assert not sandbox.calls
    assert not (project.path / "var").exists()
    project.run()
    sent = [(c.method, c.body) for c in sandbox.calls if c.method == "POST"]
    import json

    assert [(r["method"], r["body"]) for r in told["requests"] if r["method"] == "POST"] == [
        (method, json.loads(body)) for method, body in sent
    ]
    assert SECRETS["ORDERDESK_API_KEY"] not in project.call("preview", str(project.path / "var" / "x")).out


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "error_before", "error_after", "html", "empty", "cut"])
def test_lost_answers_create_nothing_twice(project: ProjectFolder, sandbox: SandboxServer, fault: str) -> None:
    sandbox.faults.add([Fault(fault, times=3)])
    project.drop("orders_1.csv", *(order_row(str(n)) for n in range(6)))
    called = project.run()
    assert called.code == 0, called.err
    assert orders(sandbox) == {str(n): 1 for n in range(6)}


def test_a_bad_key_pauses_its_account_and_no_other(tmp_path: Path, sandbox: SandboxServer) -> None:
    project = ProjectFolder.make(tmp_path / "p", sandbox.base_urls(), to=("shop", "desk"))
    project.secrets = {**SECRETS, "ORDERDESK_API_KEY": "wrong"}
    project.drop("orders_1.csv", order_row("1001"))
    called = project.run()
    assert called.code == 3
    accounts = {a["account"]: a for a in called.json()["accounts"]}
    assert accounts["shop"]["paused"]
    assert accounts["shop"]["waiting"] == 1
    assert accounts["desk"]["delivered"] == 1
    project.secrets = dict(SECRETS)
    assert project.run().code == 0
    assert orders(sandbox) == {"1001": 1}


def test_a_target_that_is_down_loses_nothing(tmp_path: Path) -> None:
    with SandboxServer(all_targets()) as gone:
        urls = gone.base_urls()
        port = gone.port
    project = ProjectFolder.make(tmp_path / "p", urls, patience=1)
    project.drop("orders_1.csv", order_row("1001"))
    called = project.run()
    assert called.code == 3
    assert "nothing is lost" in called.err
    assert project.status()["accounts"][0]["waiting"] == 1
    project.be_patient()
    with SandboxServer(all_targets(), port) as back:
        assert project.run().code == 0
        assert orders(back) == {"1001": 1}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("orders_empty.csv", b"", "empty"),
        ("orders_header.csv", b"Order #,Date\n", "no rows"),
        ("orders_junk.csv", bytes(range(256)) * 40, ""),
        ("orders_broken.xlsx", b"PK\x03\x04 this is not a workbook", ""),
        ("nobody.csv", b"a,b\n1,2\n", "feed"),
        (
            "orders_columns.csv",
            b"Order No,Date,Email,Name,Street,City,Zip,Country,SKU,Item,Qty,Price\n1,,,,,,,,,,,\n",
            "Order #",
        ),
    ],
)
def test_a_file_that_cannot_be_taken_in_comes_back_with_its_reason(
    project: ProjectFolder, sandbox: SandboxServer, name: str, content: bytes, reason: str
) -> None:
    (project.path / "inbox" / name).write_bytes(content)
    project.drop("orders_good.csv", order_row("1001"))
    called = project.run()
    assert called.code == 1
    assert "Traceback" not in called.err
    refused = next(f for f in called.json()["files"] if f["file"] == name)
    assert refused["state"] == "refused"
    assert reason.casefold() in (refused["reason"] + refused["advice"]).casefold()
    assert (project.path / refused["workbook"]).exists()
    assert orders(sandbox) == {"1001": 1}
    assert not list((project.path / "inbox").iterdir())


def test_a_missing_secret_names_the_variable_and_touches_nothing(project: ProjectFolder) -> None:
    project.secrets = {name: value for name, value in SECRETS.items() if name != "ORDERDESK_API_KEY"}
    path = project.drop("orders_1.csv", order_row("1001"))
    called = project.run()
    assert called.code == 2
    assert "ORDERDESK_API_KEY" in called.err
    assert path.exists()
    assert not (project.path / "var").exists()


def test_a_misspelt_key_in_a_mapping_is_refused_with_the_nearest(project: ProjectFolder) -> None:
    mapping = project.path / "mappings" / "orders.yaml"
    mapping.write_text(mapping.read_text().replace("skip_rows_where", "skip_rows_were"))
    called = project.run()
    assert called.code == 2
    assert "skip_rows_where" in called.err
    assert "orders.yaml" in called.err


def test_lock_files_and_half_copied_files_are_left_alone(project: ProjectFolder) -> None:
    left = ["~$orders_1.xlsx", ".~lock.orders_1.csv#", "orders_2.csv.part", "orders_3.csv.crdownload", ".DS_Store"]
    for name in left:
        (project.path / "inbox" / name).write_bytes(b"x")
    (project.path / "inbox" / "orders_folder.csv").mkdir()
    assert project.run().code == 0
    assert sorted(p.name for p in (project.path / "inbox").iterdir()) == sorted([*left, "orders_folder.csv"])


def test_a_workbook_taken_out_of_errors_waits_no_longer(project: ProjectFolder) -> None:
    project.drop("orders_1.csv", order_row("1001", qty="two"))
    assert project.run().code == 1
    for path in project.workbooks():
        path.unlink()
    assert project.run().code == 0


def test_a_corrected_line_joins_the_lines_of_its_order_that_went_before(
    project: ProjectFolder, sandbox: SandboxServer
) -> None:
    mapping = project.path / "mappings" / "orders.yaml"
    mapping.write_text(mapping.read_text() + "reject: row\n")
    rows = [order_row("1001", sku="A"), order_row("1001", sku="B", qty="x"), order_row("1001", sku="C", qty="y")]
    project.drop("orders_1.csv", *rows)
    project.run()
    for fixed in ("x", "y"):
        (workbook,) = project.workbooks()
        book = openpyxl.load_workbook(workbook)
        sheet = book["Fix these rows"]
        quantity = [cell.value for cell in sheet[1]].index("Qty") + 1
        for row in range(2, sheet.max_row + 1):
            if sheet.cell(row, quantity).value == fixed:
                sheet.cell(row, quantity).value = "2"
        book.save(project.path / "inbox" / workbook.name)
        project.run()
    (order,) = sandbox.truth()["orderdesk"]["orders"]
    assert sorted(item["code"] for item in order["order_items"]) == ["A", "B", "C"]
    assert project.workbooks() == []


def test_workbooks_corrected_in_place_and_copied_back_never_take_the_place_of_an_original(
    project: ProjectFolder, sandbox: SandboxServer
) -> None:
    """Somebody saves the workbook where it lies, each time with one row more put right, and drops a copy of it."""
    project.drop("orders_1.csv", *(order_row(str(n), qty="two") for n in range(1, 5)))
    project.run()
    for number in range(1, 5):
        (workbook,) = project.workbooks()
        book = openpyxl.load_workbook(workbook)
        sheet = book.worksheets[0]
        sheet.cell(2, [cell.value for cell in sheet[1]].index("Qty") + 1).value = str(number)
        book.save(workbook)
        shutil.copyfile(workbook, project.path / "inbox" / workbook.name)
        project.run()
    assert project.workbooks() == []
    assert orders(sandbox) == Counter({"1": 1, "2": 1, "3": 1, "4": 1})
    archived = [path for path in (project.path / "var" / "archive").rglob("*") if path.is_file()]
    contents = {hashlib.sha256(path.read_bytes()).hexdigest() for path in archived}
    files = project.status()["files"]
    assert len(files) == 5
    assert {entry["sha256"] for entry in files} <= contents
    assert len(archived) == 9, "the originals, and beside each the workbook that somebody has worked in"


def test_two_runs_at_once_share_the_work_and_double_nothing(project: ProjectFolder, sandbox: SandboxServer) -> None:
    sandbox.faults.add([Fault("stall", target="orderdesk", seconds=0.1)])
    for n in range(3):
        project.drop(f"orders_{n}.csv", *(order_row(f"{n}-{m}") for m in range(5)))
    runs = [project.popen("run") for _ in range(3)]
    ends = [run.communicate(timeout=100) for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], ends
    assert orders(sandbox) == {f"{n}-{m}": 1 for n in range(3) for m in range(5)}


def correct(project: ProjectFolder, column: str, wrong: str, right: str) -> None:
    """Put ``right`` into the cells of the one workbook that hold ``wrong``, and drop it back."""
    (workbook,) = project.workbooks()
    book = openpyxl.load_workbook(workbook)
    sheet = book["Fix these rows"]
    position = [cell.value for cell in sheet[1]].index(column) + 1
    for row in range(2, sheet.max_row + 1):
        if sheet.cell(row, position).value == wrong:
            sheet.cell(row, position).value = right
    book.save(project.path / "inbox" / workbook.name)


def test_a_returned_row_is_read_as_its_whole_file_was(project: ProjectFolder, sandbox: SandboxServer) -> None:
    """02/03/2026 alone could be either day; the file it came from had shown that the month stands first."""
    mapping = project.path / "mappings" / "orders.yaml"
    mapping.write_text(mapping.read_text().replace(', format: "%m/%d/%Y"', ""))
    project.drop("orders_1.csv", order_row("1001", date="01/25/2026"), order_row("1002", date="02/03/2026", qty="x"))
    project.run()
    correct(project, "Qty", "x", "2")
    assert project.run().code == 0
    dates = {o["source_id"]: o["date_added"][:10] for o in sandbox.truth()["orderdesk"]["orders"]}
    assert dates == {"1001": "2026-01-25", "1002": "2026-02-03"}


def test_blank_order_cells_are_written_out_in_the_workbook(project: ProjectFolder, sandbox: SandboxServer) -> None:
    mapping = project.path / "mappings" / "orders.yaml"
    text = mapping.read_text().replace('skip_rows_where: {column: "Order #", is: ["", "TOTAL"]}', "fill_down: true")
    mapping.write_text(text)
    project.drop(
        "orders_1.csv", order_row("1001", sku="A"), order_row("", sku="B", qty="x"), order_row("1002", sku="C")
    )
    project.run()
    (workbook,) = project.workbooks()
    sheet = openpyxl.load_workbook(workbook)["Fix these rows"]
    assert [sheet.cell(row, 1).value for row in (2, 3)] == ["1001", "1001"]
    correct(project, "Qty", "x", "2")
    assert project.run().code == 0
    codes = {
        o["source_id"]: sorted(i["code"] for i in o["order_items"]) for o in sandbox.truth()["orderdesk"]["orders"]
    }
    assert codes == {"1001": ["A", "B"], "1002": ["C"]}
