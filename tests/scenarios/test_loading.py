"""A command loads what it needs: who asks how things stand, or finds nothing new, waits for no reader of files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from project import ProjectFolder, order_row

from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer

PROGRAM = """
import sys
from pipeline.cli import cli

try:
    cli.main([sys.argv[1], "--project", sys.argv[2]])
finally:
    print(*sorted(set(sys.argv[3:]) & set(sys.modules)), file=sys.stderr)
"""
READING = ("numpy", "pandas", "pyarrow", "pandera", "pipeline.reading", "pipeline.take_in")
OTHERS = ("pipeline.targets.keap.v1", "pipeline.targets.keap.xmlrpc")


@pytest.mark.parametrize(
    ("command", "unneeded"), [("run", (*READING, *OTHERS)), ("status", (*READING, *OTHERS, "sqlalchemy", "structlog"))]
)
def test_a_command_without_a_file_loads_nothing_that_reads_one(
    tmp_path: Path, command: str, unneeded: tuple[str, ...]
) -> None:
    with SandboxServer(all_targets()) as sandbox:
        folder = ProjectFolder.make(tmp_path / "p", sandbox.base_urls(), to=("shop", "crm"))
        assert folder.run().code == 0
        program = [sys.executable, "-c", PROGRAM, command, str(folder.path), *unneeded]
        asked = subprocess.run(
            program, env=folder.environment(), capture_output=True, text=True, check=False, timeout=60
        )
    assert (asked.returncode, asked.stderr.splitlines()[-1]) == (0, ""), asked.stderr


def test_a_file_is_taken_in_handed_back_and_corrected_without_pandas(tmp_path: Path) -> None:
    with SandboxServer(all_targets()) as sandbox:
        folder = ProjectFolder.make(tmp_path / "p", sandbox.base_urls())
        folder.drop("orders_1.csv", order_row("1001"), order_row("1002", qty="two"))
        assert _loaded_by_run(folder) == (1, "")
        (workbook,) = (folder.path / "errors").glob("*.xlsx")
        _correct(workbook, "two", "2")
        workbook.rename(folder.path / "inbox" / workbook.name)
        assert _loaded_by_run(folder) == (0, "")


def _loaded_by_run(folder: ProjectFolder) -> tuple[int, str]:
    program = [sys.executable, "-c", PROGRAM, "run", str(folder.path), "pandas", "pandera"]
    asked = subprocess.run(program, env=folder.environment(), capture_output=True, text=True, check=False, timeout=60)
    return asked.returncode, asked.stderr.splitlines()[-1]


def _correct(path: Path, wrong: str, right: str) -> None:
    book = openpyxl.load_workbook(path)
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row if cell.value == wrong]
    assert cells
    for cell in cells:
        cell.value = right
    book.save(path)
