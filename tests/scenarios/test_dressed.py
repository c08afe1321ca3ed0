"""Files that are called Excel and are something else, through the command line: shown, sent, handed back, corrected."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest
from project import HEADER, ProjectFolder, order_row

from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer

Lines = list[list[str]]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer) -> ProjectFolder:
    return ProjectFolder.make(tmp_path / "p", sandbox.base_urls())


def as_page(lines: Lines) -> str:
    rows = ("<tr>" + "".join(f"<td>{cell}</td>" for cell in line) + "</tr>" for line in lines)
    return f"<html><body><table border=1>{''.join(rows)}</table></body></html>"


def as_grouped_page(lines: Lines) -> str:
    """The same with a header of two rows: groups over the names of addresses and items."""
    names = "".join(f"<td rowspan=2>{name}</td>" for name in lines[0][:4])
    groups = f"<tr>{names}<td colspan=4>Ship to</td><td colspan=4>Item</td></tr>"
    first, rest = as_page([lines[0][4:]]), as_page(lines[1:])
    table = first[first.index("<tr>") : first.index("</table>")] + rest[rest.index("<tr>") :]
    return f"<html><body><table>{groups}{table}"


def as_xml(lines: Lines) -> str:
    rows = (
        "<Row>" + "".join(f'<Cell><Data ss:Type="String">{cell}</Data></Cell>' for cell in line) + "</Row>"
        for line in lines
    )
    names = "urn:schemas-microsoft-com:office:spreadsheet"
    table = f'<Worksheet ss:Name="Orders"><Table>{"".join(rows)}</Table></Worksheet>'
    return f'<?xml version="1.0"?><Workbook xmlns="{names}" xmlns:ss="{names}">{table}</Workbook>'


@pytest.mark.parametrize(("kind", "dress"), [("html", as_page), ("html", as_grouped_page), ("xml", as_xml)])
def test_a_dressed_file_is_shown_sent_and_handed_back_by_its_own_rows(
    project: ProjectFolder, sandbox: SandboxServer, kind: str, dress: Callable[[Lines], str]
) -> None:
    good, bad = f"00{dress.__name__}1", f"00{dress.__name__}2"
    lines = list(csv.reader((HEADER, order_row(good), order_row(bad, qty="two"))))
    (project.path / "inbox/orders_1.xls").write_text(dress(lines))
    shown = project.call("preview", str(project.path / "inbox/orders_1.xls"), "--json")
    assert shown.json()["found"]["format"] == kind
    first = project.run()
    assert first.code == 1, first.err
    (told,) = [entry for entry in first.json()["files"] if entry["file"] == "orders_1.xls"]
    assert told["rows"] == {"read": 2, "accepted": 1, "rejected": 1, "skipped": 0}
    book = openpyxl.load_workbook(project.path / told["workbook"])
    sheet = book["Fix these rows"]
    assert [cell.value for cell in sheet[1]][:12] == HEADER.split(",")
    assert "two" in [cell.value for cell in sheet[2]]
    sheet.cell(2, HEADER.split(",").index("Qty") + 1).value = "2"
    book.save(project.path / "inbox/orders_1.errors.xlsx")
    assert project.run().code == 0
    sent = [order["source_id"] for order in sandbox.truth()["orderdesk"]["orders"]]
    assert (sent.count(good), sent.count(bad)) == (1, 1)
    assert project.status()["balanced"]
