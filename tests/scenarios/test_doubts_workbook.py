"""What was not answered comes back in the workbook, and a person settles it there."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result
from openpyxl.worksheet.worksheet import Worksheet
from project import SECRETS, ProjectFolder, order_row

from pipeline.cli import cli
from pipeline.sandbox import all_targets
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.server import SandboxServer

SHEET = "Settle these doubts"
DECISION, REMOTE_ID, REFERENCE = "Decision", "Id at the target (if you know it)", "Doubt reference (leave as it is)"


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return ProjectFolder.make(tmp_path / "p", sandbox.base_urls(), to=("school",))


def call(project: ProjectFolder, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--project", str(project.path)])


def doubt_about(project: ProjectFolder, sandbox: SandboxServer, kind: str, *keys: str, bad: bool = False) -> Path:
    """Orders of which none was answered, and perhaps a bad row; gives the workbook that came back."""
    sandbox.faults.add([Fault(kind, target="influencersoft", times=len(keys))])
    rows = [order_row(key, sku="course-basic") for key in keys]
    if bad:
        rows.append(order_row("1999", sku="course-basic", qty="two"))
    project.drop("orders_1.csv", *rows)
    assert call(project, "run").exit_code == 1
    (workbook,) = project.workbooks()
    return workbook


def orders(sandbox: SandboxServer) -> list[str]:
    return sorted(order["tag"] for order in sandbox.truth()["influencersoft"]["orders"])


def column(sheet: Worksheet, header: str) -> int:
    return next(cell.column for cell in sheet[1] if cell.value == header)


def edit(workbook: Path, project: ProjectFolder, change: Callable[[openpyxl.Workbook], None], name: str = "") -> None:
    """What a person does: change the workbook, save it, drop it back."""
    book = openpyxl.load_workbook(workbook)
    change(book)
    book.save(project.path / "inbox" / (name or workbook.name))
    book.close()


def decide(word: str, remote_id: str = "", line: int = 2) -> Callable[[openpyxl.Workbook], None]:
    def change(book: openpyxl.Workbook) -> None:
        sheet = book[SHEET]
        sheet.cell(line, column(sheet, DECISION)).value = word
        if remote_id:
            sheet.cell(line, column(sheet, REMOTE_ID)).value = remote_id

    return change


def test_the_workbook_of_a_file_without_bad_rows_asks_about_its_doubts(
    project: ProjectFolder, sandbox: SandboxServer
) -> None:
    workbook = doubt_about(project, sandbox, "drop_after", "1001")
    book = openpyxl.load_workbook(workbook)
    assert book.sheetnames[:2] == ["Fix these rows", SHEET]
    assert book.active is not None
    assert book.active.title == SHEET
    sheet = book[SHEET]
    told = {header.value: cell.value for header, cell in zip(sheet[1], sheet[2], strict=True)}
    assert told["Key"] == "1001"
    assert told["Account"] == "school"
    assert "sent once" in told["What was sent"]
    assert "1 × Mug, blue (course-basic) at 12.5" in told["What was sent"]
    assert "Anna Berg <anna@example.com>" in told["What was sent"]
    assert "was not answered" in told["What was seen since"]
    assert "1001" in told["Search for"]
    assert not told[DECISION]
    (choice,) = sheet.data_validations.dataValidation
    assert choice.formula1 == '"It is there,Send it again,Let it be"'
    assert sheet.cell(2, column(sheet, DECISION)).coordinate in choice.sqref
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)
    assert "1 × Mug, blue" in call(project, "doubt").output


@pytest.mark.parametrize(
    ("kind", "word", "state", "there"),
    [
        ("drop_after", "It is there", "delivered", ["1001"]),
        ("drop_before", " send it AGAIN ", "delivered", ["1001"]),
        ("drop_before", "Let it be", "refused", []),
        ("drop_after", "delivered", "delivered", ["1001"]),
    ],
)
def test_a_decision_in_the_sheet_settles_the_doubt_and_retires_the_workbook(
    project: ProjectFolder, sandbox: SandboxServer, kind: str, word: str, state: str, there: list[str]
) -> None:
    workbook = doubt_about(project, sandbox, kind, "1001")
    edit(workbook, project, decide(word))
    ended = call(project, "run")
    assert ended.exit_code == 0, ended.output
    assert "1 decision was carried out." in ended.output
    assert orders(sandbox) == there
    assert json.loads(call(project, "find", "1001", "--json").output)["deliveries"][0]["state"] == state
    assert project.workbooks() == []
    assert project.status()["balanced"]
    assert {entry["state"] for entry in project.status()["files"]} == {"closed"}


def test_the_same_decision_dropped_twice_is_carried_out_once(project: ProjectFolder, sandbox: SandboxServer) -> None:
    workbook = doubt_about(project, sandbox, "drop_before", "1001")
    edit(workbook, project, decide("Send it again"))
    kept = shutil.copy(project.path / "inbox" / workbook.name, project.path / "kept.xlsx")
    sandbox.faults.add([Fault("drop_after", target="influencersoft", times=1)])
    assert call(project, "run").exit_code == 1, "sent again, and not answered again"
    shutil.copy(kept, project.path / "inbox" / "again.xlsx")
    ended = call(project, "run")
    assert ended.exit_code == 1
    assert "left alone" in ended.output
    assert orders(sandbox) == ["1001"], "the old decision is about the first sending, not about the second"


def test_rows_and_decisions_come_back_in_one_workbook(project: ProjectFolder, sandbox: SandboxServer) -> None:
    workbook = doubt_about(project, sandbox, "drop_after", "1001", bad=True)

    def change(book: openpyxl.Workbook) -> None:
        assert book.active is not None
        assert book.active.title == "Fix these rows"
        rows = book["Fix these rows"]
        rows.cell(2, column(rows, "Qty")).value = "1"
        decide("It is there")(book)

    edit(workbook, project, change)
    ended = call(project, "run")
    assert ended.exit_code == 0, ended.output
    assert orders(sandbox) == ["1001", "1999"]
    assert project.workbooks() == []


def test_only_the_rows_are_corrected_and_the_doubt_is_asked_again(
    project: ProjectFolder, sandbox: SandboxServer
) -> None:
    workbook = doubt_about(project, sandbox, "drop_after", "1001", bad=True)

    def change(book: openpyxl.Workbook) -> None:
        rows = book["Fix these rows"]
        rows.cell(2, column(rows, "Qty")).value = "1"

    edit(workbook, project, change)
    workbook.unlink()  # moved into the inbox, not copied
    assert call(project, "run").exit_code == 1
    (again,) = project.workbooks()
    book = openpyxl.load_workbook(again)
    assert book["Fix these rows"].max_row == 1
    assert book[SHEET].max_row == 2
    edit(again, project, lambda _book: None)
    again.unlink()
    ended = call(project, "run")
    assert "Nothing was decided" in ended.output
    assert len(project.workbooks()) == 1, "an undecided doubt stays in the tray"


def test_sorted_deleted_moved_and_added_columns_do_not_matter(project: ProjectFolder, sandbox: SandboxServer) -> None:
    workbook = doubt_about(project, sandbox, "drop_before", "1001", "1002", "1003")

    def change(book: openpyxl.Workbook) -> None:
        sheet = book[SHEET]
        rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        order = [rows[0], rows[3], rows[1]]  # sorted anew, and one row deleted
        words = ["Decision", "Let it be", "Send it again"]
        wanted = [i for i, text in enumerate(rows[0]) if text not in {"Age", "Decision", REMOTE_ID, "Row"}]
        del book[SHEET]
        del book["Fix these rows"]
        fresh = book.create_sheet(SHEET)
        for word, row in zip(words, order, strict=True):
            fresh.append([word, "my own note", *(row[i] for i in reversed(wanted))])

    edit(workbook, project, change, "whatever I call it.xlsx")
    assert call(project, "run").exit_code == 1
    assert orders(sandbox) == ["1001"]
    (left,) = json.loads(call(project, "doubt", "--json").output)["in_doubt"]
    assert left["key"] == "1002"
    (again,) = project.workbooks()
    assert openpyxl.load_workbook(again)[SHEET].max_row == 2


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_the_sheet_saved_as_csv(project: ProjectFolder, sandbox: SandboxServer, delimiter: str) -> None:
    workbook = doubt_about(project, sandbox, "drop_after", "1001")
    sheet = openpyxl.load_workbook(workbook)[SHEET]
    sheet.cell(2, column(sheet, DECISION)).value = "It is there"
    sheet.cell(2, column(sheet, REMOTE_ID)).value = "0042"
    with (project.path / "inbox" / "orders_1.errors.csv").open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=delimiter).writerows(sheet.iter_rows(values_only=True))
    ended = call(project, "run")
    assert ended.exit_code == 0, ended.output
    (found,) = json.loads(call(project, "find", "1001", "--json").output)["deliveries"]
    assert (found["state"], found["remote_id"]) == ("delivered", "0042")
    assert orders(sandbox) == ["1001"]


@pytest.mark.parametrize(
    ("word", "remote_id", "said"),
    [
        ("perhaps", "", "“perhaps” is no decision: choose “It is there”"),
        ("Send it again", "77", "goes without an id"),
        ("", "77", "'Decision' is empty"),
        ("=1+1", "", "is no decision"),
        ("It is there", "x" * 300, "is no id"),
    ],
)
def test_nonsense_settles_nothing_and_comes_back_with_a_sentence(
    project: ProjectFolder, sandbox: SandboxServer, word: str, remote_id: str, said: str
) -> None:
    workbook = doubt_about(project, sandbox, "drop_after", "1001")

    def change(book: openpyxl.Workbook) -> None:
        decide(word, remote_id)(book)
        sheet = book[SHEET]
        sheet.cell(2, column(sheet, DECISION)).data_type = "s"

    edit(workbook, project, change)
    ended = call(project, "run")
    assert ended.exit_code == 1
    assert said in ended.output
    (left,) = json.loads(call(project, "doubt", "--json").output)["in_doubt"]
    assert any(said in problem for problem in left["problems"])
    (again,) = project.workbooks()
    sheet = openpyxl.load_workbook(again)[SHEET]
    assert said in str(sheet.cell(2, column(sheet, "Problem")).value)
    edit(again, project, decide("It is there"))
    assert call(project, "run").exit_code == 0
    assert orders(sandbox) == ["1001"]


def test_a_damaged_reference_and_another_projects_workbook_settle_nothing(
    project: ProjectFolder, sandbox: SandboxServer
) -> None:
    workbook = doubt_about(project, sandbox, "drop_after", "1001")

    def change(book: openpyxl.Workbook) -> None:
        decide("Send it again")(book)
        sheet = book[SHEET]
        cell = sheet.cell(2, column(sheet, REFERENCE))
        cell.value = str(cell.value)[:-1] + "?"

    edit(workbook, project, change)
    ended = call(project, "run")
    assert ended.exit_code == 1
    assert "its reference was changed" in ended.output
    assert orders(sandbox) == ["1001"]
    other = ProjectFolder.make(project.path.parent / "other", sandbox.base_urls(), to=("school",))
    edit(project.workbooks()[0], other, decide("Send it again"))
    ended = call(other, "run")
    assert ended.exit_code == 0, ended.output
    assert "not known here" in ended.output


def test_a_doubt_settled_meanwhile_is_not_settled_again(project: ProjectFolder, sandbox: SandboxServer) -> None:
    workbook = doubt_about(project, sandbox, "drop_after", "1001", "1002")
    edit(workbook, project, lambda book: [decide("Send it again", line=line)(book) for line in (2, 3)] and None)
    held = shutil.move(project.path / "inbox" / workbook.name, project.path / "held.xlsx")
    first, second = json.loads(call(project, "doubt", "--json").output)["in_doubt"]
    assert call(project, "doubt", "settle", str(first["id"]), "--as", "delivered").exit_code == 0
    (refreshed,) = project.workbooks()
    assert openpyxl.load_workbook(refreshed)[SHEET].max_row == 2, "the workbook is refreshed as doubts settle"
    assert call(project, "doubt", "settle", str(second["id"]), "--as", "delivered").exit_code == 0
    assert project.workbooks() == []
    shutil.move(held, project.path / "inbox" / "held.xlsx")
    ended = call(project, "run")
    assert ended.exit_code == 0
    assert "2 decisions were left alone" in ended.output
    assert orders(sandbox) == ["1001", "1002"]


def test_two_rows_about_one_doubt_must_agree(project: ProjectFolder, sandbox: SandboxServer) -> None:
    workbook = doubt_about(project, sandbox, "drop_after", "1001")

    def change(book: openpyxl.Workbook) -> None:
        sheet = book[SHEET]
        decide("It is there")(book)
        row = [cell.value for cell in sheet[2]]
        row[column(sheet, DECISION) - 1] = "Send it again"
        sheet.append(row)

    edit(workbook, project, change)
    ended = call(project, "run")
    assert ended.exit_code == 1
    assert "Two rows decide differently" in ended.output
    assert orders(sandbox) == ["1001"]


def test_a_preview_of_such_a_workbook_says_what_it_is(project: ProjectFolder, sandbox: SandboxServer) -> None:
    workbook = doubt_about(project, sandbox, "drop_after", "1001")
    book = openpyxl.load_workbook(workbook)
    del book["Fix these rows"]
    book.save(project.path / "only.xlsx")
    told = call(project, "preview", str(project.path / "only.xlsx"))
    assert told.exit_code == 1
    assert "holds decisions" in told.output


def test_what_was_let_be_is_not_sent_by_tomorrows_file(project: ProjectFolder, sandbox: SandboxServer) -> None:
    workbook = doubt_about(project, sandbox, "drop_after", "1001")
    edit(workbook, project, decide("Let it be"))
    assert call(project, "run").exit_code == 0
    project.drop("orders_2.csv", order_row("1001", sku="course-basic"), order_row("1002", sku="course-basic"))
    assert call(project, "run").exit_code == 0, "a cumulative export brings the same order again"
    assert orders(sandbox) == ["1001", "1002"]
    project.drop("orders_3.csv", order_row("1001", sku="course-basic", qty="2"))
    ended = call(project, "run")
    assert ended.exit_code == 1
    assert orders(sandbox) == ["1001", "1002"]
    assert "let it be" in str(openpyxl.load_workbook(project.workbooks()[0])["Fix these rows"]["M2"].value)
    first = json.loads(call(project, "find", "1001", "--json").output)["deliveries"][0]
    assert call(project, "replay", str(first["id"])).exit_code == 0, "a person may always send it again"
    call(project, "run")
    assert orders(sandbox) == ["1001", "1001", "1002"]


@pytest.mark.parametrize("looked", [True, False], ids=["after a run", "at once"])
def test_a_row_that_was_thrown_away_does_not_come_back_when_a_doubt_beside_it_is_settled(
    project: ProjectFolder, sandbox: SandboxServer, looked: bool
) -> None:
    doubt_about(project, sandbox, "drop_after", "1001", bad=True).unlink()
    if looked:
        call(project, "run")
    (asked,) = json.loads(call(project, "doubt", "--json").output)["in_doubt"]
    assert call(project, "doubt", "settle", str(asked["id"]), "--as", "delivered").exit_code == 0
    assert call(project, "run").exit_code == 0
    assert project.workbooks() == []
