"""A file is what its content says; what is no table is refused in words."""

from __future__ import annotations

import os
import random
import tracemalloc
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from pipeline.errors import FileRefused
from pipeline.reading import blocks, formats, open_table, sniff_format, xls_file

OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def ole2(entry: str) -> bytes:
    """The beginning of an OLE2 file (512-byte sectors, directory in the first) that names one entry."""
    header = bytearray(OLE2.ljust(512, b"\0"))
    header[30:32] = (9).to_bytes(2, "little")
    return bytes(header) + (entry + "\0").encode("utf-16-le").ljust(1024, b"\0")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7 ...", "PDF"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "picture"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 50, "picture"),
        (b"\x1f\x8b" + b"\0" * 50, "compressed"),
        (b"\xef\xbb\xbf\r\n<!DOCTYPE HTML><p>", "web page"),
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related", "web archive"),
        (b"<?xml version='1.0'?><Workbook/>", "XML"),
        (b'{"orders": []}', "JSON"),
        (b'[\n {"id": 1}]', "JSON"),
        (random.Random(3).randbytes(5000), "binary"),
        (bytes(byte for byte in random.Random(3).randbytes(5000) if byte), "binary"),
        (ole2("WordDocument"), "Word"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "orders.xls"
    path.write_bytes(content)
    with pytest.raises(FileRefused, match=words) as caught:
        open_table(path)
    assert caught.value.code == "not_a_table"
    assert caught.value.advice


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<html><body><table></table></body></html>", "html"),
        ("<?xml version='1.0'?><!-- made by a shop --><html xmlns='http://www.w3.org/1999/xhtml'>", "html"),
        ("<p>Orders</p><table><tr><td>", "html"),
        ("<ss:Workbook xmlns:ss='urn:schemas-microsoft-com:office:spreadsheet'>", "xml"),
        ("<tag>,<name>\n1,2\n", "csv"),
    ],
)
def test_markup_is_told_by_its_first_tags(tmp_path: Path, text: str, kind: str) -> None:
    path = tmp_path / "orders.xls"
    path.write_text(text)
    assert sniff_format(path) == kind


def test_the_ending_of_the_name_does_not_decide(tmp_path: Path) -> None:
    text = tmp_path / "orders.xls"
    text.write_text("id\tname\n1\tBob\n")
    opened = open_table(text)
    assert (opened.header, opened.found.format) == (("id", "name"), "csv")
    assert "ends in .xls" in opened.found.notes[0]

    book = openpyxl.Workbook()
    book.active.append(["id", "name"])
    book.active.append([1, "Bob"])
    book.save(tmp_path / "orders.xlsx")
    (tmp_path / "orders.xlsx").rename(tmp_path / "orders.csv")
    opened = open_table(tmp_path / "orders.csv")
    assert (opened.header, opened.found.format) == (("id", "name"), "xlsx")
    assert "ends in .csv" in opened.found.notes[0]


def test_a_text_may_begin_with_the_letters_of_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "keys.csv"
    path.write_text("PKID,name\n1,Bob\n")
    assert open_table(path).header == ("PKID", "name")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (ole2("EncryptionInfo"), "password_protected"),
        (ole2("Workbook"), "damaged_workbook"),
        (OLE2, "damaged_workbook"),
        (b"PK\x03\x04" + random.Random(1).randbytes(500), "damaged_workbook"),
    ],
)
def test_locked_and_damaged_workbooks(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "orders.xlsx"
    path.write_bytes(content)
    with pytest.raises(FileRefused) as caught:
        open_table(path)
    assert caught.value.code == code


def test_a_zip_of_other_files_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "orders.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("orders.csv", "id,name\n1,Bob\n")
    with pytest.raises(FileRefused, match="zip archive") as caught:
        sniff_format(path)
    assert "Unpack" in caught.value.advice


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "spreadsheetml.sheet.main+xml")
        archive.writestr("xl/workbook.xml", b"0" * 60_000_000)
    with pytest.raises(FileRefused) as caught:
        open_table(path)
    assert caught.value.code == "too_large_inside"


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"])
def test_what_is_read_as_a_stream_may_be_larger(part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "LARGEST_WHOLE", 1_000)
    monkeypatch.setattr(formats, "LARGEST_STREAMED", 5_000)
    path = tmp_path / "orders.xlsx"
    for size, passes in ((900, True), (4_900, True), (5_100, False)):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("[Content_Types].xml", "spreadsheetml.sheet.main+xml")
            archive.writestr(part, b"0" * size)
        if passes:
            assert sniff_format(path) == "xlsx"
            continue
        with pytest.raises(FileRefused) as caught:
            sniff_format(path)
        assert caught.value.code == "too_large_inside"


def test_rows_that_reach_far_beyond_the_header_are_refused_in_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "MOST_BLANKS", 2_000_000)
    path = tmp_path / "orders.xlsx"
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "name"])
        for row in range(1, 1000):
            sheet.write_number(row, 0, row)
            sheet.write_string(row, 9 if row < 200 else 16_383, "far")
    tracemalloc.start()
    with pytest.raises(FileRefused) as caught:
        list(open_table(path).blocks(100))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.code == "too_large_inside"
    assert peak < 40_000_000


def test_folders_pipes_and_missing_files_are_unreadable(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path, tmp_path / "pipe.csv", tmp_path / "gone.csv"):
        with pytest.raises(FileRefused) as caught:
            open_table(path)
        assert caught.value.code == "unreadable"
        assert path.name in caught.value.message


def test_an_old_workbook_that_memory_could_not_hold_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "orders.xls"
    with path.open("wb") as file:
        file.write(ole2("Workbook"))
        file.truncate(xls_file.MOST_BYTES + (1 << 20))  # a hole behind it
    with pytest.raises(FileRefused, match="65 MB; workbooks of this old kind") as refused:
        open_table(path)
    assert refused.value.code == "too_large"
