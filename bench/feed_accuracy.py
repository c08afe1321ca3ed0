"""How well columns are matched to fields, against hand-made truth: ``python bench/feed_accuracy.py [--misses]``.

The truth stands in ``feed_truth.json``: headers of published exports and the field a person would choose, ``a|b``
where either is right. Files under ``"kept_aside"`` were not looked at while the matching was made. The files
themselves are not part of the project: ``ORDERDROP_EXPORTS`` names their folder.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.proposing.propose import propose
from pipeline.reading import open_table
from pipeline.sampling import shaped_columns_of

HERE = Path(__file__).parent
EXPORTS = Path(os.environ.get("ORDERDROP_EXPORTS", HERE.parent / "../shared/data/exports")).resolve()


@dataclass(frozen=True)
class Score:
    """Counts of one file or of many: ``right`` of ``proposed`` columns, ``found`` of ``wanted`` fields."""

    right: int = 0
    proposed: int = 0
    found: int = 0
    wanted: int = 0
    kinds_right: int = 0
    files: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    @property
    def precision(self) -> float:
        """Share of proposed columns that are right."""
        return self.right / self.proposed if self.proposed else 1.0

    @property
    def recall(self) -> float:
        """Share of the columns a person would map that were proposed rightly."""
        return self.found / self.wanted if self.wanted else 1.0


def truth() -> dict[str, dict[str, Any]]:
    """The two parts of the truth: ``seen`` and ``kept_aside``, each by file."""
    told: dict[str, dict[str, Any]] = json.loads((HERE / "feed_truth.json").read_text("utf-8"))
    return told


def proposed_for(path: Path) -> tuple[str, dict[str, str]]:
    """The record kind found for a file, and the field by header text."""
    columns, shape = shaped_columns_of(open_table(path))
    proposal = propose(columns, path.name, None, None, None, shape)
    return proposal.kind, {rule.column.header: rule.field for rule in reversed(proposal.rules)}


def score(kind: str, proposed: Mapping[str, str], wanted: Mapping[str, Any]) -> tuple[Score, list[str]]:
    """Compare one file's proposal with its truth; also what differs, in words."""
    fields = {header: (told, field) for told, field in wanted["fields"].items() for header in told.split("|")}
    hits = [fields[h][0] for h, f in proposed.items() if h in fields and f in fields[h][1].split("|")]
    wrong = [f"{h!r} is not {f}" for h, f in proposed.items() if h not in fields or f not in fields[h][1].split("|")]
    missed = [f"{told!r} is {field}" for told, field in wanted["fields"].items() if told not in hits]
    found = len(set(hits))
    counted = Score(found, len(proposed), found, len(wanted["fields"]), int(kind == wanted["kind"]), 1)
    return counted, [*wrong, *missed, *([f"record {kind} is {wanted['kind']}"] if kind != wanted["kind"] else [])]


def scores(part: Mapping[str, Any]) -> Iterator[tuple[str, Score, list[str]]]:
    """Score every file of one part of the truth."""
    for name, wanted in part.items():
        counted, misses = score(*proposed_for(EXPORTS / name), wanted)
        yield name, counted, misses


def main(arguments: Sequence[str]) -> int:
    """Print precision and recall per file and in all; 1 when the aim is missed, 0 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--misses", action="store_true", help="also tell each difference")
    chosen = parser.parse_args(arguments)
    if not EXPORTS.is_dir():
        print(f"There is no folder {EXPORTS}; ORDERDROP_EXPORTS names the folder of exports.")
        return 2
    good = True
    for part, files in truth().items():
        total = Score()
        for name, counted, misses in scores(files):
            total += counted
            print(_line(name, counted))
            if chosen.misses:
                print(*(f"      {miss}" for miss in misses), sep="\n", end="\n" if misses else "")
        print(_line(f"ALL {part}: kinds {total.kinds_right} of {total.files}", total), end="\n\n")
        good = good and total.precision > 0.9 and total.recall > 0.8
    return 0 if good else 1


def _line(name: str, counted: Score) -> str:
    return (
        f"{name:62} precision {counted.precision:.3f} ({counted.right}/{counted.proposed})"
        f"  recall {counted.recall:.3f} ({counted.found}/{counted.wanted})"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
