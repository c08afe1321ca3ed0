"""Every way a file may be made that is found, not asked: the dry run shows it, and the orders are the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import OrderdropError
from pipeline.preview import preview
from pipeline.project import Plan, load_plan

SETTINGS = """
[project]
timezone = "UTC"
[accounts.shop]
target = "orderdesk"
store_id = "1"
api_key = { env = "ORDERDESK_API_KEY" }
"""
MAPPING = """
feed: orders
files: {pattern: "*"}
record: order
fields:
  order_id: {column: "Order #"}
  ordered_at: {column: "Date", parse: datetime, format: "%m/%d/%Y"}
  first_name: {column: "Name"}
  sku: {column: "SKU"}
  quantity: {column: "Qty", parse: integer}
  unit_price: {column: "Price", parse: money}
deliver: [{account: shop, operation: order}]
"""
HEADER = ["Order #", "Date", "Name", "SKU", "Qty", "Price"]
WESTERN = ("Zoë", "José", "Ann")


def text(names: tuple[str, ...] = WESTERN, cut: str = ",", mark: str = "", end: str = "\r\n") -> str:
    rows = [HEADER, *([f"100{n}", f"01/0{n + 1}/2026", name, f"S-{n}", "2", "3.50"] for n, name in enumerate(names))]
    return "".join(cut.join(f"{mark}{cell}{mark}" for cell in row) + end for row in rows)


PLAIN = text()
ENCODED: list[tuple[str, tuple[str, ...]]] = [
    ("utf-8", WESTERN), ("utf-8-sig", WESTERN), ("utf-16-le", WESTERN), ("utf-16-be", WESTERN), ("utf-16", WESTERN),
    ("cp1252", WESTERN), ("mac_roman", WESTERN), ("cp1250", ("Dvořák", "Šťastný", "Žižka")),
    ("cp1251", ("Иван", "Мария", "Ольга Петровна")), ("cp1253", ("Γιώργος Παπαδόπουλος", "Μαρία", "Ελένη")),
    ("gb18030", ("张伟", "王芳", "李娜的订单")), ("cp932", ("山田太郎", "佐藤さん", "鈴木はなこ")),
]  # fmt: skip
MADE: dict[str, tuple[str, dict[str, Any]]] = {
    **{f"cut at {cut!r}": (text(cut=cut), {"delimiter": cut}) for cut in [*",;\t|:^~", "||", "::", ";;", "~|~"]},
    "all in quotes": (text(mark='"'), {"quote": '"'}),
    "all in apostrophes": (text(mark="'"), {"quote": "'"}),
    "line feeds": (text(end="\n"), {}),
    "carriage returns": (text(end="\r"), {}),
    "sep line": ("sep=;\r\n" + text(cut=";"), {"header_row": 2, "delimiter": ";"}),
    "titles": ("Shop export\r\nPrinted: 2026-01-01\r\n\r\n" + PLAIN, {"header_row": 4}),
    "blank rows on top": ("\r\n\r\n,,,,,\r\n" + PLAIN, {"header_row": 4}),
    "groups above the header": ("Order,,Customer,Item,,\r\n" + PLAIN, {"header_row": 2}),
    "groups over names": (
        "Order #,Date,Name,Item,,\r\n,,,SKU,Qty,Price\r\n" + PLAIN.split("\r\n", 1)[1],
        {"header_row": 2, "header_rows": 2},
    ),
    "description below it": (
        PLAIN.replace("\r\n", "\r\nText,Day,Text,Code of the item,Whole number,Amount\r\n", 1),
        {"below_header": 1},
    ),
    "empty columns at the end": (PLAIN.replace("\r\n", ",,\r\n"), {}),
    "a delimiter at the end of rows": (PLAIN.replace("3.50\r\n", "3.50,\r\n"), {}),
}
AGAIN = PLAIN.replace("100", "200")
QUOTED = text(mark='"')
ASIDE = {
    "header again": (PLAIN + AGAIN, "row 5 repeats the header"),
    "header again behind a byte-order mark": ("\ufeff" + PLAIN + "\ufeff" + AGAIN, "row 5 repeats the header"),
    "the same in quotes": (
        "\ufeff" + QUOTED + "\ufeff" + QUOTED.replace("100", "200"),
        "row 5 repeats the header",
    ),
    "total": (PLAIN + "TOTAL,,,,6,10.50\r\n", "row 5 is a total"),
    "closing line": (PLAIN + "End of report\r\n", "row 5 closes the report"),
    "closing line after a gap": (PLAIN + "\r\nGenerated on 2026-01-05\r\n", "row 6 closes the report"),
}


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("project")
    (folder / "mappings").mkdir()
    (folder / "pipeline.toml").write_text(SETTINGS)
    (folder / "mappings/orders.yaml").write_text(MAPPING)
    return load_plan(folder, secrets=False)


@pytest.fixture
def shown(plan: Plan, tmp_path: Path) -> Callable[[bytes], dict[str, Any]]:
    def show(content: bytes) -> dict[str, Any]:
        (tmp_path / "x.csv").write_bytes(content)
        return preview(plan, tmp_path / "x.csv", None)

    return show


def names(told: dict[str, Any]) -> list[str]:
    return [request["body"]["shipping"]["first_name"] for request in told["requests"] if not request["look"]]


@pytest.mark.parametrize(("encoding", "wanted"), ENCODED)
def test_the_encoding(shown: Callable[[bytes], dict[str, Any]], encoding: str, wanted: tuple[str, ...]) -> None:
    told = shown(text(wanted).encode(encoding))
    assert told["rows"] == {"read": 3, "accepted": 3, "rejected": 0, "skipped": 0}
    assert names(told) == list(wanted)
    assert told["found"]["encoding"].split("-")[0] == encoding.split("-", maxsplit=1)[0]


@pytest.mark.parametrize("made", MADE)
def test_the_layout(shown: Callable[[bytes], dict[str, Any]], made: str) -> None:
    content, wanted = MADE[made]
    told = shown(content.encode())
    assert told["rows"] == {"read": 3, "accepted": 3, "rejected": 0, "skipped": 0}
    assert names(told) == list(WESTERN)
    assert {name: told["found"][name] for name in wanted} == wanted


@pytest.mark.parametrize("made", ASIDE)
def test_what_is_no_record_counts_as_skipped(shown: Callable[[bytes], dict[str, Any]], made: str) -> None:
    content, why = ASIDE[made]
    told = shown(content.encode())
    assert (told["rows"]["rejected"], told["rows"]["skipped"]) == (0, 1)
    assert f"1 row skipped: {why}." in told["notes"]
    assert names(told)[:3] == list(WESTERN)


def test_a_header_again_and_again_is_counted_over_all_blocks_of_a_long_file(
    shown: Callable[[bytes], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.judging.BLOCK_ROWS", 1000)
    one = "\ufeff" + ",".join(HEADER) + "\n" + "".join(f"{n},01/02/2026,Zoë,S,1,2.50\n" for n in range(1500))
    told = shown((one * 7).encode())
    assert told["rows"]["skipped"] == 6
    assert "6 rows skipped: 6 repeat the header (rows 1502, 3003, 4504, 6005, 7506, …)." in told["notes"]


def test_two_readings_that_are_equally_likely_are_both_told(shown: Callable[[bytes], dict[str, Any]]) -> None:
    with pytest.raises(OrderdropError, match="at each comma or at each semicolon"):
        shown(b"a;b,c\r\n1;2,3\r\n4;5,6\r\n")
