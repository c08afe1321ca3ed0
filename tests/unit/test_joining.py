"""Two tables joined: every line keeps its number, and a row nobody can rely on joins nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import FileRefused
from pipeline.joining import joined
from pipeline.reading import open_table
from pipeline.reading.table import Table
from pipeline.shapes import Join, same_place

ON = Join(on={"Order": "No"}, files="x*")
LINES = "Order,SKU\nA,1\nA,2\nB,3\n"
HEADS = "No,Name\nA,Lena\nB,Jon\n"


def table(folder: Path, name: str, text: str) -> Table:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return open_table(path)


def join(folder: Path, lines: str = LINES, heads: str = HEADS, rule: Join = ON, *, fill: bool = False) -> Table:
    return joined(table(folder, "l.csv", lines), table(folder, "h.csv", heads), rule, "'h.csv'", "f", fill=fill)


def rows(made: Table, size: int = 100) -> list[list[str]]:
    return [
        list(row)
        for block in made.blocks(size)
        for row in zip(block.rows.numbers.tolist(), *(c.to_pylist() for c in block.rows.columns), strict=True)
    ]


def codes(made: Table) -> list[tuple[int, str]]:
    return [(r.row, r.code) for block in made.blocks(100) for r in block.broken]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_every_line_gets_the_row_of_its_key(tmp_path, size):
    made = join(tmp_path)
    assert made.header == ("Order", "SKU", "Name")
    assert rows(made, size) == [[2, "A", "1", "Lena"], [3, "A", "2", "Lena"], [4, "B", "3", "Jon"]]


def test_a_name_that_both_have_is_told_apart(tmp_path):
    assert join(tmp_path, heads="No,SKU\nA,x\nB,y\n").header == ("Order", "SKU", "SKU (joined)")


def test_what_cannot_be_relied_on_joins_nothing(tmp_path):
    made = join(tmp_path, "Order,SKU\nA,1\nB,2\nC,3\n,4\n", 'No,Name\nA,Lena\nA,Eva\nB,Jon,"more"\n')
    assert rows(made) == [[2, "A", "1", ""], [3, "B", "2", ""], [4, "C", "3", ""], [5, "", "4", ""]]
    assert codes(made) == [(2, "no_joined_row"), (3, "no_joined_row"), (4, "no_joined_row"), (5, "no_joined_row")]


@pytest.mark.parametrize("size", [1, 100])
def test_blank_keys_below_the_first_line_of_an_order(tmp_path, size):
    made = join(tmp_path, "Order,SKU\nA,1\n,2\nB,3\n", fill=True)
    assert [row[3] for row in rows(made, size)] == ["Lena", "Lena", "Jon"]


def test_rows_that_no_line_asks_for_are_not_lost_in_silence(tmp_path):
    heads = HEADS + "C,Eva\n,Total\n"
    with pytest.raises(FileRefused) as caught:
        join(tmp_path, heads=heads)
    assert caught.value.code == "orders_without_lines"
    assert "'C' (row 4), row 5 (without a key)" in caught.value.message
    ignoring = Join(on={"Order": "No"}, files="x*", without_lines="ignore")
    assert "'C' (row 4)" in " ".join(join(tmp_path, heads=heads, rule=ignoring).found.notes)


@pytest.mark.parametrize(
    ("on", "code"),
    [({"Order": "Num"}, "missing_column"), ({"Ordr": "No"}, "missing_column"), ({"SKU": "x"}, "missing_column")],
)
def test_a_key_column_that_is_not_there_is_named(tmp_path, on, code):
    with pytest.raises(FileRefused) as caught:
        join(tmp_path, rule=Join(on=on, files="x*"))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("pattern", "name", "place"),
    [
        ("till_lines_*", "TILL_lines_0105.csv", "0105"),
        ("till_lines_*.csv", "till_lines_0105.csv", "0105"),
        ("till_lines_*.csv", "till_lines_0105.xlsx", None),
        ("*_lines.csv", "0105_lines.csv", "0105"),
        ("lines.csv", "lines.csv", ""),
        ("a*a", "a", None),
    ],
)
def test_names_of_a_pair_have_the_same_text_in_one_place(pattern, name, place):
    assert same_place(pattern, name) == place
