"""Each sample file through reading, mapping and checking: the verdict on every row stands in a golden file.

Write the golden files anew with ``ORDERDROP_WRITE_GOLDEN=1`` and read the difference before it is committed.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.checking import Checked
from pipeline.judging import judge
from pipeline.project import load_plan
from pipeline.recognise import recognise
from pipeline.samples import write_samples

HERE = Path(__file__).parent
PROJECT = Path(__file__).parents[2]
FEEDS = ("acme_orders", "course_sales", "desk_orders", "shop_export", "stock_count")


def verdicts(inbox: Path, feed: str) -> dict[str, Any]:
    plan = load_plan(PROJECT, secrets=False)
    for path in write_samples(inbox):
        recognised = recognise(None, path, None, plan)
        if recognised.mapping.feed == feed:
            judged = judge(plan, recognised)
            return told(path.name, judged.checked)
    raise AssertionError(f"no sample was taken for {feed}")


def told(name: str, checked: Checked) -> dict[str, Any]:
    rows: dict[int, Any] = {row: "accepted" for record in checked.records for row in record.rows}
    for each in checked.rejections:
        assert each.message, "a rejection without a reason"
        assert each.advice, "a rejection that does not tell what to do"
        rows.setdefault(each.row, []).append(f"{each.code} @ {each.column or 'row'}")
    return {
        "file": name,
        "rows": {"read": checked.read, "accepted": checked.accepted, "rejected": checked.rejected}
        | {"skipped": checked.skipped},
        "verdicts": {str(row): rows[row] for row in sorted(rows)},
        "records": {record.key: len(record.lines) for record in checked.records},
    }


@pytest.mark.parametrize("feed", FEEDS)
def test_the_verdict_on_every_row_is_the_golden_one(tmp_path: Path, feed: str) -> None:
    golden = HERE / f"{feed}.golden.json"
    found = verdicts(tmp_path, feed)
    if os.environ.get("ORDERDROP_WRITE_GOLDEN"):
        golden.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert found == json.loads(golden.read_text("utf-8"))


@pytest.mark.parametrize("feed", FEEDS)
def test_the_counts_close_and_most_rows_are_good(tmp_path: Path, feed: str) -> None:
    found = verdicts(tmp_path, feed)
    counts = found["rows"]
    assert counts["read"] == counts["accepted"] + counts["rejected"] + counts["skipped"]
    assert counts["rejected"] > 0
    assert counts["accepted"] > counts["rejected"]
