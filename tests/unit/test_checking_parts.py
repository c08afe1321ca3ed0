"""A row unfolded into parts is counted, judged and handed back as the one row it is in the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from mapped import NEW_YORK, ORDER, ORDER_HEADER, mapping_of, told

from pipeline.checking import Checked, check_file, load_schema
from pipeline.mapping.apply import bind, survey, typed
from pipeline.model import Rejection, encode_record, encoded_records
from pipeline.rows import Rows

PARTS = 10
GOOD = ("1", "1/5/2026", "1", "5.00", "A", "", "")


class ThreeItems:
    """Columns 2 to 4 stand three times in the file: Qty 1, Price 1, SKU 1, Qty 2 …"""

    parts = PARTS

    def place(self, position: int, part: int) -> tuple[str | None, str]:
        header = ORDER_HEADER[position]
        made = f"{header} {part + 1}" if 2 <= position <= 4 else header
        return made, made


def judged(
    folder: Path, rows: Sequence[tuple[int, tuple[str, ...]]], broken: Sequence[Rejection] = (), more: str = ""
) -> Checked:
    mapping = mapping_of(folder, ORDER + more)
    bound = bind(mapping, ORDER_HEADER, NEW_YORK, unfolded=ThreeItems())
    read = Rows.of([cells for _, cells in rows], [index for index, _ in rows], len(ORDER_HEADER))
    block = typed(bound, read, survey(bound, [read]))
    return check_file(bound, [block], broken, load_schema(folder, mapping.record))


def line(order: str = "1", **cells: str) -> tuple[str, ...]:
    named = dict(zip(ORDER_HEADER, GOOD, strict=True)) | {"Order": order} | cells
    return tuple(named.values())


def test_parts_are_lines_and_rows_are_counted_once(tmp_path):
    checked = judged(tmp_path, [(20, line()), (21, line(SKU="B")), (30, line("2")), (32, line("2", SKU="C"))])
    assert (checked.read, checked.accepted, checked.rejected, checked.skipped) == (2, 2, 0, 0)
    first, second = checked.records
    assert ([entry["sku"] for entry in first.lines], first.rows) == (["A", "B"], (2, 2))
    assert ([entry["sku"] for entry in second.lines], second.rows) == (["A", "C"], (3, 3))


def test_encoded_records_name_rows_and_not_parts(tmp_path):
    checked = judged(tmp_path, [(20, line()), (21, line(SKU="B"))])
    (bulk,) = encoded_records(checked.records)
    assert '"rows": [2, 2]' in bulk.text
    assert encode_record(checked.records[0])["rows"] == [2, 2]


@pytest.mark.parametrize("policy", ["row", "order"])
def test_a_row_goes_out_whole_or_not_at_all_and_names_the_part(tmp_path, policy):
    rows = [(20, line()), (21, line(Qty="x")), (30, line("2"))]
    checked = judged(tmp_path, rows, more=f"\nreject: {policy}\n")
    assert (checked.read, checked.accepted, checked.rejected) == (2, 1, 1)
    assert [record.key for record in checked.records] == ["2"]
    (rejection,) = checked.rejections
    assert (rejection.row, rejection.column, rejection.record_key) == (2, "Qty 2", "1")
    assert "'x' in 'Qty 2'" in rejection.message


def test_a_part_judged_wrong_by_the_schema_is_named_too(tmp_path):
    checked = judged(tmp_path, [(20, line()), (22, line(Qty="-1"))], more="\nreject: row\n")
    assert [(r.row, r.column) for r in checked.rejections] == [(2, "Qty 3")]
    assert "in 'Qty 3'" in checked.rejections[0].message


def test_what_lacks_in_a_part_is_named_by_its_place(tmp_path):
    checked = judged(tmp_path, [(20, line()), (21, line(Qty=""))])
    assert "'Qty 2' is empty" in checked.rejections[0].message


def test_a_row_of_two_orders_takes_both_along(tmp_path):
    rows = [(20, line()), (30, line("1", SKU="B")), (31, line("2", SKU="C")), (40, line("2", Qty="x"))]
    checked = judged(tmp_path, rows, more="\nreject: order\n")
    assert (checked.read, checked.accepted, checked.rejected) == (3, 0, 3)
    assert {(row, code) for row, code in told(checked)} >= {(4, "bad_number"), (2, "order_held_back")}


def test_a_skipped_part_leaves_the_row_and_a_row_of_skipped_parts_is_skipped(tmp_path):
    skip = '\nskip_rows_where: {column: Qty, is: ["0"]}\n'
    rows = [(20, line()), (21, line(Qty="0")), (30, line("2", Qty="0")), (31, line("2", Qty="0"))]
    checked = judged(tmp_path, rows, more=skip)
    assert (checked.read, checked.accepted, checked.rejected, checked.skipped) == (2, 1, 0, 1)


def test_a_part_that_cannot_be_taken_apart_is_named_once(tmp_path):
    broken = Rejection(21, "Items", "???", "bad_part", "It cannot be taken apart.", "Mend it.")
    checked = judged(tmp_path, [(20, line()), (21, line(Qty="", Price="", SKU=""))], [broken])
    assert told(checked) == [(2, "bad_part")]
    assert checked.rejected == 1
