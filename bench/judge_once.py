"""One file read, mapped and checked, in a process of its own; nothing is written: what those do that have no ledger.

    python bench/judge_once.py PROJECT FILE

Prints the same counts as ``bench/take_in_once.py``. The accepted records are there, ready to be asked for.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from pipeline.sweeping import loading, seldom_swept


def main(folder: Path, path: Path) -> dict[str, int]:
    """Read and judge the file."""
    with loading("pipeline.judging"):  # as the command does
        from pipeline.judging import judge
        from pipeline.project import load_plan
        from pipeline.recognise import recognise

    plan = load_plan(folder, secrets=False)
    read = accepted = rejected = 0
    for checked in judge(plan, recognise(None, path, None, plan)).portions():
        read, accepted, rejected = read + checked.read, accepted + checked.accepted, rejected + checked.rejected
    return {"read": read, "accepted": accepted, "rejected": rejected}


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command does
    with seldom_swept():  # as the command does, too
        print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
