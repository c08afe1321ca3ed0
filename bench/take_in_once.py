"""One file taken in, in a process of its own: read, mapped, checked and written to the ledger; nothing is delivered.

    python bench/take_in_once.py PROJECT FILE

FILE is claimed (moved). Prints the counts and the sums that the yardstick has to agree on, outside the time measured
by a person but inside the process: they cost one query.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from pipeline.sweeping import loading, seldom_swept


def main(folder: Path, path: Path) -> dict[str, int]:
    """Take the file in."""
    with loading("pipeline.take_in"):  # as the command does
        from pipeline.intake.claim import claim
        from pipeline.project import load_plan, opened
        from pipeline.take_in import take_in

    with opened(load_plan(folder, secrets=False)) as project:
        claimed = claim(path, None, project.plan.settings.var / "work")
        assert claimed is not None
        batch = take_in(project, claimed)
    return {"read": batch.rows_read, "accepted": batch.rows_accepted, "rejected": batch.rows_rejected}


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command does
    with seldom_swept():  # as the command does, too
        print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
