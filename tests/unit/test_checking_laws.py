"""The laws: counts close for any rows, the order of rows does not matter, a bad neighbour changes no verdict."""

from __future__ import annotations

import tempfile
from collections import Counter
from functools import lru_cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from mapped import NEW_YORK, ORDER, ORDER_HEADER, mapping_of, rows_of

from pipeline.checking import Checked, check_file, load_schema
from pipeline.mapping.apply import bind, survey, typed

ROW = st.tuples(
    st.sampled_from(["1", "2", "3", "", " 1 ", "1.2E+11", "TOTAL"]),
    st.sampled_from(["1/5/2026", "1/5/2026", "", "1/6/2026", "31/31/2026", "#N/A"]),
    st.sampled_from(["1", "2.0", "2.5", "", "0", "-1", "x", "1,234"]),
    st.sampled_from(["5.00", "$1", "", "1,00", "9" * 20, "9999999999"]),
    st.sampled_from(["A", "", "1-Mar", "x" * 300, "\x00"]),
    st.sampled_from(["", "a@b.com", "a@b.com", "c@d.com", "nobody"]),
    st.sampled_from(["", "yes", "no"]),
)
DECLARED = ORDER.replace("parse: integer", 'parse: integer, decimal: "."')  # else a column decides for its cells
ROWS = st.lists(ROW, max_size=12)
NAMED = ROW.filter(lambda row: row[0].strip().isalnum())  # a line that names no order may be one of the order above it
POLICIES = st.sampled_from(["order", "row", "file"])


@lru_cache(maxsize=8)
def _bound(policy: str, filled: bool):
    skip, fill = "skip_rows_where: {column: Order, is: TOTAL}", f"fill_down: {str(filled).lower()}"
    text = DECLARED.replace("record: order", f"record: order\nreject: {policy}\n{skip}\n{fill}")
    with tempfile.TemporaryDirectory() as folder:
        return bind(mapping_of(Path(folder), text), ORDER_HEADER, NEW_YORK)


@lru_cache(maxsize=1)
def _schema():
    return load_schema(Path(), "order")


def judged(rows, policy, *, filled=False, block=100) -> Checked:
    bound = _bound(policy, filled)
    read = rows_of(rows, width=len(ORDER_HEADER))
    parts = [read.part(at, at + block) for at in range(0, len(read), block)]
    decisions = survey(bound, parts)
    return check_file(bound, [typed(bound, part, decisions) for part in parts], [], _schema())


@given(ROWS, POLICIES, st.booleans())
@settings(max_examples=60, deadline=None)
def test_counts_close_and_every_row_is_in_one_class(rows, policy, filled):
    checked = judged(rows, policy, filled=filled)
    accepted = [row for record in checked.records for row in record.rows]
    rejected = {rejection.row for rejection in checked.rejections}
    assert checked.read == len(rows)
    assert (checked.accepted, checked.rejected) == (len(accepted), len(rejected))
    assert checked.skipped == sum(row[0] == "TOTAL" for row in rows)
    assert len(set(accepted) | rejected) + checked.skipped == len(rows)
    assert all(len(record.lines) == len(record.rows) for record in checked.records)


@given(ROWS, POLICIES, st.booleans(), st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_the_size_of_blocks_does_not_matter(rows, policy, filled, block):
    whole, parts = judged(rows, policy, filled=filled), judged(rows, policy, filled=filled, block=block)
    assert whole.rejections == parts.rejections
    assert list(whole.records) == list(parts.records)


@given(st.lists(NAMED, max_size=12), st.sampled_from(["order", "file"]), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_rows_does_not_matter(rows, policy, random):
    shuffled = random.sample(rows, len(rows))
    one, other = judged(rows, policy), judged(shuffled, policy)
    assert Counter(_accepted(one, rows)) == Counter(_accepted(other, shuffled))
    assert {r.fingerprint() for r in one.records} == {r.fingerprint() for r in other.records}


@given(ROWS, NAMED, st.sampled_from(["order", "row"]))
@settings(max_examples=60, deadline=None)
def test_a_neighbour_changes_no_other_orders_verdict(rows, neighbour, policy):
    """What an order comes to depends on its own rows only."""
    alone = judged(rows, policy)
    together = judged([*rows, neighbour], policy)
    key = neighbour[0].strip()
    assert [r for r in alone.records if r.key != key] == [r for r in together.records if r.key != key]
    assert [r for r in alone.rejections if r.record_key != key] == [
        r for r in together.rejections if r.record_key != key and r.row != len(rows) + 2
    ]


@given(ROWS)
@settings(max_examples=40, deadline=None)
def test_what_is_accepted_under_order_is_accepted_under_row(rows):
    strict, lax = judged(rows, "order"), judged(rows, "row")
    assert {r.key for r in strict.records} <= {r.key for r in lax.records}
    assert Counter(_accepted(strict, rows)) <= Counter(_accepted(lax, rows))


def _accepted(checked: Checked, rows):
    return [rows[row - 2] for record in checked.records for row in record.rows]
