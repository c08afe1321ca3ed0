"""A file without a header, from the inbox to the target and back as a workbook."""

from __future__ import annotations

from pathlib import Path

import openpyxl
from project import HEADER, ORDERS_YAML, ProjectFolder, order_row

from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer


def test_columns_are_numbered_all_the_way(tmp_path: Path) -> None:
    with SandboxServer(all_targets()) as sandbox:
        project = ProjectFolder.make(tmp_path / "p", sandbox.base_urls())
        mapping = ORDERS_YAML.replace('"orders*"}', '"orders*", header_row: 0}')
        for number, name in enumerate(HEADER.split(","), start=1):
            mapping = mapping.replace(f'column: "{name}"', f'column: "column {number}"')
        (project.path / "mappings/orders.yaml").write_text(mapping + "  - {account: shop, operation: order}\n")
        project.drop("orders_1.csv", order_row("1002", qty="two"), header=order_row("1001"))
        first = project.run()
        (entry,) = first.json()["files"]
        assert (entry["rows"]["read"], entry["rows"]["accepted"], entry["rows"]["rejected"]) == (2, 1, 1), first.err
        book = openpyxl.load_workbook(project.path / entry["workbook"])
        sheet = book["Fix these rows"]
        assert [cell.value for cell in sheet[1]][:2] == ["column 1", "column 2"]
        sheet.cell(2, 11).value = "2"
        book.save(project.path / "inbox/orders_1.errors.xlsx")
        second = project.run()
        assert second.code == 0, second.err
        orders = sandbox.truth()["orderdesk"]["orders"]
        assert sorted(order["source_id"] for order in orders) == ["1001", "1002"]
