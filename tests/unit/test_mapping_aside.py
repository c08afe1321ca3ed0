"""Rows that are no records are set aside and counted; rows that could be some never are."""

from __future__ import annotations

import pytest
from mapped import rows_of

from pipeline.mapping.aside import aside

HEADER = ("Order", "Date", "SKU", "Qty", "Price")


def marked(*rows: list[str]) -> list[bool]:
    found = aside(HEADER, rows_of([row + [""] * (len(HEADER) - len(row)) for row in rows]))
    return [at in found for at in range(len(rows))]


@pytest.mark.parametrize(
    "row",
    [
        list(HEADER),
        [" Order ", "Date", "SKU", "Qty ", "Price"],
        ["TOTAL", "", "", "12", "99.50"],
        ["", "", "Grand total:", "", "$99.50"],
        ["合计", "", "", "", "1,234"],
        ["Summe", "", "", "", "-"],
        ["--------"],
        ["End of report"],
        ["Generated on 2026-01-05 08:00"],
        ["12 orders"],
        ["2", "record(s) downloaded"],
        ["Seller ID : acme-shop"],
        ["Page 1 of 3"],
    ],
)
def test_no_records(row: list[str]) -> None:
    assert marked(["1001", "2026-01-05", "A", "1", "2.50"], row) == [False, True]


@pytest.mark.parametrize(
    "row",
    [
        ["1001"],  # cut short on the way
        ["", "", "Total Gym", "1", "9.50"],
        ["", "", "Total", "blue", "9.50"],
        ["Total", "2026-01-05", "A", "1", "2.50"],
        ["Order", "Date", "SKU", "Qty", ""],
        ["Ann Smith"],
        ["1001", "", "", "", "2.50"],
        ["Ende, Michael"],
        ["2", "records of the year"],
        ["1001", "order"],
    ],
)
def test_what_could_be_a_record(row: list[str]) -> None:
    assert marked(["1001", "2026-01-05", "A", "1", "2.50"], row) == [False, False]
