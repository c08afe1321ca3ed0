"""A command loads what it needs: who asks how things stand, or finds nothing new, waits for no reader of files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from project import ProjectFolder

from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer

PROGRAM = """
import sys
from pipeline.cli import cli

cli.main([sys.argv[1], "--project", sys.argv[2]], standalone_mode=False)
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
