"""What the cells say: dates as a whole column, content against headers, lines against orders, prices of lines."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.proposing.assign import best_assignment
from pipeline.proposing.content import look
from pipeline.proposing.dates import notation
from pipeline.proposing.examples import examples
from pipeline.proposing.kinds import likeliest_kind
from pipeline.proposing.matching import Seen, match
from pipeline.proposing.prices import price_of_line
from pipeline.proposing.propose import feed_name, patterns_of, propose
from pipeline.proposing.rules import proposed_rules
from pipeline.sampling import understood


def seen(**columns: Sequence[str]) -> list[Seen]:
    """Columns of a file; ``__`` in a name stands for a blank."""
    pairs = [(name.replace("__", " "), tuple(cells)) for name, cells in columns.items()]
    return [Seen(at, header, look(cells, understood), cells) for at, (header, cells) in enumerate(pairs)]


def fields(columns: Sequence[Seen], kind: str = "order") -> dict[str, str]:
    return {found.column.header: found.field for found in match(columns, kind)}


# --- dates ---


@pytest.mark.parametrize(
    ("texts", "formats"),
    [
        (["01/31/2026", "02/01/2026"], ("%m/%d/%Y",)),
        (["31/01/2026", "01/02/2026"], ("%d/%m/%Y",)),
        (["01/02/2026", "03/04/2026"], ("%m/%d/%Y", "%d/%m/%Y")),
        (["05/05/2026"], ("%m/%d/%Y",)),
        (["31.01.2026 14:05"], ("%d.%m.%Y %H:%M",)),
        (["12/31/22"], ("%m/%d/%y",)),
        (["20260131", "20260201"], ("%Y%m%d",)),
        (["2026-01-31T10:00:00+01:00"], ("%Y-%m-%dT%H:%M:%S%z",)),
        (["1-Mar-2026", "28-Feb-2026"], ("%d-%b-%Y",)),
        (["01/31/2026 02:05 PM"], ("%m/%d/%Y %I:%M %p",)),
    ],
)
def test_the_column_as_a_whole_decides_the_format(texts: list[str], formats: tuple[str, ...]) -> None:
    found = notation(texts)
    assert found is not None
    assert found.formats == formats


@pytest.mark.parametrize(
    "texts", [[], ["7384046375"], ["12.50", "7.00"], ["SKU-2026-01-01x"], ["hello"], ["123456"], ["99999999"]]
)
def test_what_is_no_date_is_none(texts: list[str]) -> None:
    assert notation(texts) is None


def test_one_damaged_cell_does_not_hide_the_format() -> None:
    texts = [f"{day:02}.01.2026" for day in range(1, 31)]
    found = notation(["n/a 1:2", *texts])
    assert found is not None
    assert found.formats == ("%d.%m.%Y",)


# --- header and content ---


def test_content_overrules_a_header() -> None:
    wrong = seen(Email=["yes", "no"], Contact=["a@example.com", "b@example.com"])
    assert fields(wrong) == {"Contact": "email"}


def test_content_alone_finds_addresses_and_currencies() -> None:
    found = seen(x1=["a@example.com", "b@example.com"], x2=["EUR", "USD"], x3=["17", "18"])
    assert fields(found) == {"x1": "email", "x2": "currency"}


def test_the_only_role_a_file_names_is_that_of_its_other_address_columns() -> None:
    found = seen(Billing__Street=["1 Main St"], City=["Boston"], Zip=["02110"])
    assert fields(found)["City"] == "billing_city"
    assert fields(found)["Zip"] == "billing_postal_code"


def test_a_tax_that_differs_within_an_order_is_one_of_its_lines() -> None:
    order = ["A", "A", "B", "B"]
    assert fields(seen(Order=order, Order__ID=order, Tax__Amount=["1", "2", "3", "4"]))["Tax Amount"] == "line_tax"
    assert fields(seen(Order__ID=order, Tax__Amount=["1", "1", "3", ""]))["Tax Amount"] == "tax_total"


def test_a_name_beside_first_names_is_the_last_name() -> None:
    assert fields(seen(Vorname=["Ann"], Name=["Lee"])) == {"Vorname": "first_name", "Name": "last_name"}
    assert fields(seen(Nombre=["Ana"], Apellidos=["Ruiz"])) == {"Nombre": "first_name", "Apellidos": "last_name"}
    assert fields(seen(Name=["Ann Lee"], Email=["a@b.de"]))["Name"] == "full_name"
    assert fields(seen(Name=["#1001", "#1002"], Email=["a@b.de", ""]))["Name"] != "full_name"


def test_a_repeated_header_is_not_matched_but_asked_about() -> None:
    cells = ("1", "2")
    twice = [Seen(at, "Qty", look(cells, understood), cells) for at in range(2)]
    assert match(twice, "order") == []
    assert any(
        "'Qty' heads 2 columns" in question for question in propose(twice, "x.csv", "order", None, None).questions
    )


def test_one_field_takes_one_column_and_one_column_one_field() -> None:
    found = match(seen(Order__ID=["1"], Order__Number=["2"], Bestellnr=["3"], Email=["a@b.de"]), "order")
    assert sorted(m.field for m in found) == ["email", "order_id"]


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 3), st.sampled_from("abcd")), st.floats(0.5, 1, allow_nan=False), max_size=12
    )
)
def test_the_assignment_is_the_best_there_is(scores: dict[tuple[int, str], float]) -> None:
    found = best_assignment(scores)
    assert len(set(found.values())) == len(found)
    gained = sum(scores[pair] ** 3 for pair in found.items())
    assert gained == pytest.approx(_best_by_trying(scores))


def _best_by_trying(scores: dict[tuple[int, str], float]) -> float:
    columns = sorted({column for column, _ in scores})
    best = 0.0
    for chosen in itertools.product([*"abcd", ""], repeat=len(columns)):
        named = [field for field in chosen if field]
        pairs = [pair for pair in zip(columns, chosen, strict=True) if pair[1]]
        if len(set(named)) == len(named) and all(pair in scores for pair in pairs):
            best = max(best, sum(scores[pair] ** 3 for pair in pairs))
    return best


# --- kinds ---


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ("Order ID,Order Date,SKU,Qty,Unit price", "order"),
        ("SKU,Product,Stock,Price", "inventory_item"),
        ("Artikelnummer,Bezeichnung,Bestand", "inventory_item"),
        ("Order ID,Tracking Number,Carrier,Ship date", "shipment"),
        ("Order ID,Amount,Payment date,Payment method", "payment"),
        ("Customer ID,E-mail,First name,Last name,Phone", "customer"),
        ("注文番号,注文日,商品コード,数量,単価", "order"),
    ],
)
def test_the_kind_is_told_by_the_columns(headers: str, kind: str) -> None:
    assert likeliest_kind([Seen(at, text, look((), understood)) for at, text in enumerate(headers.split(","))]) == kind


# --- prices ---


def test_a_price_that_grows_with_the_quantity_is_asked_about() -> None:
    growing = seen(Order__ID=["1", "2"], SKU=["X", "X"], Qty=["1", "3"], Unit__price=["5.00", "15.00"])
    steady = seen(Order__ID=["1", "2"], SKU=["X", "X"], Qty=["1", "3"], Unit__price=["5.00", "5.00"])
    assert "price of a whole line" in price_of_line(proposed_rules(match(growing, "order"), "order"))
    assert price_of_line(proposed_rules(match(steady, "order"), "order")) == ""


def test_an_order_total_tells_what_the_price_is() -> None:
    line = seen(Order__ID=["1"], Qty=["3"], Unit__price=["15,00"], Order__total=["15,00"])
    piece = seen(Order__ID=["1"], Qty=["3"], Unit__price=["5,00"], Order__total=["15,00"])
    assert price_of_line(proposed_rules(match(line, "order"), "order"))
    assert not price_of_line(proposed_rules(match(piece, "order"), "order"))


# --- names and examples ---


@pytest.mark.parametrize(
    ("file_name", "feed", "pattern"),
    [
        ("ACME_orders_0105.csv", "acme_orders", "ACME_orders_*.csv"),
        ("2026-01-05 Orders.xlsx", "orders", "*Orders*.xlsx"),
        ("Bestellungen.csv", "bestellungen", "Bestellungen.csv Bestellungen[-_ 0-9(]*.csv"),
        ("注文.csv", "new_feed", "注文.csv 注文[-_ 0-9(]*.csv"),
        ("20260105.csv", "new_feed", "20260105.csv"),
        ("a[1].csv", "a", "a[[]*]*.csv"),
        ("orders", "orders", "orders orders[-_ 0-9(]*"),
    ],
)
def test_a_feed_is_named_by_its_sample(file_name: str, feed: str, pattern: str) -> None:
    patterns = patterns_of(file_name)
    assert feed_name(file_name) == feed
    assert " ".join(patterns) == pattern
    assert any(fnmatchcase(file_name, each) for each in patterns)


def test_a_pattern_takes_the_next_file_and_no_other_ones() -> None:
    patterns = patterns_of("orders.csv")
    assert any(fnmatchcase("orders_2026-01-06.csv", each) for each in patterns)
    assert not any(fnmatchcase("orders of suppliers.xlsx", each) for each in patterns)
    assert not any(fnmatchcase("ordersheet.csv", each) for each in patterns)


def test_a_file_without_a_header_is_asked_about() -> None:
    found = propose(seen(A1=["A2"], x2026=["2027"]), "x.csv", None, None, None)
    assert any("Is row 1 a header?" in question for question in found.questions)


def test_examples_do_not_tell_who_somebody_is() -> None:
    people = look(["jane.doe@example.com", "+1 617 555 0100"], understood)
    assert examples(people) == ("j…@example.com", "+1…")
    assert examples(look(["12 Elm Street"], understood), "shipping_address1") == ("12…",)
    assert examples(look(["MUG-BL"], understood), "sku") == ("MUG-BL",)
    assert examples(look(["12.50"], understood)) == ("12.50",)
