"""Reading in bulk gives what reading row by row gives, for any bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.errors import FileRefused
from pipeline.reading import Hints, csv_file, open_table, plain_csv

PIECES = st.sampled_from(
    ["a", "1", "é", ",", ",", ",", '"', '""', "\n", "\n", "\r\n", "\r", " ", "x", "\ufeff", "\x00", "\u2028", "\x85",
     ";", "=", "'", "NULL", "\x1c"]
)  # fmt: skip
REGULAR = st.lists(
    st.lists(st.sampled_from(["a", "b c", '"d,e"', '"f""g"', "", '"h"i', 'j"k', " ", '""']), min_size=3, max_size=3),
    max_size=12,
).map(lambda rows: "".join(",".join(row) + "\n" for row in rows))
ANY = st.lists(PIECES, max_size=60).map("".join)


def told(path: Path, monkeypatch: pytest.MonkeyPatch, *, bulk: bool, size: int) -> object:
    """Everything that reading tells of a file: rows, what is broken, what stands beyond the header; or the refusal."""
    monkeypatch.setattr(csv_file, "WORTH_IT", 1 if bulk else 10**9)
    try:
        blocks = list(open_table(path, Hints()).blocks(size))
    except FileRefused as refused:
        return refused.code, refused.message
    rows = [
        (number, *cells)
        for block in blocks
        for number, cells in zip(block.rows.numbers.tolist(), map(list, block.rows.lines()), strict=True)
    ]
    assert all(0 < len(block.rows) < 2 * size for block in blocks)  # in bulk they have about that many
    assert all(column.type == pa.large_string() for block in blocks for column in block.rows.columns)
    return rows, [r for block in blocks for r in block.broken], [o for block in blocks for o in block.overflow.items()]


@given(
    st.one_of(REGULAR, ANY), st.one_of(REGULAR, ANY), st.sampled_from([1, 7, 30, 1 << 23]), st.sampled_from([2, 500]),
    st.sampled_from([12, 40, 1 << 21]),
)  # fmt: skip
@example('a,b,c\n1,"2\n', "3,4\n", 8, 500, 1 << 21)
@example("a,b,c\n\n\n1,2,3\n", ",,\n\n", 8, 500, 1 << 21)
@example("a,b,c\n1,2,3\n", "4,5\n", 6, 500, 1 << 21)
@example('1,2,3\n4,5,"6', "", 1 << 23, 500, 1 << 21)
@example('1,2,3\n4,"5\n5"5,6\n', "7,8,9", 1 << 23, 500, 1 << 21)
@example("a,a,a\na,a,a\n", "a,a,a\n" * 3, 30, 2, 1 << 21)
@example('1,"2,\n3",4\n' * 9, '"5\r\n",6,"7""8"\n' * 9, 1 << 23, 500, 12)
@example('1,"2,\n3",4\n' * 9, '"5\r\n",6,"7""8"\n' * 9, 1 << 23, 500, 40)
@settings(max_examples=300, deadline=None)
def test_any_text_reads_alike(first: str, second: str, stretch: int, size: int, at_once: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as monkeypatch:
        path = Path(folder) / "file.csv"
        path.write_bytes(b"Order,Name,Price\n" + (first + second).encode())
        monkeypatch.setattr(plain_csv, "STRETCH", stretch)
        monkeypatch.setattr(plain_csv, "_AT_ONCE", at_once)
        assert told(path, monkeypatch, bulk=True, size=size) == told(path, monkeypatch, bulk=False, size=size)


@pytest.mark.parametrize("stretch", [4, 12])
@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfOrder,Name\n1,a\n2,b\n",
        b'"Order","The\nname"\n1,a\n2,b\n',
        b"Report of today\n\nOrder,Name\n1,a\n\n2,b\n",
        b'"Order","Name"\r\n"1","a, b"\r\n"2","c ""d"""',
        b"Order\tName\n1\ta\n2\tb\n",
        b"Order,Name\r1,a\r2,b\r",
        b"Order,Name\n1,a\n\xef\xbb\xbf2,b\n",
        "Order,Näme\n1,ä\n".encode("cp1252"),
        "Order,Name\n1,ä\n".encode("utf-16"),
        b"sep=;\nOrder;Name\n1;a\n",
        b'Order, "Name"\n1, "a"\n',
        b"Order,Name\n1,a\n2,b\n3,\xff\n",
    ],
)
def test_every_kind_of_file_reads_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, stretch: int
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    monkeypatch.setattr(plain_csv, "STRETCH", stretch)
    assert told(path, monkeypatch, bulk=True, size=3) == told(path, monkeypatch, bulk=False, size=3)


def test_a_plain_file_is_read_in_bulk_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.csv"
    path.write_text("Order,Name\n" + "".join(f'{n},"a, {n}"\n' for n in range(3000)))
    table = open_table(path, Hints())
    monkeypatch.setattr(csv_file, "make_blocks", None)  # reading row by row would stumble
    assert [len(block.rows) for block in table.blocks(1000)] == [1000, 1000, 1000]


def test_behind_the_first_odd_row_reading_goes_on_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.csv"
    rows = [f"{n},a" for n in range(3000)]
    rows[2000] = '2000,"a\nb"'
    rows[2500] = "2500"
    path.write_text("Order,Name\n" + "\n".join(rows))
    monkeypatch.setattr(plain_csv, "STRETCH", 4096)
    blocks = list(open_table(path, Hints()).blocks(1000))
    numbers = [number for block in blocks for number in block.rows.numbers]
    assert numbers == list(range(2, 3002))
    assert [(r.row, r.code) for block in blocks for r in block.broken] == [(2502, "too_few_cells")]
