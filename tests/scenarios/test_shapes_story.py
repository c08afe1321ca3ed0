"""Files with several lines in a row, through the command line: rows count as they stand in the file, the workbook hands
back its own columns, and dropped back it is unfolded again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from project import ProjectFolder

from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer

SHAPES = Path(__file__).parents[1] / "feeds" / "shapes"


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


def project_of(folder: Path, sandbox: SandboxServer, shape: str) -> ProjectFolder:
    project = ProjectFolder.make(folder / "p", sandbox.base_urls())
    for ending in ("yaml", "csv"):
        place = project.path / ("mappings" if ending == "yaml" else "inbox")
        (place / f"{shape}.{ending}").write_bytes((SHAPES / f"{shape}.{ending}").read_bytes())
    return project


def items(sandbox: SandboxServer) -> dict[str, list[tuple[str, int]]]:
    """By order number, code and quantity of its items at the target."""
    return {
        order["source_id"]: sorted((item["code"], int(float(item["quantity"]))) for item in order["order_items"])
        for order in sandbox.truth()["orderdesk"]["orders"]
    }


def corrected(project: ProjectFolder, workbook: str, cells: dict[tuple[str, str], str], key: str) -> None:
    """Write cells by the row's key and header into the workbook, and drop it back."""
    book = openpyxl.load_workbook(project.path / workbook)
    sheet = book["Fix these rows"]
    header = [cell.value for cell in sheet[1]]
    rows = {sheet.cell(at, header.index(key) + 1).value: at for at in range(2, sheet.max_row + 1)}
    for (order, column), text in cells.items():
        sheet.cell(rows[order], header.index(column) + 1).value = text
    book.save(project.path / "inbox" / Path(workbook).name)


def test_a_bad_item_brings_its_row_back_in_the_file_s_own_columns(tmp_path: Path, sandbox: SandboxServer) -> None:
    project = project_of(tmp_path, sandbox, "numbered_cells")
    first = project.run()
    assert first.code == 1, first.err
    (entry,) = first.json()["files"]
    assert entry["rows"] == {"read": 6, "accepted": 3, "rejected": 3, "skipped": 0}
    assert items(sandbox) == {"1001": [("A12", 1)], "1002": [("A15", 1), ("A16", 1)], "1006": [("A30", 1)]}

    sheet = openpyxl.load_workbook(project.path / entry["workbook"])["Fix these rows"]
    header = [cell.value for cell in sheet[1]]
    original = (SHAPES / "numbered_cells.csv").read_text().splitlines()
    assert header[:7] == original[0].split(",")
    assert [cell.value or "" for cell in sheet[2]][:7] == original[3].split(",")
    assert "in 'line_item_2: quantity'" in str(sheet.cell(2, header.index("Problem") + 1).value)
    reds = [cell.column for cell in sheet[2] if cell.fill.fgColor.rgb == sheet.cell(3, 6).fill.fgColor.rgb]
    assert reds == [6], "only line_item_2 is to blame"

    better = "name:Phone|sku:A11|quantity:2|total:8.80"
    corrected(project, entry["workbook"], {("1003", "line_item_2"): better}, "order_id")
    second = project.run()
    assert second.code == 1, second.err
    assert items(sandbox)["1003"] == [("A11", 2), ("A13", 1), ("B11", 1)]
    back = next(f for f in second.json()["files"] if f["file"].endswith(".errors.xlsx"))
    assert back["rows"] == {"read": 3, "accepted": 1, "rejected": 2, "skipped": 0}


@pytest.mark.parametrize(
    ("shape", "order", "cells", "then"),
    [
        ("numbered_groups", "F-3", {("F-3", "Qty 2"): "4"}, [("CUP", 1), ("POT", 4)]),
        ("packed_cell", "S-3", {("S-3", "Items"): "TEA x 2 @ 4.50"}, [("TEA", 2)]),
        ("parallel_cells", "M-3", {("M-3", "Quantities"): "1, 2, 5"}, [("A1", 1), ("B2", 2), ("C3", 5)]),
    ],
)
def test_a_corrected_cell_is_unfolded_again(
    tmp_path: Path,
    sandbox: SandboxServer,
    shape: str,
    order: str,
    cells: dict[tuple[str, str], str],
    then: list[tuple[str, int]],
) -> None:
    project = project_of(tmp_path, sandbox, shape)
    (entry,) = project.run().json()["files"]
    assert order not in items(sandbox)
    corrected(project, entry["workbook"], cells, "Order")
    again = project.run()
    assert items(sandbox)[order] == then, again.err
    assert again.json()["balanced"] is True


def test_a_file_without_the_numbered_columns_is_refused_in_words(tmp_path: Path, sandbox: SandboxServer) -> None:
    project = project_of(tmp_path, sandbox, "numbered_groups")
    path = project.path / "inbox" / "numbered_groups.csv"
    path.write_text(path.read_text().replace("Product ", "Article ").replace("Qty ", "No ").replace("Price ", "Cost "))
    done = project.run()
    assert done.code == 1
    notice = openpyxl.load_workbook(next((project.path / "errors").glob("*.xlsx")))
    told = " ".join(str(cell.value) for sheet in notice for row in sheet for cell in row if cell.value)
    assert "such as 'Product 1'" in told


def told_in(folder: Path) -> str:
    """Everything the notices in ``errors/`` say."""
    books = [openpyxl.load_workbook(path) for path in sorted((folder / "errors").glob("*.xlsx"))]
    return " ".join(str(cell.value) for book in books for sheet in book for row in sheet for cell in row if cell.value)


@pytest.mark.parametrize(
    ("shape", "change", "said", "proposed"),
    [
        ("numbered_groups", ("Email", "E-Mail address"), "'Email' is now 'E-Mail address'", "E-Mail address"),
        ("json_cell", ("created", "created_at"), "'created' is now 'created_at'", "created_at"),
        ("packed_cell", ("Items", "Item list"), "'Items' or 'Products' of the split (Did you mean", ""),
    ],
)
def test_a_renamed_column_of_a_shaped_feed_is_named_with_its_likely_new_one(
    tmp_path: Path, sandbox: SandboxServer, shape: str, change: tuple[str, str], said: str, proposed: str
) -> None:
    project = project_of(tmp_path, sandbox, shape)
    path = project.path / "inbox" / f"{shape}.csv"
    header, rest = path.read_text().split("\n", 1)
    path.write_text(header.replace(*change) + "\n" + rest)
    assert project.run().code == 1
    assert said in told_in(project.path)
    written = project.path / "mappings" / f"{shape}.proposal.yaml.txt"
    assert written.exists() == bool(proposed)
    if proposed:
        text = written.read_text()
        assert proposed in text
        assert ("unpivot" in text) or ("split" in text), "the shape stays as it was"
