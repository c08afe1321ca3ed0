"""Mappings are complete or refused, with everything that is wrong and where."""

from __future__ import annotations

from textwrap import dedent

import pytest
from mapped import ORDER, mapping_of

from pipeline.errors import FileRefused, SetupError
from pipeline.mapping.spec import load_mapping, load_mappings, match_feed

FACE = """
feed: acme_orders
files: {pattern: "ACME_orders_*"}
record: order
key: [order_id]
fields:
  order_id:   {column: "Order #", parse: text}
  ordered_at: {column: ["Order Date", "Date"], parse: datetime, format: "%m/%d/%Y"}
  quantity:   {column: "Qty", parse: integer}
  unit_price: {column: "Price", parse: money}
  status:     {column: "Status", parse: choice, choices: {SHP: shipped, CXL: cancelled}}
  tag:        {constant: acme}
  email:      {column: "Email", parse: email, optional: true}
skip_rows_where: {column: "Order #", is: ["", "TOTAL"]}
ignore_columns: ["Internal note"]
reject: order
on_change: update
deliver:
  - {account: shop, operation: inventory_item}
  - {account: crm, operation: place_order, options: {send: false, days: 3}}
"""


def refusal(folder, text):
    with pytest.raises(SetupError) as refused:
        mapping_of(folder, text)
    return str(refused.value)


def changed(old, new):
    assert old in ORDER
    return ORDER.replace(old, new)


def with_field(line):
    return changed("  sku: {column: SKU}", f"  sku: {{column: SKU}}\n  {line}")


def test_the_documented_mapping(tmp_path):
    mapping = mapping_of(tmp_path, FACE)
    assert mapping.fields["ordered_at"].column == ("Order Date", "Date")
    assert mapping.fields["email"].optional
    assert mapping.skip_rows_where[0].values == ("", "TOTAL")
    assert (mapping.reject, mapping.on_change, mapping.strict) == ("order", "update", False)
    assert mapping.deliver[1].options == {"send": False, "days": 3}
    assert mapping.columns_of_fields()["order_id"] == ("Order #",)
    assert "tag" not in mapping.columns_of_fields()


def test_what_a_mapping_leaves_out_has_its_default(tmp_path):
    mapping = mapping_of(tmp_path, ORDER)
    assert mapping.key == ("order_id",)
    assert mapping.reject == "order"
    payment = "feed: p\nrecord: payment\nfields: {order_id: {column: O}, amount: {column: A}}\ndeliver: []"
    assert mapping_of(tmp_path, payment).key == ("order_id",)
    assert mapping_of(tmp_path, payment).reject == "row"


def test_what_is_typed_is_what_is_meant_not_what_yaml_makes_of_it(tmp_path):
    text = with_field("billing_country: {column: C, parse: choice, choices: {NO: NO, 010: DE, 2026-01-01: US}}")
    choices = mapping_of(tmp_path, text).fields["billing_country"].choices
    assert choices == {"NO": "NO", "010": "DE", "2026-01-01": "US"}
    assert mapping_of(tmp_path, with_field("tag: {constant: 1.10}")).fields["tag"].constant == "1.10"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("quantitty: {column: Q}", "Did you mean 'quantity'?"),
        ("tag: {colum: Q}", "Did you mean 'column'?"),
        ("tag: {column: Q, parse: txt}", "Did you mean 'text'?"),
        ("order_total: {column: Q, parse: text}", "does not fit"),
        ("shipped_at: {column: Q, parse: text}", "does not fit"),
        ("tag: {column: Q, choices: {a: b}}", "'choices' has no meaning with parse: text"),
        ("tag: {column: Q, format: '%Y'}", "'format' has no meaning with parse: text"),
        ("status: {column: Q, parse: choice}", "needs `choices`"),
        ("status: {column: Q, parse: choice, choices: {'': x}}", "use `default`"),
        ("line_type: {column: Q, parse: choice, choices: {P: produkt}}", "Did you mean 'product'?"),
        ("line_type: {constant: produkt}", "Did you mean 'product'?"),
        ("shipped_at: {column: Q, format: '%m/%Y'}", "year, month and day"),
        ("shipped_at: {column: Q, timezone: Mars/Phobos}", "not a time zone"),
        ("shipped_at: {column: Q, timezone: ../../etc/passwd}", "not a time zone"),
        ("order_total: {column: Q, default: '1,2,3'}", "not a number"),
        ("order_total: {column: Q, decimal: ';'}", "not one of"),
        ("tag: {constant: a, column: b}", "stands alone"),
        ("tag: {parse: text}", "name the column"),
        ("tag: {column: ''}", "header text"),
        ("tag: {column: Q, parse: split_name}", "`part`"),
        ("tag: {column: Q, parse: split_name, part: left}", "not one of"),
        ("phone: {column: Q, country: XX}", "two-letter"),
        ("confirmed: {column: Q, true: [x], false: [X]}", "both true and false"),
        ("order_total: {column: Q, optional: perhaps}", "optional"),
        ("tag: 5", "expected a table"),
        ("tag: {column: {a: b}}", "column"),
    ],
)
def test_a_field_rule_that_means_nothing_is_refused(tmp_path, line, says):
    said = refusal(tmp_path, with_field(line))
    assert says in said
    assert line.split(":")[0] in said
    assert "acme.yaml" in said


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("feed: acme", "feed: ../acme", "feed"),
        ("feed: acme", "feed: acme orders", "feed"),
        ("record: order", "record: ordr", "Did you mean 'order'?"),
        ("record: order", "record: order\nrejct: row", "Did you mean 'reject'?"),
        ("record: order", "record: order\nreject: rows", "'rows' is not one of order, row, file"),
        ("record: order", "record: order\non_change: replace", "on_change"),
        ("record: order", "record: order\ndecimal: ';'", "decimal"),
        ("record: order", "record: order\ntimezone: Nowhere", "not a time zone"),
        ("record: order", "record: order\nkey: [sku]", "differs between the lines"),
        ("record: order", "record: order\nkey: [email, status]", "'status' is not among the fields"),
        ("record: order", "record: order\nkey: []", "name at least one"),
        ("record: order", "record: order\nfiles: {patern: x}", "Did you mean 'pattern'?"),
        ("record: order", "record: order\nfiles: {pattern: ../x}", "without folders"),
        ("record: order", "record: order\nfiles: {header_row: -1}", "header_row"),
        ("record: order", "record: order\nfiles: {header_row: two}", "header_row"),
        ("record: order", "record: order\nskip_rows_where: {column: X}", "skip_rows_where"),
        ("record: order", "record: order\nfill_down: [Ordr]", "Did you mean 'Order'?"),
        (
            "record: order",
            "record: order\nfill_down: true\nskip_rows_where: {column: Order, is: ''}",
            "both skipped",
        ),
        ("  order_id: {column: Order}\n", "", "'order_id' is missing"),
        (
            "unit_price: {column: Price, ",
            "unit_price: {column: Price, optional: true, ",
            "together with a default",
        ),
        ("operation: order}", "operation: order}, {account: shop, operation: order}", "stands twice"),
        ("operation: order}", "operatoin: order}", "Did you mean 'operation'?"),
        ("account: shop, ", "", "'account' is missing"),
        ("deliver: [{account: shop, operation: order}]", "", "say where the records go"),
        ("feed: acme", "feed: acme\nfeed: other", "stands twice"),
        ("feed: acme", "feed: [", "line"),
        ("feed: acme", "feed: !!python/object/apply:os.system ['true']", "line"),
    ],
)
def test_a_mapping_that_means_nothing_is_refused(tmp_path, old, new, says):
    assert says in refusal(tmp_path, changed(old, new))


@pytest.mark.parametrize("text", ["", "- a", "5", "a: b: c", "\t", "1: x", "&a [*a]"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text):
    assert "acme.yaml" in refusal(tmp_path, text)


ODD = ["[]", "[[]]", "{}", "{a: b}", "~", "''", "5", "x", "[~]", "[5, {}]", "!!binary aGk="]
TOP = (
    "feed files record key fields skip_rows_where ignore_columns strict reject on_change fill_down timezone decimal "
    "deliver"
)
RULE = "column parse constant optional default format timezone decimal choices separator part country true false"
PARTS = "encoding delimiter quote sheet header_row pattern"


@pytest.mark.parametrize("odd", ODD)
def test_values_of_any_shape_are_taken_or_refused_in_words(tmp_path, odd):
    texts = [f"{ORDER.replace(f'{key}:', f'was_{key}:', 1)}\n{key}: {odd}\n" for key in TOP.split()]
    texts += [f"{ORDER}\n{key}: {odd}\n" for key in TOP.split()]
    texts += [with_field(f"shipped_at: {{column: S, {key}: {odd}}}") for key in RULE.split() if key != "column"]
    texts += [with_field(f"tag: {{{key}: {odd}}}") for key in RULE.split()] + [with_field(f"extra: {odd}")]
    texts += [f"{ORDER}\nfiles: {{{key}: {odd}}}" for key in PARTS.split()]
    texts += [f"{ORDER}\nskip_rows_where: {{column: {odd}, is: {odd}}}", f"{ORDER}\nskip_rows_where: [{odd}]"]
    texts += [ORDER.replace("deliver: [", f"deliver: [{odd}, ")]
    for text in texts:
        said = verdict(tmp_path, text)
        assert said == "" or all("acme.yaml: " in line for line in said.splitlines()), text


def verdict(folder, text):
    """What is wrong with a mapping; an empty text when it can be used."""
    try:
        return "" if mapping_of(folder, text).fingerprint() else "no fingerprint"
    except SetupError as refused:
        return str(refused)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "x.yaml").write_bytes(b"feed: \xff\xfe")
    with pytest.raises(SetupError, match=r"x\.yaml"):
        load_mapping(tmp_path / "x.yaml")


def test_every_problem_is_told_at_once(tmp_path):
    said = refusal(tmp_path, with_field("tagg: {constant: x}").replace("Qty, parse: integer", "Qty, parse: int"))
    assert len(said.splitlines()) == 2


def test_a_key_has_no_default(tmp_path):
    text = changed("record: order", "record: order\nkey: [order_id]").replace("Order}", "Order, default: x}")
    assert "no default" in refusal(tmp_path, text)


def test_custom_fields_nested_or_dotted(tmp_path):
    nested = mapping_of(tmp_path, with_field("extra.colour: {column: Colour}"))
    assert set(nested.columns_of_fields()) >= {"extra.gift", "extra.colour"}
    payment = "feed: p\nrecord: payment\nfields: {order_id: {column: O}, amount: {column: A}, extra.x: {column: X}}\n"
    assert "no such field" in refusal(tmp_path, payment + "deliver: []")


def test_fill_down_names_fields_columns_or_the_key(tmp_path):
    for said, filled in (("true", ("order_id",)), ("[Order, email]", ("order_id", "email")), ("no", ())):
        text = changed("record: order", f"record: order\nfill_down: {said}")
        assert mapping_of(tmp_path, text).fill_down == filled
    text = changed("record: order", "record: order\nfill_down: [email]").replace("Email}", "Email, default: a@b.co}")
    assert "never empty" in refusal(tmp_path, text)


def test_without_a_middle_name_the_last_name_takes_it(tmp_path):
    names = "first_name: {column: N, parse: split_name}\n  last_name: {column: N, parse: split_name}"
    assert mapping_of(tmp_path, with_field(names)).fields["last_name"].part == "rest"
    middle = names + "\n  middle_name: {column: N, parse: split_name}"
    assert mapping_of(tmp_path, with_field(middle)).fields["last_name"].part == "last"


def test_the_fingerprint_is_of_what_is_said_not_how(tmp_path):
    one = mapping_of(tmp_path, ORDER)
    reordered = mapping_of(
        tmp_path, "# a comment\n" + changed("feed: acme\nrecord: order", "record: order\nfeed: acme")
    )
    assert one.fingerprint() == reordered.fingerprint()
    assert one.fingerprint() != mapping_of(tmp_path, changed("column: Qty", "column: Quantity")).fingerprint()
    assert one.fingerprint() != mapping_of(tmp_path, changed("account: shop", "account: other")).fingerprint()


def test_a_folder_of_mappings(tmp_path):
    mapping_of(tmp_path, ORDER, "b.yaml")
    mapping_of(tmp_path, FACE, "a.yml")
    (tmp_path / ".#b.yaml").write_text("an editor's lock")
    (tmp_path / "notes.txt").write_text("no mapping")
    assert list(load_mappings(tmp_path)) == ["acme_orders", "acme"]
    assert load_mappings(tmp_path / "missing") == {}
    (tmp_path / "c.yaml").write_text(changed("feed: acme", "feed: ACME"))
    (tmp_path / "d.yaml").write_text("feed: d")
    with pytest.raises(SetupError, match=r"c\.yaml: feed 'ACME' is already described in b\.yaml") as refused:
        load_mappings(tmp_path)
    assert "d.yaml: record" in str(refused.value)


def feeds(tmp_path, **patterns):
    text = dedent("""
        feed: {}
        files: {{pattern: {}}}
        record: payment
        fields: {{order_id: {{column: O}}, amount: {{column: A}}}}
        deliver: []
    """)
    return {name: mapping_of(tmp_path, text.format(name, pattern)) for name, pattern in patterns.items()}


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "mappings").write_text("feed: acme")
    with pytest.raises(SetupError, match="mappings is a file and has to be a folder"):
        load_mappings(tmp_path / "mappings")


def test_a_file_finds_its_feed_by_name_or_folder(tmp_path):
    known = feeds(tmp_path, acme="ACME_*", globex="['gx*.csv', 'globex-*']", any_csv="'*.csv'")
    assert match_feed(known, "acme_0105.xlsx").feed == "acme"
    assert match_feed(known, "Globex-1.txt", None).feed == "globex"
    assert match_feed(known, "whatever.bin", "GLOBEX").feed == "globex"
    for name, folder, code, says in (
        ("other.xlsx", None, "no_feed", "acme (ACME_*)"),
        ("gx1.csv", None, "two_feeds", "any_csv"),
        ("acme_1", "acmee", "unknown_feed_folder", "Did you mean 'acme'?"),
    ):
        with pytest.raises(FileRefused, match="'") as refused:
            match_feed(known, name, folder)
        assert refused.value.code == code
        assert says in refused.value.message


def test_accents_match_however_the_file_system_spells_them(tmp_path):
    known = feeds(tmp_path, cafe="'Café*'")
    assert match_feed(known, "CAFE\u0301 1.csv").feed == "cafe"
