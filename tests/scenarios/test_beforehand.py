"""What the watch loads while it is idle is all that a pass with a file needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from project import SECRETS, ProjectFolder, order_row

from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer

PROGRAM = """
import sys, threading
from pathlib import Path
import pipeline.watch
from pipeline.beforehand import load_beforehand
from pipeline.delivery.clock import RealClock
from pipeline.progress import Quiet
from pipeline.project import load_good_plan, opened
from pipeline.reload import wrong_schemas
from pipeline.run import one_pass

plan, _ = load_good_plan(Path(sys.argv[1]))
wrong_schemas(plan)
load_beforehand().join()
before = set(sys.modules)
with opened(plan, RealClock()) as project:
    passed = one_pass(project, threading.Event(), Quiet())
assert [batch.rows_accepted for batch in passed.batches] == [1], passed
rooms = {"pipeline", "pandas", "pandera", "pyarrow", "pycountry"}
print(*sorted(name for name in set(sys.modules) - before if name.partition(".")[0] in rooms))
"""


def test_a_pass_with_a_file_loads_nothing_that_was_not_loaded_beforehand(tmp_path: Path) -> None:
    with SandboxServer(all_targets()) as sandbox:
        folder = ProjectFolder.make(tmp_path / "p", sandbox.base_urls())
        folder.drop("orders_1.csv", order_row("1001"))
        told = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(folder.path)],
            env={**os.environ, **SECRETS}, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert (told.returncode, told.stdout.split()) == (0, []), told.stderr
