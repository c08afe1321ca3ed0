"""A proposal as a mapping file: it proves whatever the headers are, and a changed mapping keeps its author's words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.drift import drift_of, likely_meanings
from pipeline.errors import SetupError
from pipeline.mapping.spec import FeedMapping, load_mapping
from pipeline.model import DeliverTo
from pipeline.proposing.amend import amended
from pipeline.proposing.as_yaml import as_yaml, quoted
from pipeline.proposing.content import look
from pipeline.proposing.matching import Seen
from pipeline.proposing.propose import Proposal, propose
from pipeline.proposing.renamed import Lacking, likeliest
from pipeline.sampling import understood


def columns(told: dict[str, tuple[str, ...]]) -> list[Seen]:
    return [Seen(at, header, look(cells, understood), cells) for at, (header, cells) in enumerate(told.items())]


def loaded(text: str, folder: Path) -> FeedMapping:
    path = folder / "feed.yaml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path)


GOOD = {
    "Order #": ("A1", "A2", "TOTAL"),
    "Order Date": ("31.01.2026", "01.02.2026", ""),
    "Status": ("open", "shipped", ""),
    "Ship Name": ("Ann Lee", "Bob Ray", ""),
    "Qty": ("1", "2", ""),
    "Unit price": ("1,50", "2,75", "5,00"),
    "Tags": ("a,b", "", ""),
    "Whatever": ("x", "y", "z"),
}


def proposal(told: dict[str, tuple[str, ...]], *places: DeliverTo) -> Proposal:
    from dataclasses import replace

    return replace(propose(columns(told), "orders_1.csv", "order", "orders", None), places=places)


def test_a_full_proposal_proves_and_says_what_was_seen(tmp_path: Path) -> None:
    found = proposal(GOOD, DeliverTo("shop", "order"))
    assert found.questions == ()
    mapping = loaded(as_yaml(found, "orders_1.csv", "csv, utf-8"), tmp_path)
    assert (mapping.feed, mapping.record, mapping.key, mapping.decimal) == ("orders", "order", ("order_id",), ",")
    assert mapping.fields["ordered_at"].format == ("%d.%m.%Y",)
    assert mapping.fields["shipping_first_name"].part == "first"
    assert mapping.fields["shipping_last_name"].column == ("Ship Name",)
    assert mapping.fields["quantity"].parse == "integer"
    assert mapping.fields["tag"].parse == "list"
    assert mapping.skip_rows_where[0].values == ("TOTAL",)
    assert mapping.ignore_columns == ("Whatever",)
    assert mapping.deliver == (DeliverTo("shop", "order"),)


def test_words_seen_again_and_again_become_choices() -> None:
    found = proposal({"Order #": ("A1", "A2", "A3", "A4"), "Status": ("open", "shipped", "open", "shipped")})
    (status,) = [rule for rule in found.rules if rule.field == "status"]
    assert status.rule["choices"] == {"open": "open", "shipped": "shipped"}


def test_what_a_person_must_decide_stands_in_the_file_and_it_does_not_prove(tmp_path: Path) -> None:
    found = proposal({"Order #": ("A1",), "Date": ("01/02/2026",)}, DeliverTo("shop", "order"))
    text = as_yaml(found, "orders_1.csv", "csv")
    assert {question.split(":")[0] for question in found.questions} == {"quantity", "unit_price", "ordered_at"}
    assert any("%m/%d/%Y" in question and "%d/%m/%Y" in question for question in found.questions)
    assert all(" ".join(question.split()) in text for question in found.questions)
    with pytest.raises(SetupError, match="quantity"):
        loaded(text, tmp_path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.dictionaries(st.text(max_size=12), st.lists(st.text(max_size=10), min_size=2, max_size=2).map(tuple), max_size=6)
)
def test_no_header_and_no_cell_can_break_the_file(tmp_path: Path, odd: dict[str, tuple[str, ...]]) -> None:
    found = proposal({**{h: c[:2] for h, c in GOOD.items()}, **odd}, DeliverTo("shop", "order"))
    text = as_yaml(found, "\u2028\x85: {odd}\n#.csv", "csv")
    mapping = loaded(text, tmp_path)
    named = {column for rule in mapping.fields.values() for column in rule.column} | set(mapping.ignore_columns)
    assert {header for header in odd if header.strip()} <= named


@given(st.text())
def test_a_quoted_text_is_the_same_text(text: str) -> None:
    if not any("\ud800" <= letter <= "\udfff" for letter in text):
        assert yaml.safe_load(quoted(text)) == text


# --- drift ---

MAPPING = """\
# said on the phone
feed: orders
files: {pattern: "orders*"}
record: order
fields:
  order_id:   {column: "Order #"}   # theirs
  ordered_at: {column: "Date", parse: datetime, format: "%m/%d/%Y"}
  email:
    column: Email
    optional: true
  full_name:
    column:
      - Name
      - Client
  note: {column: "Memo"}
  quantity:   {column: "Qty", parse: integer}
  unit_price: {column: "Price", parse: money}
  extra: {gift: {column: Gift}}
skip_rows_where: {column: "Order #", is: ["", "TOTAL"]}
deliver: [{account: shop, operation: order}]
"""


def test_a_changed_mapping_keeps_everything_else_as_it_was(tmp_path: Path) -> None:
    renamed = {("Order #",): 'No. "1"', ("Name", "Client"): "Kunde: x", ("Email",): "E-mail", ("Gift",): "Geschenk"}
    text = amended(MAPPING, renamed, ["note"], {"sku": "Article"})
    before, after = loaded(MAPPING, tmp_path), loaded(text, tmp_path)
    assert after.fields["order_id"].column == ("Order #", 'No. "1"')
    assert after.fields["full_name"].column == ("Name", "Client", "Kunde: x")
    assert after.fields["extra.gift"].column == ("Gift", "Geschenk")
    assert after.skip_rows_where[0].column == ("Order #", 'No. "1"')
    assert (after.fields["note"].optional, after.fields["sku"].column) == (True, ("Article",))
    assert after.fields["ordered_at"] == before.fields["ordered_at"]
    assert "# said on the phone" in text
    assert "# theirs" in text


def test_a_mapping_written_on_one_line_is_changed_too(tmp_path: Path) -> None:
    flow = json.dumps(yaml.safe_load(MAPPING))
    after = loaded(amended(flow, {("Qty",): "Pieces"}, ["note"], {"sku": "Article"}), tmp_path)
    assert after.fields["quantity"].column == ("Qty", "Pieces")
    assert (after.fields["note"].optional, after.fields["sku"].column) == (True, ("Article",))


def test_the_likely_new_column_is_found_by_name_meaning_and_content() -> None:
    lacking = [Lacking(("Qty",), ("quantity",)), Lacking(("Ref",), ("email",)), Lacking(("Colour",), ("extra.colour",))]
    unused = columns(
        {"Menge": ("1", "2"), "Kontakt": ("a@b.de", "c@d.de"), "Color": ("red", "blue"), "Other": ("x", "y")}
    )
    found = {r.lacking.aliases[0]: r.column.header for r in likeliest(lacking, unused, "order")}
    assert found == {"Qty": "Menge", "Ref": "Kontakt", "Colour": "Color"}


def test_a_name_alike_is_not_enough_when_the_values_are_of_another_kind() -> None:
    lacking = [Lacking(("Price",), ("unit_price",))]
    assert likeliest(lacking, columns({"Price list": ("summer", "winter")}), "order") == []


def test_drift_tells_renamed_missing_and_added_apart(tmp_path: Path) -> None:
    mapping = loaded(MAPPING.replace("record: order", "strict: true\nrecord: order"), tmp_path)
    file = {"Order Nr": ("A",), "Date": ("01/31/2026",), "Name": ("Ann",), "Qty": ("1",), "Price": ("2",),
            "Tracking number": ("T1",), "Zzz": ("q",)}  # fmt: skip
    drift = drift_of(mapping, columns(file))
    assert [(r.lacking.aliases, r.column.header) for r in drift.renamed] == [(("Order #",), "Order Nr")]
    assert [gap.aliases for gap in drift.lack] == [("Memo",), ("Gift",)]
    assert drift.added == {"tracking_number": "Tracking number"}
    assert drift.strange == ("Zzz",)


def test_unknown_columns_of_a_taken_file_are_explained(tmp_path: Path) -> None:
    mapping = loaded(MAPPING, tmp_path)
    bound = set(mapping.fields) - {"email"}
    told = likely_meanings(mapping, bound, ["E-Mail", "Carrier", "Zzz"])
    assert told == {"E-Mail": "'Email' renamed, which is email", "Carrier": "carrier"}
    assert likely_meanings(mapping, bound, [f"Carrier {n}" for n in range(500)]) == {}
