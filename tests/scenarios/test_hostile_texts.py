"""Texts nobody should send, through the command line: each is taken, handed back row by row, or refused, in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from project import HEADER, SECRETS, ProjectFolder, order_row

from pipeline.cli import cli

REPOSITORY = Path(__file__).parents[2]
URLS = {name: f"http://127.0.0.1:9/{name}" for name in ("orderdesk", "keap", "influencersoft", "kapture")}
GOOD = [HEADER, *(order_row(f"A{number}") for number in range(1, 61))]
TEXT = "\n".join(GOOD) + "\n"
INCH = order_row("A99").replace('"Mug, blue"', '5" pipe')


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    made = ProjectFolder.make(tmp_path / "project", URLS, patience=0)
    (made.path / "schemas").symlink_to(REPOSITORY / "schemas")
    return made.path


@pytest.mark.parametrize(
    ("content", "accepted", "said"),
    [
        (TEXT.replace("A33,", "A\x0033,").encode(), 59, "control character"),
        (TEXT.encode() + b"\x00" * 4096, None, "binary content"),
        (TEXT.replace("A2,", "\ufeffA2,", 1).encode(), 60, ""),
        (b"\xef\xbb\xbf" * 2 + TEXT.encode(), 60, ""),
        (("\r\n".join(GOOD[:20]) + "\n" + "\r".join(GOOD[20:]) + "\n").encode(), 60, ""),
        (TEXT.encode("utf-16-le"), 60, ""),
        (TEXT.encode("utf-16")[:-1], None, "holds bytes that are no letters"),
        (TEXT.replace("Anna", "Jürgen", 1).encode() + TEXT.replace("Anna", "René", 1).encode("cp1252"), None, "mixes"),
        ((TEXT + order_row("A99")).encode() + b"\xc3", None, "middle of a letter"),
        ((TEXT + INCH + "\n").encode(), 61, ""),
        ((TEXT + order_row("A99").replace('blue"', "blue") + "\n").encode(), None, "never closed"),
        ((TEXT.replace('blue"', "blue", 1)).encode(), 58, "is not closed"),
        ((TEXT + order_row("A99").replace("blue", 'bl"ue') + "\n").encode(), 60, "a mark stands amid the text"),
        (TEXT.replace("\n", ",,,\n").encode(), 60, ""),
        ("\n".join([*GOOD[:50], *(f"{row}," for row in GOOD[50:57]), *GOOD[57:]]).encode(), 53, "most rows have 12"),
        (TEXT.replace(",Qty,", ",Qty,Qty,", 1).encode(), None, "Qty"),
        (b"Order #;Date\tQty;a\tb\n1;2\t3;4\t5\n6;7\t8;9\t10\n", None, "in two ways"),
        ((HEADER + "\n").encode(), None, "no rows below it"),
        (b"", None, "there is nothing in it"),
        (b"\n\r\n  \n\n\t\n", None, "nothing but blank lines"),
        ((",".join(["x"] * 20_000) + "\n1\n").encode(), None, "20,000 columns"),
        (f"{HEADER}\n{order_row('A1').replace('Mug, blue', 'x' * 17_000_000)}\n".encode(), None, "16,777,216 letters"),
    ],
    ids=[
        "zero byte", "zero tail", "mark amid", "marked twice", "mixed line ends", "UTF-16 unmarked", "UTF-16 odd",
        "mixture", "cut letter", "inch", "open at the end", "open amid", "mark amid a text", "trailing delimiters",
        "some trailing",
        "equal headers", "two delimiters", "header only", "empty", "blank lines", "wide", "endless cell",
    ],
)  # fmt: skip
def test_a_hostile_text_is_never_taken_wrongly_or_silently(
    folder: Path, content: bytes, accepted: int | None, said: str
) -> None:
    path = folder.parent / "orders_odd.csv"
    path.write_bytes(content)
    called = CliRunner().invoke(cli, ["preview", str(path), "--project", str(folder), "--json"])
    assert called.exception is None or isinstance(called.exception, SystemExit), called.exception
    told = json.loads(called.stdout)
    assert said in called.stdout.replace("\\u2019", "'")
    if accepted is None:
        assert (called.exit_code, "orders_odd.csv" in told["error"]) == (1, True)
    else:
        assert told["rows"]["accepted"] == accepted
        assert called.exit_code == (0 if told["rows"]["rejected"] == 0 else 1)
