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
    ("amazon_buyer_history/reubano__amazon.csv", "csv", ",", 1, 12, 7, "order id"),
    ("amazon_inventory/fivetran__fba_inventory_summary.csv", "csv", ",", 1, 26, 100, "_fivetran_id"),
    ("amazon_seller/fivetran__dbt_order_item.csv", "csv", ",", 1, 45, 100, "order_item_id"),
    ("amazon_seller/gkoshyk__Amazon_Sale_Report_latest.csv", "csv", ",", 1, 23, 9, "index"),
    ("benchmark_source/HPI-Information-Systems__pollock_source.csv", "csv", ",", 1, 9, 83, "DATE"),
    ("chinook/ws-garcia__Invoice.csv", "csv", ",", 1, 9, 412, "InvoiceId"),
    ("erp_adventureworks/microsoft__DimReseller.csv", "csv", "|", 1, 20, 700, "1"),
    ("erp_sap/SAP-samples__Bikes_BusinessPartners.csv", "csv", ",", 1, 14, 40, "PARTNERID"),
    ("erp_sap/SAP-samples__Bikes_SalesOrders.csv", "csv", ",", 1, 17, 334, "SALESORDERID"),
    ("european_semicolon/reubano__gls.csv", "csv", ";", 1, 22, 1, "Kontonummer"),
    ("excel_orders/ClosedXML__RowAndColumnStyles_grouplabel.xlsx", "xlsx", None, 4, 8, 2, ""),
    ("generic_orders/bek-sam__generic-orders.csv", "csv", ",", 1, 25, 3, "order_id"),
    ("german_shopware/shopware5__CustomerImport.csv", "csv", ";", 1, 32, 4, "customernumber"),
    ("german_shopware/shopware5__MainOrderImport.csv", "csv", ";", 1, 46, 4, "orderId"),
    ("headerless_orders/MicrosoftLearning__2019.csv", "csv", ",", 1, 9, 1200, "SO43701"),
    ("northwind/SpocWeb__orders.csv", "csv", ",", 1, 14, 830, "order_id"),
    ("olist/olist__olist_products.csv", "csv", ",", 1, 9, 5000, "product_id"),
    ("payments_other/reubano__payoneer.csv", "csv", ",", 1, 17, 2, "Transaction Date"),
    ("payments_paypal/egh__paypal_alternate.csv", "csv", ",", 1, 10, 2, "Date"),
    ("payments_stripe/reubano__stripe-default.csv", "csv", ",", 1, 21, 5, "id"),
    ("payments_stripe/streaming-overlays__unified_payments.csv", "csv", ",", 1, 79, 1, "id"),
    ("plain_orders/MicrosoftLearning__sales_whole.csv", "csv", ",", 1, 9, 32718, "SalesOrderNumber"),
    ("pos_square_clover/finarb__clover.csv", "csv", ",", 1, 5, 3, ""),
    ("russian/ws-garcia__addresses_cp1251.csv", "csv", ";", 1, 3, 23, "САН Интербрю ОАО"),
    ("shipping_3pl/TMH1995__shipments.csv", "csv", ",", 1, 8, 6, "tracking_number"),
    ("shopify_inventory/abhilasha12345__inventory_export_1.csv", "csv", ",", 1, 17, 67, "Handle"),
    ("shopify_orders/BatManUtd__shopify_orders_fixture.csv", "csv", ",", 1, 7, 9, "Name"),
    ("shopify_products/shopifypartners__apparel.csv", "csv", ",", 1, 46, 22, "Handle"),
    ("superstore/miharakoizumi__chumon_orders.csv", "csv", ",", 1, 20, 5000, "行 ID"),
    ("superstore/miharakoizumi__henpin_returns.csv", "csv", ",", 1, 2, 221, "オーダー ID"),
    ("sylius/FriendsOfSylius__products_attr.csv", "csv", ",", 1, 15, 2, "Code"),
    ("uci_online_retail/databricks__2010-12-01.csv", "csv", ",", 1, 8, 3108, "InvoiceNo"),
    ("walmart_marketplace/bek-sam__walmart-orders.csv", "csv", ",", 1, 37, 4, "PO#"),
    ("woocommerce_products/ClassicPress__importer_test_sample.csv", "csv", ",", 1, 45, 7, "Type"),
    ("xero_invoices/Philipotieno__SalesInvoiceTemplate.csv", "csv", ",", 1, 29, 100, "*ContactName"),
]
HEADERLESS = [
    ("headerless_orders/MicrosoftLearning__2019.csv", 9, 1201, 0),
    ("erp_adventureworks/microsoft__DimReseller.csv", 20, 701, 0),
    ("russian/ws-garcia__addresses_cp1251.csv", 3, 24, 0),
    ("fields_of_traps/PHPOffice__NumberFormatTest.de.csv", 2, 5, 2),
]
"""Files without a header under ``header_row: 0``: columns, rows, rows that come back."""


@pytest.mark.parametrize(("name", "kind", "delimiter", "header_row", "columns", "rows", "first"), READ)
def test_an_export_reads_as_a_person_would(
    name: str, kind: str, delimiter: str | None, header_row: int, columns: int, rows: int, first: str
) -> None:
    opened = open_table(EXPORTS / name)
    found = opened.found
    assert (found.format, found.delimiter, found.header_row) == (kind, delimiter, header_row)
    read = sum(len(block.rows) for block in opened.blocks(1000))
    assert (len(opened.header), read) == (columns, rows)
    assert opened.header[0] == first


SEVERAL = ["ebay/damascene__SalesHistory.ods", "excel_orders/PHPOffice__30template_invoice.xls"]


@pytest.mark.parametrize("name", SEVERAL)
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
            assert one.rows.numbers.tolist() == other.rows.numbers.tolist(), path
            assert list(one.rows.lines()) == list(other.rows.lines()), path
            assert (one.broken, one.overflow) == (other.broken, other.overflow), path
    assert set(refusals.values()) == {"which_sheet"}, refusals


def test_one_sheet_of_several_by_name() -> None:
    opened = open_table(EXPORTS / "ebay/damascene__SalesHistory.ods", Hints(sheet="SalesHistory"))
    assert len(opened.header) > 30
    assert sum(len(block.rows) for block in opened.blocks(100)) > 0


@pytest.mark.parametrize(("name", "columns", "rows", "broken"), HEADERLESS)
def test_a_file_without_a_header_is_read_whole(name: str, columns: int, rows: int, broken: int) -> None:
    blocks = list(open_table(EXPORTS / name, Hints(header_row=0)).blocks(1000))
    assert blocks[0].rows.width == columns
    assert sum(len(block.rows) for block in blocks) == rows
    assert len({rejection.row for block in blocks for rejection in block.broken}) == broken


def test_every_export_has_its_line_in_a_table() -> None:
    told = {name for name, *_ in READ} | {name for name, *_ in HEADERLESS} | set(SEVERAL)
    assert {path.relative_to(EXPORTS).as_posix() for path in EXPORTS.rglob("*.*")} - told == set()
