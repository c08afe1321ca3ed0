"""The workbook of a file that was taken in before, written in a process of its own.

    python bench/hand_back_once.py PROJECT

Prints the size of the workbooks in ``errors/``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pipeline.hand_back import hand_back
from pipeline.project import load_plan, opened
from pipeline.sweeping import seldom_swept


def main(folder: Path) -> dict[str, int]:
    """Hand back what waits for a person."""
    with opened(load_plan(folder, secrets=False)) as project:
        remarks = hand_back(project).unwritten
        assert not remarks, remarks
    return {path.name: path.stat().st_size for path in sorted((folder / "errors").iterdir())}


if __name__ == "__main__":
    with seldom_swept():  # as the command does
        print(json.dumps(main(Path(sys.argv[1]))))
