"""Every shape an order can have in a file: its sample, its mapping, and the golden verdict on each row.

Write the golden files anew with ``ORDERDROP_WRITE_GOLDEN=1`` and read the difference before it is committed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.judging import Judging, judge
from pipeline.mapping.spec import load_mapping
from pipeline.model import encode_record
from pipeline.project import Plan, load_plan
from pipeline.recognise import recognise

SHAPES = Path(__file__).parent / "shapes"
PROJECT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in SHAPES.glob("*.yaml"))


def judged_of(name: str) -> Judging:
    plan = load_plan(PROJECT, secrets=False)
    mapping = load_mapping(SHAPES / f"{name}.yaml")
    (sample,) = (path for path in SHAPES.glob(f"{name}.*") if path.suffix in {".csv", ".xlsx"})
    with_mapping = Plan(plan.settings, {mapping.feed: mapping}, plan.accounts)
    return judge(with_mapping, recognise(None, sample, None, with_mapping))


def told(judged: Judging) -> dict[str, Any]:
    checked = judged.checked
    return {
        "rows": {"read": checked.read, "accepted": checked.accepted, "rejected": checked.rejected}
        | {"skipped": checked.skipped},
        "notes": list(judged.notes),
        "rejections": [[r.row, r.column, r.code, r.message] for r in checked.rejections],
        "records": [encode_record(record) for record in checked.records],
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_verdict_on_every_row_is_the_golden_one(name: str) -> None:
    golden = SHAPES / f"{name}.golden.json"
    found = told(judged_of(name))
    if os.environ.get("ORDERDROP_WRITE_GOLDEN"):
        golden.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert found == json.loads(golden.read_text("utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_the_counts_close_in_rows_of_the_file(name: str) -> None:
    judged = judged_of(name)
    rows = told(judged)["rows"]
    assert rows["read"] == rows["accepted"] + rows["rejected"] + rows["skipped"]
    assert rows["read"] == sum(len(block.rows) for block in judged.table.blocks(100))
    assert rows["rejected"] > 0
    for each in judged.checked.rejections:
        assert each.message, "a rejection without a reason"
        assert each.advice, "a rejection that does not tell what to do"
        assert each.column is None or each.column in judged.header, "a column that is not the file's own"
