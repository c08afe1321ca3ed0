"""Headers as shops in several countries write them: whose address it is, and amounts that say in what they count."""

from __future__ import annotations

import pytest

from pipeline.proposing.content import look
from pipeline.proposing.matching import Seen, match
from pipeline.sampling import understood


def matched(columns: dict[str, list[str]]) -> dict[str, tuple[str, float]]:
    seen = [Seen(at, header, look(c, understood), tuple(c)) for at, (header, c) in enumerate(columns.items())]
    return {one.field: (one.column.header, one.sure) for one in match(seen, "order")}


def test_brackets_that_say_whose_address_it_is_are_heeded() -> None:
    found = matched(
        {
            "City (Billing)": ["Boston"], "Postcode (Billing)": ["02110"], "Address 1&2 (Billing)": ["1 Main St"],
            "City (Shipping)": ["Salem"], "Postcode (Shipping)": ["01970"], "Address 1&2 (Shipping)": ["3 Oak"],
            "First Name (Shipping)": ["Bo"],
        }
    )  # fmt: skip
    assert found["billing_city"][0] == "City (Billing)"
    assert found["shipping_city"][0] == "City (Shipping)"
    assert found["billing_address1"][0] == "Address 1&2 (Billing)"
    assert found["shipping_first_name"][0] == "First Name (Shipping)"
    assert min(sure for _, sure in found.values()) > 0.9


def test_headers_that_differ_in_brackets_only_are_asked_about() -> None:
    found = matched({"Grand Total (Base)": ["69.20"], "Grand Total (Purchased)": ["61.00"]})
    assert found["order_total"][1] < 0.6


@pytest.mark.parametrize(
    ("header", "cells", "field"),
    [
        ("Einzelpreis brutto", ["12,50 €", "1.250,00 €"], "unit_price"),
        ("Prix unitaire TTC", ["1 024,50 €"], "unit_price"),
        ("Cena brutto", ["24,99 zł", "1 249,00 zł"], "unit_price"),
        ("Koszt wysyłki", ["12,00 zł"], "shipping_total"),
        ("Valor do Produto", ["R$ 1.049,80"], "unit_price"),
        ("Quantidade Comprada", ["2"], "quantity"),
        ("Order Total (USD)", ["$1,250.00"], "order_total"),
        ("Preis CHF", ["12'450.00"], "unit_price"),
        ("送料合計", ["500円"], "shipping_total"),
        ("Custom SKU", ["MUG-BL"], "sku"),
        ("Cena", ["12,50"], "unit_price"),
        ("Pris", ["1 299,00 kr"], "unit_price"),
        ("名前", ["山田太郎"], "full_name"),
    ],
)
def test_amounts_are_known_by_what_they_are(header: str, cells: list[str], field: str) -> None:
    assert matched({header: cells})[field][0] == header


def test_a_name_cut_in_two_is_both_halves() -> None:
    found = matched({"注文者姓": ["山田"], "注文者名": ["太郎"]})
    assert {field: header for field, (header, _) in found.items()} == {
        "last_name": "注文者姓",
        "first_name": "注文者名",
    }
