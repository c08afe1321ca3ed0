"""How quickly the command starts: ``orderdrop --help`` and ``orderdrop status`` against ``import pandas``.

    python bench/startup.py [--quick] [--rounds 9] [--json FILE]

Every round starts each program once, one after another, so that a busy machine slows them alike; a ratio is the median
of the rounds' own ratios. Byte code is compiled before the first round, as an installed package has it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from measure import arguments, keep, print_table

COMMAND = (sys.executable, "-c", "from pipeline.cli import main; main()")
GOAL = 1 / 3


def main(asked: argparse.Namespace) -> int:
    """Print the medians in seconds, and the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(Path(folder))
        project = Path(folder) / "project"
        _run((*COMMAND, "init", str(project)), environment)
        (project / "inbox").mkdir(exist_ok=True)
        _run((*COMMAND, "run", "--project", str(project)), environment)
        programs = {
            "import pandas": (sys.executable, "-c", "import pandas"),
            "orderdrop --help": (*COMMAND, "--help"),
            "orderdrop status": (*COMMAND, "status", "--project", str(project)),
            "orderdrop run (empty inbox)": (*COMMAND, "run", "--project", str(project)),
        }
        rows = _rows(_paired(programs, environment, 3 if asked.quick else asked.rounds))
    print_table(rows)
    keep(asked, "Start-up", rows)
    return 0


def _environment(folder: Path) -> Mapping[str, str]:
    """This environment with byte code in a folder of its own, and a text for every secret of the starter project."""
    secrets = ("ORDERDESK_API_KEY", "KEAP_API_KEY", "INFLUENCERSOFT_RPS_KEY", "KAPTURE_PUSH_KEY", "KAPTURE_UPDATE_KEY")
    known = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    root = str(Path(__file__).parent.parent)
    return {**known, **dict.fromkeys(secrets, "x"), "PYTHONPYCACHEPREFIX": str(folder / "pyc"), "PYTHONPATH": root}


def _paired(
    programs: Mapping[str, Sequence[str]], environment: Mapping[str, str], repeats: int
) -> dict[str, list[float]]:
    for program in programs.values():
        _run(program, environment)
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(repeats):
        for name, program in programs.items():
            seconds[name].append(_run(program, environment))
    return seconds


def _run(program: Sequence[str], environment: Mapping[str, str]) -> float:
    begun = time.perf_counter()
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1, 3}:
        raise SystemExit(f"{' '.join(program)}\n{done.stderr}")
    return time.perf_counter() - begun


def _rows(seconds: Mapping[str, Sequence[float]]) -> list[dict[str, Any]]:
    yardstick = seconds["import pandas"]
    rows = []
    for name, measured in seconds.items():
        ratio = statistics.median(one / other for one, other in zip(measured, yardstick, strict=True))
        bound = name.startswith(("orderdrop --help", "orderdrop status"))
        rows.append({
            "command": name,
            "seconds": f"{statistics.median(measured):.3f}",
            "of importing pandas": f"{ratio:.2f}",
            "goal 0.33": ("met" if ratio <= GOAL else "missed") if bound else "–",
        })  # fmt: skip
    return rows


if __name__ == "__main__":
    sys.exit(main(arguments(__doc__, rounds=9).parse_args()))
