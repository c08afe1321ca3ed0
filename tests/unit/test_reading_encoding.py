"""Encodings: found for certain, guessed with a note, or refused with the row."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import FileRefused
from pipeline.reading import Hints, open_table
from pipeline.reading.legacy import best_guess

SAMPLES = [
    ("cp1252", "Café Müller, 12,50 €"),
    ("cp1252", "£23,705\nJoe’s – “Bar”"),
    ("cp1252", "São Paulo;José Ñandú;Conceição"),
    ("cp1252", "Straße;Größe;Köln"),
    ("cp1252", "Ærø;Søren Sørensen;Århus"),
    ("cp1252", "Crème brûlée;Hélène Lefèvre;à côté"),
    ("cp1252", "1,5 °C;20 µg;½ kg"),
    ("cp1250", "Łódź;Kraków;Wrocław;Gdańsk"),
    ("cp1250", "Tomáš Novák;Plzeň;Jiří Dvořák"),
    ("cp1250", "Kovács István;Győr;Szűcs Erzsébet"),
    ("cp1251", "Иван Петров;Москва;ул. Ленина"),
    ("cp1251", "ООО «Ромашка»;№ 5"),
    ("cp1251", "МОСКВА;ОПЛАЧЕНО"),
    ("koi8_r", "Иван Петров;Москва;ул. Ленина"),
    ("cp866", "Иван Петров;Москва;ул. Ленина"),
    ("cp1254", "Şişli;Beşiktaş;Kadıköy;Çağlar;İstanbul"),
    ("cp1253", "Αθήνα;Γιώργος;Παπαδόπουλος"),
    ("cp850", "Müller;Größe;Köln"),
    ("mac_roman", "Café;Müller;José"),
    ("gb18030", "订单号;商品名称;金额;深圳市南山区科技园"),
    ("cp932", "注文番号;商品名;ありがとう"),
    ("cp932", "山田太郎,東京都千代田区"),
    ("euc_jp", "注文番号;商品名;ありがとうございます"),
    ("big5", "訂單編號;商品名稱;臺北市信義區"),
    ("cp949", "주문번호;상품명;서울특별시 강남구;김철수"),
]


@pytest.mark.parametrize(("encoding", "text"), SAMPLES)
def test_texts_from_before_utf8_are_read_right(encoding: str, text: str) -> None:
    written = text.encode(encoding)
    assert written.decode(best_guess(written)) == text


def read(path: Path, **hints: str) -> tuple[str | None, list[list[str]], tuple[str, ...]]:
    opened = open_table(path, Hints(**hints))  # type: ignore[arg-type]
    return (
        opened.found.encoding,
        [row for b in opened.blocks(10**6) for row in b.frame.values.tolist()],
        opened.found.notes,
    )


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32-le"),
        ("utf-32-be", "utf-32-be"),
    ],
)
def test_unicode_in_all_its_forms(tmp_path: Path, written: str, found: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes("Größe,Zahl\nИван,1\n注文,2\n".encode(written))
    encoding, rows, _ = read(path)
    assert (encoding, rows) == (found, [["Иван", "1"], ["注文", "2"]])
    assert open_table(path).header == ("Größe", "Zahl")


def test_one_late_letter_decides_for_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"id,name\n" + b"1,plain text without accents\n" * 60_000 + "2,Café\n".encode("cp1252"))
    encoding, rows, notes = read(path)
    assert (encoding, rows[-1]) == ("cp1252", ["2", "Café"])
    assert "read as cp1252" in notes[0]


def test_a_mixture_is_refused_rather_than_garbled(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes("id,name\n1,Jürgen\n".encode() + "2,Jürgen\n".encode("cp1252"))
    with pytest.raises(FileRefused, match="mixes encodings") as caught:
        read(path)
    assert caught.value.code == "undecodable"


def test_a_hint_wins_and_names_the_row_where_it_fails(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes("id,name\n1,Bob\n\n2,Jürgen\n".encode("cp1252"))
    assert read(path, encoding="cp1251")[1][-1] == ["2", "Jьrgen"]
    with pytest.raises(FileRefused, match="row 4 holds bytes") as caught:
        read(path, encoding="utf-8")
    assert caught.value.code == "undecodable"


@pytest.mark.parametrize("hint", ["utf-9000", "base64", "rot13"])
def test_an_encoding_nobody_knows_is_refused(tmp_path: Path, hint: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("id,name\n1,Bob\n")
    with pytest.raises(FileRefused, match=hint) as caught:
        read(path, encoding=hint)
    assert caught.value.code == "undecodable"


def test_a_hint_does_not_turn_binary_content_into_text(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"id,name\n1,\x00\x01\n")
    with pytest.raises(FileRefused) as caught:
        read(path, encoding="cp1252")
    assert caught.value.code == "not_a_table"


def test_a_zero_byte_here_and_there_does_not_make_a_file_binary(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"id,name\n" + b"1,Bob Miller\n" * 2000 + b"2,\x00\n3,Ann\n")
    encoding, rows, notes = read(path)
    assert (encoding, rows[-2:]) == ("utf-8", [["2", "\x00"], ["3", "Ann"]])
    assert "zero bytes" in notes[0]


def test_a_tail_of_zeros_as_a_power_cut_leaves_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"id,name\n" + b"1,Bob\n" * 500 + b"\x00" * 4096)
    with pytest.raises(FileRefused) as caught:
        read(path)
    assert caught.value.code == "not_a_table"


@pytest.mark.parametrize("bytes_left", [1, 2, 3])
def test_a_file_cut_amid_a_letter_is_refused_and_not_read_in_another_encoding(tmp_path: Path, bytes_left: int) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"id,name\n1,Bob\n2,J" + "😀".encode()[:bytes_left])
    with pytest.raises(FileRefused, match="middle of a letter") as caught:
        read(path)
    assert caught.value.code == "undecodable"
    assert read(path, encoding="cp1252")[1][-1][0] == "2"
