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
    assert "Nothing in the file looks like Product {n} of the unpivot" in told


def told_in(folder: Path) -> str:
    """Everything the notices in ``errors/`` say."""
    books = [openpyxl.load_workbook(path) for path in sorted((folder / "errors").glob("*.xlsx"))]
    return " ".join(str(cell.value) for book in books for sheet in book for row in sheet for cell in row if cell.value)


@pytest.mark.parametrize(
    ("shape", "changes", "said", "proposed"),
    [
        ("numbered_groups", {"Email": "E-Mail address"}, "'Email' is now 'E-Mail address'", "E-Mail address"),
        (
            "numbered_groups", {"Qty ": "Quantity ", "Product ": "Article "},
            "'Qty {n}' of the unpivot is now 'Quantity {n}'", '"Article {n}"',
        ),
        (
            "numbered_groups", {"Qty 3": "Quantity 3"},
            "'Qty {n}' of the unpivot is now 'Quantity {n} in some places'", '["Qty 1", "Qty 2", "Quantity 3"]',
        ),
        ("json_cell", {"created": "created_at"}, "'created' is now 'created_at'", "created_at"),
        (
            "packed_cell", {"Items": "Item list"},
            "'Items' of the split is now 'Item list'", '["Items", "Products", "Item list"]',
        ),
        ("packed_cell", {"Items": "Zzz"}, "'Items' of the split is now 'Zzz' (0.85)", '"Products", "Zzz"]'),
        (
            "parallel_cells", {"Quantities": "Quantity list"},
            "'Quantities' of the split is now 'Quantity list'", '["SKUs", "Quantity list", "Prices"]',
        ),
    ],
)  # fmt: skip
def test_a_renamed_column_of_a_shaped_feed_comes_with_a_mapping_that_takes_the_file(
    tmp_path: Path,
    sandbox: SandboxServer,
    shape: str,
    changes: dict[str, str],
    said: str,
    proposed: str,
) -> None:
    project = project_of(tmp_path, sandbox, shape)
    path = project.path / "inbox" / f"{shape}.csv"
    whole = path.read_text()
    header, rest = whole.split("\n", 1)
    for old, new in changes.items():
        header = header.replace(old, new)
    path.write_text(header + "\n" + rest)
    refused = project.run()
    assert refused.json()["files"][0]["state"] == "refused"
    assert said in told_in(project.path)
    text = (project.path / "mappings" / f"{shape}.proposal.yaml.txt").read_text()
    assert proposed in text
    assert "\nunpivot:" in text or "\nsplit:" in text, "the shape is still there"
    (project.path / "mappings" / f"{shape}.yaml").write_text(text)
    assert project.call("check").code == 0
    assert project.call("replay", "--file", f"{shape}.csv").code in {0, 1}
    taken = next(one for one in project.run().json()["files"] if one["state"] != "refused")
    as_ever = project_of(tmp_path / "as_ever", sandbox, shape).run().json()["files"][0]
    assert taken["rows"] == as_ever["rows"]


def test_the_columns_a_join_goes_by_may_be_renamed_too(tmp_path: Path, sandbox: SandboxServer) -> None:
    project = ProjectFolder.make(tmp_path / "p", sandbox.base_urls())
    (project.path / "mappings" / "two_files.yaml").write_bytes((SHAPES / "two_files_lines.yaml").read_bytes())
    for part, old, new in (("lines", "receipt,", "receipt no.,"), ("heads", "no,", "number,")):
        text = (SHAPES / f"two_files_{part}.csv").read_text()
        (project.path / "inbox" / f"two_files_{part}.csv").write_text(text.replace(old, new, 1))
    project.run()
    assert "'receipt' of the join is now 'receipt no.'" in told_in(project.path)
    text = (project.path / "mappings" / "two_files.proposal.yaml.txt").read_text()
    assert 'on: {"receipt no.": "number"}' in text
    assert 'order_id:   {column: ["receipt", "receipt no."]}' in text


def test_more_numbered_columns_are_taken_or_refused_and_never_left_out(tmp_path: Path, sandbox: SandboxServer) -> None:
    project = project_of(tmp_path, sandbox, "numbered_groups")
    path = project.path / "inbox" / "numbered_groups.csv"
    header = "Order,Date,Buyer,Email,Product 1,Qty 1,Price 1,Product 2,Qty 2,Price 2"
    row = "G-1,01/05/2026,Lena Berg,ann@example.com,CUP,2,$4.00,POT,1,$18.50"
    path.write_text(f"{header},Product 3,Qty 3,Price 3\n{row},TRAY,3,$2.00\n")
    mapping = project.path / "mappings" / "numbered_groups.yaml"
    listed = '{Product: ["Product 1", "Product 2"], Qty: ["Qty 1", "Qty 2"], Price: ["Price 1", "Price 2"]}'
    mapping.write_text(
        mapping.read_text().replace('{Product: "Product {n}", Qty: "Qty {n}", Price: "Price {n}"}', listed)
    )
    assert project.run().json()["files"][0]["state"] == "refused"
    assert "'Product 3', 'Qty 3', 'Price 3', which go on" in told_in(project.path)
    text = (project.path / "mappings" / "numbered_groups.proposal.yaml.txt").read_text()
    assert '["Product 1", "Product 2", "Product 3"]' in text
    mapping.write_text(text)
    project.call("replay", "--file", "numbered_groups.csv")
    assert project.run().code == 0
    assert items(sandbox)["G-1"] == [("CUP", 2), ("POT", 1), ("TRAY", 3)]


def test_a_group_that_lost_a_column_is_refused(tmp_path: Path, sandbox: SandboxServer) -> None:
    project = project_of(tmp_path, sandbox, "numbered_groups")
    path = project.path / "inbox" / "numbered_groups.csv"
    path.write_text(path.read_text().replace("Product 3", "Zzz", 1))
    assert project.run().json()["files"][0]["state"] == "refused"
    assert "The file lacks the column 'Product 3'" in told_in(project.path)
