"""Encodings: found for certain, guessed with a note, or refused with the row."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import FileRefused
from pipeline.reading import Hints, open_table
from pipeline.reading.legacy import guess

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
    assert written.decode(guess(written).name) == text


def read(path: Path, **hints: str) -> tuple[str | None, list[list[str]], tuple[str, ...]]:
    opened = open_table(path, Hints(**hints))  # type: ignore[arg-type]
    return (
        opened.found.encoding,
        [row for b in opened.blocks(10**6) for row in map(list, b.rows.lines())],
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


def test_a_broken_letter_in_a_file_of_utf8_is_marked_and_the_others_stand(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes("id,name\n1,Jürgen\n2,Zoë\n3,Åse\n".encode() + "4,José\n".encode("cp1252") + b"5,Bob\n")
    encoding, rows, notes = read(path)
    names = ["Jürgen", "Zoë", "Åse", "Jos\ufffd", "Bob"]
    assert (encoding, rows) == ("utf-8", [[str(number), name] for number, name in enumerate(names, 1)])
    assert "1 place (the first in line 5)" in notes[0]
    assert read(path, encoding="utf-8")[1] == rows


def test_broken_letters_far_down_a_long_file_are_marked_where_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"id,name\n" + "1,Jürgen Müller\n".encode() * 90_000 + b"2,J\xfcrgen M\xc3\xbcller\n")
    encoding, rows, notes = read(path)
    assert (encoding, rows[-1], len(rows)) == ("utf-8", ["2", "J\ufffdrgen Müller"], 90_001)
    assert "line 90002" in notes[0]


def test_a_mark_says_that_a_file_with_a_broken_letter_is_utf8(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"\xef\xbb\xbfid,name\n1,Bob\n2,Jos\xe9\n")
    assert read(path)[1][-1] == ["2", "Jos\ufffd"]


def test_two_systems_that_wrote_one_file_after_the_other_are_a_mixture(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"id,name\n" + "1,José Ñandú\n".encode("cp1252") * 9000 + "2,Jürgen\n".encode() * 9000)
    with pytest.raises(FileRefused, match="line 9002 is UTF-8, line 2 is not") as caught:
        read(path)
    assert caught.value.code == "undecodable"


def test_utf8_and_older_letters_in_one_line_are_a_mixture_too(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"id,name,city\n1,J\xc3\xbcrgen,K\xf6ln\n2,Bob,M\xfcnchen\n")
    with pytest.raises(FileRefused, match="mixes encodings"):
        read(path)


def test_a_pinned_encoding_that_would_garble_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes("id,name\n1,Bob\n2,Jürgen\n".encode())
    with pytest.raises(FileRefused, match=r"from line 3 on.*names the encoding 'cp1252'"):
        read(path, encoding="cp1252")
    path.write_bytes(b"id,name\n1,Bob\n")
    assert read(path, encoding="cp1252")[1] == [["1", "Bob"]]


def test_chinese_with_a_broken_letter_is_not_read_as_latin_noise(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    written = "订单,商品名称\n1,深圳市南山区科技园\n2,上海市徐汇区\n3,北京市朝阳区".encode("gb18030")
    path.write_bytes(written + b"\xff\n4,a\n")
    with pytest.raises(FileRefused, match="gb18030: row 4 holds bytes"):
        read(path)


@pytest.mark.parametrize(("encoding", "text"), [("cp1252", "Spaß“"), ("cp1250", "SPÓŁKA")])
def test_older_letters_that_are_utf8_by_accident_are_refused_with_both_readings(
    tmp_path: Path, encoding: str, text: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(f"id,name\n1,{text}\n".encode(encoding))
    with pytest.raises(FileRefused, match=f"in utf-8, “{text}” in {encoding}") as caught:
        read(path)
    assert caught.value.code == "ambiguous_encoding"
    assert read(path, encoding=encoding)[1] == [["1", text]]


@pytest.mark.parametrize("text", ["5 µm", "Ωmega", "500 g ©", "日本 A4", "Łódź x Кофе", "Joe’s 👍🏽", "a \x96 b"])
def test_letters_of_several_scripts_in_utf8_are_no_accident(tmp_path: Path, text: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(f"id,name\n1,{text}\n".encode())
    assert read(path)[:2] == ("utf-8", [["1", text]])


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "Gdańsk"), ("cp1250", "Šťastný"), ("cp1250", "Wałęsa"), ("cp1250", "Dvořák"),
        ("cp1257", "Jānis Bērziņš;Liepāja;Kārlis Ozoliņš"), ("iso8859_2", "Świętokrzyska;Żyła;Łąka"),
        ("cp1252", "Muñoz"), ("cp1252", "João"), ("cp1252", "Crème"), ("cp1252", "Tromsø"), ("cp1252", "Þór"),
        ("cp1252", "Peña"), ("cp1252", "Zoë"), ("cp1252", "Noël"), ("cp1252", "CORUÑA"), ("cp1252", "2 × ½ kg"),
        ("cp1252", "Amount (£)"), ("cp1252", "£5"), ("gb18030", "实权 神奇 山丘"),
    ],
)  # fmt: skip
def test_one_word_is_enough_where_its_letters_keep_the_company_of_one_language(
    tmp_path: Path, encoding: str, text: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(f"id|name\n1|{text}\n".encode(encoding))
    assert read(path)[1] == [["1", text]]


def test_a_word_of_two_languages_is_refused_with_both_until_the_mapping_says_which(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes("id,name\n1,Plzeň\n".encode("cp1250"))
    with pytest.raises(FileRefused, match="“Plzeò” in cp1252, “Plzeň” in cp1250") as caught:
        read(path)
    assert (caught.value.code, read(path, encoding="cp1250")[1]) == ("ambiguous_encoding", [["1", "Plzeň"]])
    path.write_bytes("id,name\n1,Plzeň\n2,Tomáš\n3,Jiří\n".encode("cp1250"))
    assert read(path)[1][0] == ["1", "Plzeň"]


@pytest.mark.parametrize(
    ("encoding", "names"), [("cp874", ["สมชาย ใจดี", "กรุงเทพมหานคร"]), ("iso8859_5", ["Иван Петров", "Москва"])]
)
def test_letters_that_make_no_words_in_any_known_encoding_are_refused(
    tmp_path: Path, encoding: str, names: list[str]
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes("id,name\n1,{}\n2,{}\n".format(*names).encode(encoding))
    with pytest.raises(FileRefused, match=r"makes words of its letters \(the first in line 2\)") as caught:
        read(path)
    assert caught.value.code == "undecodable"
    assert [row[1] for row in read(path, encoding=encoding)[1]] == names
