"""Rows unfolded: every cell finds its line, every part its cell, and nothing a cell holds can break the reading."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapped import rows_of

from pipeline.errors import FileRefused
from pipeline.model import Rejection
from pipeline.reasons import Trouble
from pipeline.reshaping import Unfolding, unfolding
from pipeline.reshaping.apart import Apart
from pipeline.reshaping.unfold import PARTS
from pipeline.shapes import Pairs, Split

CELL = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)
FORM = Split(column=("Items",), between=(";",), form=("{SKU} x {Qty}",))
PAIRS = Split(column=("Items",), pairs=Pairs(("sku", "qty")))
JSON = Split(column=("Items",), items="lines", json={"sku": "sku", "size": "options.size", "first": "tags.0"})
LISTS = Split(columns=("A", "B"), between=(",", "\n"))
QTY = {"Qty": ("Qty {n}",), "SKU": ("SKU {n}",)}


def lines(split: Split, *cells: str, numeric: tuple[str, ...] = ("Qty",)) -> object:
    return Apart(split, frozenset(numeric), {}).lines(cells)


def because(found: object) -> str:
    assert isinstance(found, Trouble), found
    return found.details["because"]


def unfolded(unfold: Unfolding | None, *rows: tuple[str, ...], broken: tuple[Rejection, ...] = ()):
    assert unfold is not None
    return unfold.unfold(rows_of(rows), broken)


# --- numbered columns -----------------------------------------------------------------------------------------------


@given(st.lists(st.lists(CELL, min_size=7, max_size=7).map(tuple), min_size=1, max_size=6))
def test_every_filled_cell_of_a_numbered_column_stands_in_one_line(rows):
    header = ("Order", "Qty 1", "SKU 1", "Qty 2", "SKU 2", "Qty 10", "SKU 10")
    unfold = unfolding(QTY, None, header, "f")
    parts, _ = unfolded(unfold, *rows)
    assert unfold is not None
    qty, sku = unfold.header.index("Qty"), unfold.header.index("SKU")
    for number, row in enumerate(rows, 2):
        own = parts.chosen(parts.numbers // PARTS == number)
        told = list(zip(own[qty].to_pylist(), own[sku].to_pylist(), strict=True))
        filled = [pair for pair in (row[1:3], row[3:5], row[5:7]) if any(cell.strip() for cell in pair)]
        assert told == (filled or [row[1:3]])
        assert set(own[0].to_pylist()) == {row[0]}


def test_a_part_leads_back_to_its_own_columns():
    header = ("SKU 1", "SKU 2", "Qty 1", "Order", "Qty 2", "Qty 3")
    unfold = unfolding(QTY, None, header, "f")
    parts, _ = unfolded(unfold, ("A", "B", "1", "7", "2", "3"))
    assert unfold is not None
    places = [
        [unfold.place(position, int(index) % PARTS) for position in range(3)] for index in parts.numbers
    ]  # Order, Qty, SKU of each part
    assert places == [
        [("Order", "Order"), ("Qty 1", "Qty 1"), ("SKU 1", "SKU 1")],
        [("Order", "Order"), ("Qty 2", "Qty 2"), ("SKU 2", "SKU 2")],
        [("Order", "Order"), ("Qty 3", "Qty 3"), (None, "SKU 3")],
    ]


def test_repeated_headers_and_lists_of_headers_are_groups_too():
    repeated = unfolding({"Item": ("Item",)}, None, ("Order", "Item", "item "), "f")
    assert unfolded(repeated, ("1", "A", "B"))[0][1].to_pylist() == ["A", "B"]
    listed = unfolding({"Item": ("First", "Second")}, None, ("Second", "First"), "f")
    assert unfolded(listed, ("B", "A"))[0][0].to_pylist() == ["A", "B"]


def test_numbers_are_numbers_and_one_number_stands_for_one_column():
    unfold = unfolding({"Q": ("Q{n}",)}, None, ("Q10", "Q2", "Q02b", "q 1"), "f")
    assert unfold is not None
    assert [group.number for group in unfold.groups] == [2, 10]
    with pytest.raises(FileRefused) as caught:
        unfolding({"Q": ("Q{n}",)}, None, ("Q1", "Q01"), "f")
    assert caught.value.code == "repeated_column"


@pytest.mark.parametrize(
    ("unpivot", "split", "header", "code"),
    [
        ({"Q": ("Q{n}",)}, None, ("A", "B"), "missing_column"),
        ({"Q": ("Q{n}",)}, None, ("Q1", "Q"), "made_column_clashes"),
        ({"Items": ("Item {n}",)}, FORM, ("Item 1", "Items"), "made_column_clashes"),
        ({"Q": ("Q{n}",)}, None, tuple(f"Q{n}" for n in range(600)), "too_many_groups"),
        ({}, FORM, ("A",), "missing_column"),
        ({}, FORM, ("Items", "items"), ""),
        ({}, FORM, ("ITEMS", "items"), "repeated_column"),
        ({}, FORM, ("Items", "sku"), "made_column_clashes"),
        ({}, LISTS, ("A",), "missing_column"),
    ],
)
def test_columns_that_do_not_fit_the_shape_refuse_the_file(unpivot, split, header, code):
    if not code:
        assert unfolding(unpivot, split, header, "f") is not None
        return
    with pytest.raises(FileRefused) as caught:
        unfolding(unpivot, split, header, "f")
    assert caught.value.code == code


def test_a_row_with_shifted_cells_is_one_part_and_its_problem_stays_with_it():
    shifted = Rejection(2, None, None, "too_few_cells", "Too few.", "Mend it.")
    parts, broken = unfolded(unfolding(QTY, None, ("Qty 1", "Qty 2"), "f"), ("1", "2"), broken=(shifted,))
    assert parts.numbers.tolist() == [2 * PARTS]
    assert [r.row for r in broken] == [2 * PARTS]


# --- packed cells ---------------------------------------------------------------------------------------------------


@given(st.lists(st.text(max_size=40), min_size=2, max_size=2), st.sampled_from([FORM, PAIRS, JSON, LISTS]))
def test_no_text_breaks_the_reading_of_a_cell(cells, split):
    found = lines(split, *(cells if split.columns else cells[:1]))
    assert isinstance(found, Trouble) or all(len(line) == len(split.made) for line in found)


@given(st.lists(st.tuples(st.from_regex(r"[A-Z0-9-]{1,8}", fullmatch=True), st.integers(0, 999)), max_size=5))
def test_what_a_form_writes_it_reads(items):
    cell = "; ".join(f"{sku} x {qty}" for sku, qty in items)
    assert lines(FORM, cell) == [(sku, str(qty)) for sku, qty in items]


@given(st.lists(st.fixed_dictionaries({"sku": st.text(max_size=9), "qty": st.integers()}), max_size=5))
def test_what_json_writes_it_reads_with_numbers_as_their_text(items):
    split = Split(column=("Items",), items="lines", json={"sku": "sku", "qty": "qty"})
    assert lines(split, json.dumps({"lines": items})) == [(item["sku"], str(item["qty"])) for item in items]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("TEA", "is not of the form {SKU} x {Qty}"),
        ("A x 1 x 2 x 3", "in more than one way"),
        ("A" * 5000 + " x 1", "too long to look into"),
    ],
)
def test_an_item_that_does_not_fit_its_form_is_named(cell, said):
    assert said in because(lines(FORM, cell, numeric=()))


def test_an_item_with_thousands_of_marks_is_given_up_quickly():
    began = time.perf_counter()
    found = lines(Split(column=("I",), form=("{a} x {b} x {c} x {d} x {e}",)), "x " * 950, numeric=())
    assert isinstance(found, Trouble)
    assert time.perf_counter() - began < 2


def test_a_number_that_is_none_is_left_for_its_own_sentence():
    assert lines(FORM, "TEA x two") == [("TEA", "two")]


def test_pairs_are_read_by_name_and_strange_names_are_noted():
    strange: dict[str, None] = {}
    found = Apart(PAIRS, frozenset(), strange).lines(("SKU:A:1|color:Red|qty: 2 ",))
    assert found == [("A:1", "2")]
    assert list(strange) == ["color"]


@pytest.mark.parametrize(
    ("cell", "said"),
    [("sku:A|2", "'2' is not a name and a value"), ("sku:A|sku:B", "'sku' stands twice"), ("nothing", "is not a name")],
)
def test_pairs_that_are_none_are_named(cell, said):
    assert said in because(lines(PAIRS, cell))


def test_parallel_cells_must_hold_as_many_items():
    assert lines(LISTS, "a, b,", "1\n2") == [("a", "1"), ("b", "2")]
    assert lines(LISTS, "a,,c", "1,2,3") == [("a", "1"), ("", "2"), ("c", "3")]
    assert lines(LISTS, "a,b", "") == [("a", ""), ("b", "")]
    assert "2 in 'A', 1 in 'B'" in because(lines(LISTS, "a,b", "1"))


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("{", "it is not JSON"),
        ("[" * 100_000, "nests more than"),
        ('{"lines": ' + "[" * 40 + "]" * 40 + "}", "nests more than"),
        ('{"lines": [{"sku": NaN}]}', "NaN is not a number"),
        ('{"lines": [{"sku": 1, "sku": 2}]}', "stands twice"),
        ('{"lines": [{"sku": {"a": 1}}]}', "holds a list or an object"),
        ('{"other": []}', "nothing stands at 'lines'"),
        ("7", "nothing stands at 'lines'"),
        ('"' + "a" * 1_000_001 + '"', "too long"),
    ],
)
def test_json_that_nobody_can_rely_on_is_named(cell, said):
    assert said in because(lines(JSON, cell))


def test_json_paths_lead_into_objects_and_lists():
    cell = '{"lines": [{"sku": 1.10, "options": {"size": true}, "tags": ["x", "y"], "more": 1}, {"sku": null}]}'
    strange: dict[str, None] = {}
    assert Apart(JSON, frozenset(), strange).lines((cell,)) == [("1.10", "true", "x"), ("", "", "")]
    assert list(strange) == ["more"]
    assert lines(Split(column=("I",), json={"sku": "sku"}), '{"sku": "A"}') == [("A",)]


def test_more_items_than_a_row_may_have_are_refused_and_not_cut():
    unfold = unfolding({}, FORM, ("Items",), "f")
    parts, broken = unfolded(unfold, (";".join(["A x 1"] * (PARTS + 1)),))
    assert len(parts) == 1
    assert [r.code for r in broken] == ["too_many_parts"]


def test_items_of_numbered_cells_lead_back_to_the_cell_they_stand_in():
    unfold = unfolding(
        {"I": ("Item {n}",)}, Split(column=("I",), between=(";",), form=("{a} x {b}",)), ("Item 1", "Item 2"), "f"
    )
    parts, broken = unfolded(unfold, ("p x 1; q x 2", "r x 3"), ("s", ""))
    assert unfold is not None
    assert list(parts.lines()) == [("p", "1"), ("q", "2"), ("r", "3"), ("", "")]
    second, third = (int(index) % PARTS for index in parts.numbers[1:3])
    assert unfold.place(1, second) == ("Item 1", "Item 1, item 2: b")
    assert unfold.place(1, third) == ("Item 2", "Item 2, item 1: b")
    assert [(r.row, r.column) for r in broken] == [(3 * PARTS, "Item 1")]
