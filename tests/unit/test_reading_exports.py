"""Real exports published by third parties; not part of the project, so this runs where they are present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.errors import FileRefused
from pipeline.reading import Hints, open_table

REPOSITORY = Path(__file__).resolve().parents[2]
EXPORTS = Path(os.environ.get("ORDERDROP_EXPORTS", REPOSITORY / "../shared/data/exports")).resolve()
pytestmark = pytest.mark.skipif(
    not EXPORTS.is_dir(), reason="the folder of third-party exports is absent (ORDERDROP_EXPORTS names it)"
)

READ = [
    ("shopify_orders/bek-sam__shopify-orders-export.csv", "csv", ",", 1, 64, 4, "Name"),
    ("amazon_seller/yomajo__sample_amzn_export.txt", "csv", "\t", 1, 34, 1, "order-id"),
    ("woocommerce_orders/vinigarcia87__Sample_Order.csv", "csv", ",", 1, 53, 3, "order_id"),
    ("magento/magento__SalesSampleData_orders.csv", "csv", ",", 1, 6, 2, "customer_email"),
    ("etsy/sfc38__EtsySoldOrders2022_masked.csv", "csv", ",", 1, 36, 2828, "Sale Date"),
    ("china_payment_exports/deb-sig__jd_bom.csv", "csv", ",", 22, 11, 26, "交易时间"),
    ("china_payment_exports/deb-sig__wechat.csv", "csv", ",", 17, 11, 27, "交易时间"),
    ("china_payment_exports/deb-sig__icbc_credit.csv", "csv", ",", 7, 13, 10, "交易日期"),
    ("excel_preamble/deb-sig__citic.xls", "xls", None, 2, 8, 13, "交易日期"),
    ("german_datev/ledermann__EXTF_Stammdaten.csv", "csv", ";", 2, 254, 4, "Konto"),
    ("european_semicolon/SAP-samples__SalesOrderItems.csv", "csv", ";", 1, 13, 5000, "SALESORDERID"),
    ("erp_adventureworks/microsoft__Store.csv", "csv", "+|", 1, 6, 700, "292"),
    ("erp_adventureworks/microsoft__PurchaseOrderHeader.csv", "csv", "\t", 1, 13, 4011, "1"),
    ("russian/ws-garcia__alfa_example_cp1251.csv", "csv", ";", 1, 9, 12, "Тип счета"),
    ("uk_payments_preamble/ws-garcia__ESCC_payment_data.csv", "csv", ",", 2, 6, 5000, "Name"),
    ("excel_orders/mdancho84__orders.xlsx", "xlsx", None, 1, 7, 15644, ""),
    ("fields_of_traps/PHPOffice__sep_line.csv", "csv", ";", 2, 2, 1, "A"),
    ("fields_of_traps/ws-garcia__github_orders.csv", "csv", ",", 1, 3, 8, "test0001@example.com"),
    ("utf16/PHPOffice__utf16be_line_break.csv", "csv", ",", 1, 3, 5, "Name"),
]


@pytest.mark.parametrize(("name", "kind", "delimiter", "header_row", "columns", "rows", "first"), READ)
def test_an_export_reads_as_a_person_would(
    name: str, kind: str, delimiter: str | None, header_row: int, columns: int, rows: int, first: str
) -> None:
    opened = open_table(EXPORTS / name)
    found = opened.found
    assert (found.format, found.delimiter, found.header_row) == (kind, delimiter, header_row)
    read = sum(len(block.frame) for block in opened.blocks(1000))
    assert (len(opened.header), read) == (columns, rows)
    assert opened.header[0] == first


@pytest.mark.parametrize("name", ["ebay/damascene__SalesHistory.ods", "excel_orders/PHPOffice__30template_invoice.xls"])
def test_several_filled_sheets_need_a_name(name: str) -> None:
    with pytest.raises(FileRefused) as caught:
        open_table(EXPORTS / name)
    assert caught.value.code == "which_sheet"


def test_every_export_reads_the_same_twice_or_is_refused_in_words() -> None:
    refusals: dict[str, str] = {}
    for path in sorted(EXPORTS.rglob("*.*")):
        try:
            opened = open_table(path)
        except FileRefused as refused:
            refusals[path.name] = refused.code
            continue
        again = open_table(path, opened.found.hints())
        assert again.header == opened.header, path
        for one, other in zip(opened.blocks(5000), again.blocks(5000), strict=True):
            assert one.frame.equals(other.frame), path
            assert (one.broken, one.overflow) == (other.broken, other.overflow), path
    assert set(refusals.values()) == {"which_sheet"}, refusals


def test_one_sheet_of_several_by_name() -> None:
    opened = open_table(EXPORTS / "ebay/damascene__SalesHistory.ods", Hints(sheet="SalesHistory"))
    assert len(opened.header) > 30
    assert sum(len(block.frame) for block in opened.blocks(100)) > 0
