"""How quickly the command starts: ``orderdrop --help`` and ``orderdrop status`` against ``import pandas``.

    python bench/startup.py [--repeats 9]

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

COMMAND = (sys.executable, "-c", "from pipeline.cli import main; main()")
GOAL = 1 / 3


def main(repeats: int) -> None:
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
        _tell(_paired(programs, environment, repeats))


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


def _tell(seconds: Mapping[str, Sequence[float]]) -> None:
    yardstick = seconds["import pandas"]
    for name, measured in seconds.items():
        ratio = statistics.median(one / other for one, other in zip(measured, yardstick, strict=True))
        print(f"{name:30} {statistics.median(measured):6.3f} s   {ratio:5.2f} of importing pandas")
    print(f"goal for --help and status: {GOAL:.2f}")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--repeats", type=int, default=9)
    main(options.parse_args().repeats)
