"""Each file of the folder of published exports: read as intended or refused with the right reason, and where it holds
records, taken all the way to checked ones through its proposed mapping and what a person decided about it.

The files are not part of the project, so this runs where they are present; a file without an entry here is a failure.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.errors import FileRefused
from pipeline.judging import Judging, judge
from pipeline.mapping.spec import load_mapping
from pipeline.model import DeliverTo
from pipeline.project import Plan, load_plan
from pipeline.proposing.as_yaml import as_yaml
from pipeline.proposing.propose import propose
from pipeline.reading import Hints, open_table
from pipeline.recognise import recognise
from pipeline.sampling import shaped_columns_of

PROJECT = Path(__file__).parents[2]
EXPORTS = Path(os.environ.get("ORDERDROP_EXPORTS", PROJECT / "../shared/data/exports")).resolve()
pytestmark = pytest.mark.skipif(
    not EXPORTS.is_dir(), reason="the folder of third-party exports is absent (ORDERDROP_EXPORTS names it)"
)


@dataclass(frozen=True)
class Table:
    """How a file reads: header row, columns, rows, and the first header; or the code of the refusal."""

    row: int = 1
    columns: int = 0
    rows: int = 0
    first: str = ""
    refused: str = ""
    sheet: str | None = None


@dataclass(frozen=True)
class Taken:
    """What becomes of the rows: read, accepted, rejected, skipped; the kind; the codes of the rejections.

    ``decided`` is what a person answers: fields beside the proposed ones, or other keys of the mapping.
    """

    kind: str
    rows: tuple[int, int, int, int]
    codes: dict[str, int] = field(default_factory=dict)
    decided: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)
    shape: tuple[str, ...] = ()


READ: dict[str, Table] = {
    "amazon_buyer_history/reubano__amazon.csv": Table(1, 12, 7, "order id"),
    "amazon_inventory/fivetran__fba_inventory_summary.csv": Table(1, 26, 100, "_fivetran_id"),
    "amazon_seller/fivetran__dbt_order_item.csv": Table(1, 45, 100, "order_item_id"),
    "amazon_seller/gkoshyk__Amazon_Sale_Report_latest.csv": Table(1, 23, 9, "index"),
    "amazon_seller/yomajo__sample_amzn_export.txt": Table(1, 34, 1, "order-id"),
    "benchmark_source/HPI-Information-Systems__pollock_source.csv": Table(1, 9, 83, "DATE"),
    "china_payment_exports/deb-sig__icbc_credit.csv": Table(7, 13, 10, "交易日期"),
    "china_payment_exports/deb-sig__jd_bom.csv": Table(22, 11, 26, "交易时间"),
    "china_payment_exports/deb-sig__wechat.csv": Table(17, 11, 27, "交易时间"),
    "chinook/ws-garcia__Invoice.csv": Table(1, 9, 412, "InvoiceId"),
    "ebay/damascene__SalesHistory.ods": Table(
        2, 40, 5, "Sales Record Number", refused="which_sheet", sheet="SalesHistory"
    ),
    "erp_adventureworks/microsoft__DimReseller.csv": Table(1, 20, 700, "1"),
    "erp_adventureworks/microsoft__PurchaseOrderHeader.csv": Table(1, 13, 4011, "1"),
    "erp_adventureworks/microsoft__Store.csv": Table(1, 6, 700, "292"),
    "erp_sap/SAP-samples__Bikes_BusinessPartners.csv": Table(1, 14, 40, "PARTNERID"),
    "erp_sap/SAP-samples__Bikes_SalesOrders.csv": Table(1, 17, 334, "SALESORDERID"),
    "etsy/sfc38__EtsySoldOrders2022_masked.csv": Table(1, 36, 2828, "Sale Date"),
    "european_semicolon/SAP-samples__SalesOrderItems.csv": Table(1, 13, 5000, "SALESORDERID"),
    "european_semicolon/reubano__gls.csv": Table(1, 22, 1, "Kontonummer"),
    "excel_orders/ClosedXML__RowAndColumnStyles_grouplabel.xlsx": Table(4, 8, 2, ""),
    "excel_orders/PHPOffice__30template_invoice.xls": Table(1, 5, 8, "", refused="which_sheet", sheet="Invoice"),
    "excel_orders/mdancho84__orders.xlsx": Table(1, 7, 15644, ""),
    "excel_preamble/deb-sig__citic.xls": Table(2, 8, 13, "交易日期"),
    "fields_of_traps/PHPOffice__NumberFormatTest.de.csv": Table(1, 3, 4, "-123"),
    "fields_of_traps/PHPOffice__sep_line.csv": Table(2, 2, 1, "A"),
    "fields_of_traps/ws-garcia__github_orders.csv": Table(1, 3, 8, "test0001@example.com"),
    "generic_orders/bek-sam__generic-orders.csv": Table(1, 25, 3, "order_id"),
    "german_datev/ledermann__EXTF_Stammdaten.csv": Table(2, 254, 4, "Konto"),
    "german_shopware/shopware5__CustomerImport.csv": Table(1, 32, 4, "customernumber"),
    "german_shopware/shopware5__MainOrderImport.csv": Table(1, 46, 4, "orderId"),
    "headerless_orders/MicrosoftLearning__2019.csv": Table(1, 9, 1200, "SO43701"),
    "magento/magento__SalesSampleData_orders.csv": Table(1, 6, 2, "customer_email"),
    "northwind/SpocWeb__orders.csv": Table(1, 14, 830, "order_id"),
    "olist/olist__olist_products.csv": Table(1, 9, 5000, "product_id"),
    "payments_other/reubano__payoneer.csv": Table(1, 17, 2, "Transaction Date"),
    "payments_paypal/egh__paypal_alternate.csv": Table(1, 10, 2, "Date"),
    "payments_stripe/reubano__stripe-default.csv": Table(1, 21, 5, "id"),
    "payments_stripe/streaming-overlays__unified_payments.csv": Table(1, 79, 1, "id"),
    "plain_orders/MicrosoftLearning__sales_whole.csv": Table(1, 9, 32718, "SalesOrderNumber"),
    "pos_square_clover/finarb__clover.csv": Table(1, 5, 3, ""),
    "russian/ws-garcia__addresses_cp1251.csv": Table(1, 3, 23, "САН Интербрю ОАО"),
    "russian/ws-garcia__alfa_example_cp1251.csv": Table(1, 9, 12, "Тип счета"),
    "shipping_3pl/TMH1995__shipments.csv": Table(1, 8, 6, "tracking_number"),
    "shopify_inventory/abhilasha12345__inventory_export_1.csv": Table(1, 17, 67, "Handle"),
    "shopify_orders/BatManUtd__shopify_orders_fixture.csv": Table(1, 7, 9, "Name"),
    "shopify_orders/bek-sam__shopify-orders-export.csv": Table(1, 64, 4, "Name"),
    "shopify_products/shopifypartners__apparel.csv": Table(1, 46, 22, "Handle"),
    "superstore/miharakoizumi__chumon_orders.csv": Table(1, 20, 5000, "行 ID"),
    "superstore/miharakoizumi__henpin_returns.csv": Table(1, 2, 221, "オーダー ID"),
    "sylius/FriendsOfSylius__products_attr.csv": Table(1, 15, 2, "Code"),
    "uci_online_retail/databricks__2010-12-01.csv": Table(1, 8, 3108, "InvoiceNo"),
    "uk_payments_preamble/ws-garcia__ESCC_payment_data.csv": Table(2, 6, 5000, "Name"),
    "utf16/PHPOffice__utf16be_line_break.csv": Table(1, 3, 5, "Name"),
    "walmart_marketplace/bek-sam__walmart-orders.csv": Table(1, 37, 4, "PO#"),
    "woocommerce_orders/vinigarcia87__Sample_Order.csv": Table(1, 53, 3, "order_id"),
    "woocommerce_products/ClassicPress__importer_test_sample.csv": Table(1, 45, 7, "Type"),
    "xero_invoices/Philipotieno__SalesInvoiceTemplate.csv": Table(1, 29, 100, "*ContactName"),
}


TAKEN: dict[str, Taken] = {
    "woocommerce_orders/vinigarcia87__Sample_Order.csv": Taken(
        "order",
        (3, 3, 0, 0),
        {},
        decided={"unit_price": {"column": "total", "parse": "money"}},
        shape=("unpivot", "split"),
    ),
    "shopify_orders/bek-sam__shopify-orders-export.csv": Taken(
        "order", (4, 2, 2, 0), {"order_held_back": 1, "too_many_cells": 1}
    ),
    "shopify_orders/BatManUtd__shopify_orders_fixture.csv": Taken(
        "order",
        (9, 7, 2, 0),
        {"order_held_back": 1, "missing_value": 1},
        decided={"quantity": {"constant": "1"}, "unit_price": {"column": "Total", "parse": "money"}},
    ),
    "amazon_seller/yomajo__sample_amzn_export.txt": Taken("order", (1, 1, 0, 0), {}),
    "amazon_seller/gkoshyk__Amazon_Sale_Report_latest.csv": Taken(
        "order",
        (9, 6, 3, 0),
        {"below_minimum": 3},
        decided={"unit_price": {"column": "Amount", "parse": "money"}, "order_total": None, "tag": None},
    ),
    "amazon_inventory/fivetran__fba_inventory_summary.csv": Taken(
        "inventory_item", (100, 99, 1, 0), {"repeated_key": 1}
    ),
    "etsy/sfc38__EtsySoldOrders2022_masked.csv": Taken(
        "order",
        (2828, 2828, 0, 0),
        {},
        decided={"quantity": {"constant": "1"}, "unit_price": {"column": "Order Value", "parse": "money"}},
    ),
    "walmart_marketplace/bek-sam__walmart-orders.csv": Taken("order", (4, 4, 0, 0), {}),
    "generic_orders/bek-sam__generic-orders.csv": Taken("order", (3, 3, 0, 0), {}),
    "german_shopware/shopware5__MainOrderImport.csv": Taken(
        "order",
        (4, 2, 2, 0),
        {"order_held_back": 1, "lines_disagree": 3},
        decided={"quantity": {"constant": "1"}, "unit_price": {"column": "invoiceAmount", "parse": "money"}},
    ),
    "erp_sap/SAP-samples__Bikes_SalesOrders.csv": Taken(
        "order",
        (334, 334, 0, 0),
        {},
        decided={"quantity": {"constant": "1"}, "unit_price": {"column": "GROSSAMOUNT", "parse": "money"}},
    ),
    "european_semicolon/SAP-samples__SalesOrderItems.csv": Taken(
        "order",
        (5000, 5000, 0, 0),
        {},
        decided={
            "unit_price": {"column": "GROSSAMOUNT", "parse": "money"},
            "ordered_at": {"column": "DELIVERYDATE", "parse": "date", "format": "%Y%m%d"},
        },
    ),
    "plain_orders/MicrosoftLearning__sales_whole.csv": Taken(
        "order",
        (32718, 32513, 205, 0),
        {"lost_letter": 310},  # `Jim�nez`, as the file was published
        decided={"tax_total": None, "line_tax": {"column": "TaxAmount", "parse": "money"}},
    ),
    "uci_online_retail/databricks__2010-12-01.csv": Taken(
        "order",
        (3108, 3041, 67, 0),
        {"below_minimum": 27, "order_held_back": 34, "lines_disagree": 6},
    ),
    "superstore/miharakoizumi__chumon_orders.csv": Taken(
        "order",
        (5000, 2030, 2970, 0),
        {"order_held_back": 1310, "number_too_long": 496, "lines_disagree": 8456},
        decided={"unit_price": {"column": "売上", "parse": "money"}},
    ),
    "chinook/ws-garcia__Invoice.csv": Taken(
        "order",
        (412, 405, 7, 0),
        {"lost_leading_zero": 7},
        decided={"quantity": {"constant": "1"}, "unit_price": {"column": "Total", "parse": "money"}},
    ),
    "northwind/SpocWeb__orders.csv": Taken(
        "order",
        (830, 825, 5, 0),
        {"lost_leading_zero": 5},
        decided={"quantity": {"constant": "1"}, "unit_price": {"column": "freight", "parse": "money"}},
    ),
    "excel_orders/mdancho84__orders.xlsx": Taken(
        "order", (15644, 15644, 0, 0), {}, decided={"unit_price": {"constant": "1"}}
    ),
    "xero_invoices/Philipotieno__SalesInvoiceTemplate.csv": Taken(
        "order", (100, 41, 59, 0), {"order_held_back": 23, "lines_disagree": 71}
    ),
    "shopify_inventory/abhilasha12345__inventory_export_1.csv": Taken(
        "inventory_item", (67, 0, 67, 0), {"missing_value": 67}
    ),
    "shopify_products/shopifypartners__apparel.csv": Taken("inventory_item", (22, 0, 22, 0), {"missing_value": 24}),
    "woocommerce_products/ClassicPress__importer_test_sample.csv": Taken(
        "inventory_item", (7, 3, 4, 0), {"missing_value": 6}
    ),
    "sylius/FriendsOfSylius__products_attr.csv": Taken("inventory_item", (2, 2, 0, 0), {}),
    "olist/olist__olist_products.csv": Taken(
        "inventory_item",
        (5000, 4898, 102, 0),
        {"missing_value": 102},
        decided={"name": {"column": "product_category_name"}},
    ),
    "shipping_3pl/TMH1995__shipments.csv": Taken(
        "shipment", (6, 6, 0, 0), {}, decided={"order_id": {"column": "tracking_number"}}
    ),
    "payments_stripe/reubano__stripe-default.csv": Taken("payment", (5, 1, 4, 0), {"missing_value": 4}),
    "payments_stripe/streaming-overlays__unified_payments.csv": Taken("payment", (1, 1, 0, 0), {}),
    "erp_sap/SAP-samples__Bikes_BusinessPartners.csv": Taken("customer", (40, 40, 0, 0), {}),
    "german_shopware/shopware5__CustomerImport.csv": Taken("customer", (4, 4, 0, 0), {}),
    "china_payment_exports/deb-sig__jd_bom.csv": Taken(
        "payment",
        (26, 1, 25, 0),
        {"repeated_key": 25, "bad_number": 5, "below_minimum": 2},
        decided={"order_id": {"column": "商家订单号"}},
    ),
    "magento/magento__SalesSampleData_orders.csv": Taken(
        "order",
        (2, 2, 0, 0),
        {},
        decided={
            "order_id": {"column": "customer_email"},
            "ordered_at": {"constant": "2026-01-05"},
            "sku": {"column": "sku"},
            "quantity": {"column": "qty", "parse": "integer"},
            "unit_price": {"constant": "0"},
            "extra": {"size": {"column": "size"}},
        },
        shape=("split",),
    ),
    "benchmark_source/HPI-Information-Systems__pollock_source.csv": Taken(
        "order",
        (83, 66, 17, 0),
        {"below_minimum": 17},
        decided={"order_id": {"column": "PRODUCTID"}},
        keys={"reject": "row"},
    ),
}


def proposed(path: Path, taken: Taken, folder: Path) -> Judging:
    """The proposed mapping with a person's decisions, proved, and the file taken in by it."""
    plan = load_plan(PROJECT, secrets=False)
    columns, shape = shaped_columns_of(open_table(path))
    proposal = propose(columns, path.name, taken.kind, "export", None, shape)
    text = as_yaml(replace(proposal, places=(DeliverTo("shop", "order"),)), path.name, "")
    raw = yaml.load(text, yaml.BaseLoader)
    raw["files"] = {"pattern": "*"}
    raw["fields"] |= taken.decided
    raw["fields"] = {name: rule for name, rule in raw["fields"].items() if rule}
    raw |= taken.keys
    made = folder / "export.yaml"
    made.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    mapping = load_mapping(made)
    assert {name for name in ("unpivot", "split", "join") if getattr(mapping, name)} == set(taken.shape)
    with_mapping = Plan(plan.settings, {"export": mapping}, plan.accounts)
    return judge(with_mapping, recognise(None, path, None, with_mapping))


def test_every_file_of_the_folder_has_its_entry() -> None:
    found = {path.relative_to(EXPORTS).as_posix() for path in EXPORTS.rglob("*") if path.is_file()}
    assert found == set(READ)


@pytest.mark.parametrize("name", READ)
def test_a_file_reads_as_intended_or_is_refused_for_the_right_reason(name: str) -> None:
    expected = READ[name]
    if expected.refused:
        with pytest.raises(FileRefused) as caught:
            open_table(EXPORTS / name)
        assert caught.value.code == expected.refused
    if expected.columns:
        table = open_table(EXPORTS / name, Hints(sheet=expected.sheet))
        rows = sum(len(block.rows) for block in table.blocks(5000))
        assert (table.found.header_row, len(table.header), rows) == (expected.row, expected.columns, expected.rows)
        assert table.header[0] == expected.first


@pytest.mark.parametrize("name", TAKEN)
def test_a_file_of_records_goes_all_the_way_to_checked_ones(name: str, tmp_path: Path) -> None:
    expected = TAKEN[name]
    checked = proposed(EXPORTS / name, expected, tmp_path).checked
    assert (checked.read, checked.accepted, checked.rejected, checked.skipped) == expected.rows
    assert dict(Counter(r.code for r in checked.rejections)) == expected.codes
    assert all(r.message and r.advice for r in checked.rejections)


# --- the same, counted by another program ---

WRITTEN = {
    "amazon_seller/yomajo__sample_amzn_export.txt": ("\t", ""),
    "erp_adventureworks/microsoft__DimReseller.csv": ("|", ""),
    "erp_adventureworks/microsoft__PurchaseOrderHeader.csv": ("\t", ""),
    "european_semicolon/SAP-samples__SalesOrderItems.csv": (";", ""),
    "european_semicolon/reubano__gls.csv": (";", "cp1252"),
    "fields_of_traps/PHPOffice__sep_line.csv": (";", ""),
    "german_datev/ledermann__EXTF_Stammdaten.csv": (";", "cp1252"),
    "german_shopware/shopware5__CustomerImport.csv": (";", ""),
    "german_shopware/shopware5__MainOrderImport.csv": (";", ""),
    "russian/ws-garcia__addresses_cp1251.csv": (";", "cp1251"),
    "russian/ws-garcia__alfa_example_cp1251.csv": (";", "cp1251"),
    "uk_payments_preamble/ws-garcia__ESCC_payment_data.csv": (",", "cp1252"),
    "utf16/PHPOffice__utf16be_line_break.csv": (",", "utf-16"),
}
"""Delimiter and encoding as seen by eye; all others have commas and are UTF-8."""
PLAIN = [name for name in READ if name.endswith((".csv", ".txt")) and not name.endswith("microsoft__Store.csv")]
"""The delimiter of the one left out has two characters, which the csv module does not know."""


def counted(name: str) -> list[dict[str, str]]:
    """The rows of a text file as the csv module of the standard library reads them, without blank ones."""
    delimiter, encoding = WRITTEN.get(name, (",", ""))
    csv.field_size_limit(1 << 30)
    with (EXPORTS / name).open(encoding=encoding or "utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream, delimiter=delimiter))[READ[name].row - 1 :]
    return [dict(zip(rows[0], row, strict=False)) for row in rows[1:] if any(cell.strip() for cell in row)]


@pytest.mark.parametrize("name", PLAIN)
def test_another_program_counts_as_many_rows(name: str) -> None:
    assert len(counted(name)) == READ[name].rows


ODD: dict[str, Callable[[dict[str, str]], bool]] = {
    "amazon_seller/gkoshyk__Amazon_Sale_Report_latest.csv": lambda row: row["Qty"] == "0",
    "benchmark_source/HPI-Information-Systems__pollock_source.csv": lambda row: int(row["Qty"]) < 1,
    "chinook/ws-garcia__Invoice.csv": lambda row: row["BillingCountry"] == "USA" and len(row["BillingPostalCode"]) == 4,
    "german_shopware/shopware5__MainOrderImport.csv": lambda row: row["orderNumber"] == "0",
    "northwind/SpocWeb__orders.csv": lambda row: row["ship_country"] == "Spain" and len(row["ship_postal_code"]) == 4,
    "olist/olist__olist_products.csv": lambda row: not row["product_category_name"],
    "payments_stripe/reubano__stripe-default.csv": lambda row: not row["invoice_id"],
    "shopify_inventory/abhilasha12345__inventory_export_1.csv": lambda row: not row["SKU"],
    "shopify_products/shopifypartners__apparel.csv": lambda row: not row["Variant SKU"],
    "woocommerce_products/ClassicPress__importer_test_sample.csv": lambda row: not row["SKU"] or not row["Name"],
    "etsy/sfc38__EtsySoldOrders2022_masked.csv": lambda row: not row["Order ID"],
    "plain_orders/MicrosoftLearning__sales_whole.csv": lambda row: "\ufffd" in "".join(row.values()),
}
"""What is wrong with the rows that come back, as somebody found it by looking into the file."""


@pytest.mark.parametrize("name", ODD)
def test_as_many_rows_come_back_as_are_odd(name: str) -> None:
    assert sum(map(ODD[name], counted(name))) == TAKEN[name].rows[2]
