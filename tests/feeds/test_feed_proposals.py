"""Proposed mappings: how right they are, that nothing is overwritten, and what a drifted file is told."""

from __future__ import annotations

import csv
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner
from project import HEADER, SECRETS, ProjectFolder, order_row

from pipeline.cli import cli
from pipeline.intake.claim import claim
from pipeline.mapping.spec import load_mapping, load_mappings
from pipeline.project import load_plan, opened
from pipeline.replay import replay_file
from pipeline.samples import write_samples
from pipeline.take_in import take_in

REPOSITORY = Path(__file__).parents[2]
TARGETS = {name: f"http://127.0.0.1:9/{name}" for name in ("orderdesk", "keap", "influencersoft", "kapture")}


def load(name: str) -> ModuleType:
    """A program of ``bench/``."""
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / "bench" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


accuracy = load("feed_accuracy")
needs_exports = pytest.mark.skipif(
    not accuracy.EXPORTS.is_dir(), reason="the folder of third-party exports is absent (ORDERDROP_EXPORTS names it)"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with all four accounts, whose secrets are in the environment."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    made = ProjectFolder.make(tmp_path / "project", TARGETS, patience=0)
    (made.path / "schemas").symlink_to(REPOSITORY / "schemas")
    return made.path


def feed(folder: Path, sample: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """``orderdrop feed SAMPLE --json`` in this process: exit code and document."""
    called = CliRunner().invoke(cli, ["feed", str(sample), "--project", str(folder), "--json", *options])
    assert called.exception is None or isinstance(called.exception, SystemExit), called.exception
    return called.exit_code, json.loads(called.stdout)


def sample(folder: Path, name: str, text: str) -> Path:
    path = folder.parent / name
    path.write_text(text, encoding="utf-8")
    return path


STOCK = "SKU,Product,On hand,Price\nMUG-BL,Mug blue,12,12.50\nMUG-RD,Mug red,3,11.00\n"


# --- how right ---


@pytest.mark.parametrize("path", sorted((REPOSITORY / "mappings").glob("*.yaml")), ids=lambda path: path.stem)
def test_our_own_samples_get_nearly_the_mapping_a_person_wrote(path: Path, tmp_path: Path) -> None:
    mapping = load_mapping(path)  # the German sample has one address and does not say whose: either role is right
    (ours,) = [
        p
        for p in write_samples(tmp_path)
        if p.name.casefold().startswith(path.stem.replace("shop_export", "shop_orders"))
    ]
    columns = {f: r.column[0] for f, r in mapping.fields.items() if r.column and not f.startswith("extra.")}
    either = {f: f.replace("billing_", "shipping_") if path.stem == "course_sales" else f for f in columns}
    wanted = {h: "|".join(f"{f}|{either[f]}" for f, column in columns.items() if column == h) for h in columns.values()}
    kind, proposed = accuracy.proposed_for(ours)
    score, misses = accuracy.score(kind, proposed, {"kind": mapping.record, "fields": wanted})
    assert kind == mapping.record
    assert score.precision >= 0.9, misses
    assert score.recall >= 0.8, misses


@needs_exports
@pytest.mark.parametrize(("part", "files"), accuracy.truth().items())
def test_published_exports_are_matched_well(part: str, files: dict[str, Any]) -> None:
    total = accuracy.Score()
    for _, counted, _ in accuracy.scores(files):
        total += counted
    assert total.precision > 0.9, part
    assert total.recall > 0.8, part
    assert total.kinds_right == total.files, part


@needs_exports
def test_every_export_gets_a_mapping_that_holds_or_a_question(folder: Path) -> None:
    for path in sorted(accuracy.EXPORTS.glob("*/*.*")):
        called = CliRunner().invoke(cli, ["feed", str(path), "--project", str(folder), "--json", "--to", "shop"])
        told = json.loads(called.stdout)
        if called.exit_code == 0:
            assert told["rows"]["accepted"] > 0, path
        else:
            assert told.get("decide") or "--sheet" in told["error"] or "no operation" in told["error"], path
    assert load_mappings(folder / "mappings")  # all that are in force are sound, together


# --- what is written ---


def test_a_clear_sample_becomes_a_mapping_in_force(folder: Path) -> None:
    code, told = feed(folder, sample(folder, "stock_0105.csv", STOCK))
    assert (code, told["file"], told["record"], told["decide"]) == (0, "mappings/stock.yaml", "inventory_item", [])
    assert told["rows"] == {"read": 2, "accepted": 2, "rejected": 0, "skipped": 0}
    assert told["deliver"] == [{"account": "shop", "operation": "inventory_item"}]
    by_column = {column["column"]: column for column in told["columns"]}
    assert by_column["On hand"]["fields"] == ["stock"]
    assert by_column["On hand"]["confidence"] > 0.9
    assert by_column["On hand"]["examples"] == ["12", "3"]
    assert by_column["On hand"]["parse"] == "integer"
    checked = CliRunner().invoke(cli, ["check", "--project", str(folder)])
    assert checked.exit_code == 0, checked.output
    assert load_mapping(folder / told["file"]).files.pattern == ("stock_*.csv",)


def test_nothing_is_ever_overwritten_and_a_doubtful_proposal_is_not_in_force(folder: Path) -> None:
    path = sample(folder, "stock_0105.csv", STOCK)
    written = [feed(folder, path, "--name", "bins")[1]["file"] for _ in range(3)]
    assert written == [
        "mappings/bins.yaml", "mappings/bins.proposal.yaml.txt", "mappings/bins.proposal-2.yaml.txt",
    ]  # fmt: skip
    assert set(load_mappings(folder / "mappings")) == {"orders", "bins"}


def test_several_accounts_are_for_a_person_to_choose_from(folder: Path) -> None:
    path = sample(
        folder, "sales.csv", f"{HEADER.replace('Price', 'Unit price')}\n{order_row('A1', date='01/31/2026')}\n"
    )
    code, told = feed(folder, path)
    assert code == 1
    assert [question.partition(":")[0] for question in told["decide"]] == ["deliver"]
    assert len(told["deliver"]) == 4
    code, told = feed(folder, path, "--to", "shop", "--to", "crm")
    assert (code, [to["account"] for to in told["deliver"]]) == (0, ["shop", "crm"])


def test_a_name_another_feed_takes_is_told(folder: Path) -> None:
    path = sample(folder, "orders_9.csv", STOCK)
    code, told = feed(folder, path)
    assert code == 1
    assert {question.partition(":")[0] for question in told["decide"]} == {"files", "feed"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--record", "ordr"), "Did you mean 'order'?"),
        (("--to", "shp"), "There is no account 'shp'"),
        (("--to", "school"), "no operation that takes inventory_item"),
        (("--name", "a/b"), "is no name for a feed"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused_in_words(folder: Path, options: tuple[str, ...], said: str) -> None:
    before = sorted((folder / "mappings").iterdir())
    code, told = feed(folder, sample(folder, "stock.csv", STOCK), *options)
    assert code == 1
    assert said in told["error"]
    assert sorted((folder / "mappings").iterdir()) == before


def test_the_table_for_people_shows_field_certainty_examples_and_what_to_do(folder: Path) -> None:
    called = CliRunner().invoke(
        cli,
        ["feed", str(sample(folder, "new.csv", "Order ID,Email,Qty\n1,ann@example.com,2\n")), "--project", str(folder)],
    )
    assert called.exit_code == 1
    assert "a…@example.com" in called.stdout
    assert "ann@example.com" not in called.stdout
    assert "unit_price: an order needs it" in called.stdout
    assert "mappings/new.proposal.yaml.txt, which no run reads" in called.stdout


# --- drift ---


def test_a_drifted_file_is_refused_with_the_likely_columns_and_a_mapping_that_takes_it(folder: Path) -> None:
    drifted = HEADER.replace("Order #", "Order No.").replace("Qty", "Quantity").replace("Email", "E-mail address")
    (folder / "inbox" / "orders_7.csv").write_text(f"{drifted}\n{order_row('A1')}\n")
    with opened(load_plan(folder)) as project:
        taken = claim(folder / "inbox" / "orders_7.csv", None, folder / "var" / "work")
        assert taken is not None
        refused = take_in(project, taken)
        assert refused.reason_code == "missing_column"
        assert "'Order #' is now 'Order No.' (0." in refused.reason
        assert "'Qty' is now 'Quantity' (0." in refused.reason
        assert "mappings/orders.proposal.yaml.txt" in refused.advice
    proposal = folder / "mappings" / "orders.proposal.yaml.txt"
    assert proposal.read_text("utf-8").startswith("# Proposed because the columns of orders_7.csv have changed.")
    (folder / "mappings" / "orders.yaml").write_bytes(proposal.read_bytes())
    with opened(load_plan(folder)) as project:
        replay_file(project, "orders_7.csv")
        taken = claim(folder / "inbox" / "orders_7.csv", None, folder / "var" / "work")
        assert taken is not None
        batch = take_in(project, taken)
        assert (batch.state, batch.rows_accepted, batch.rows_rejected) == ("delivering", 1, 0)


def test_a_renamed_sheet_comes_with_a_mapping_that_names_the_new_one(folder: Path) -> None:
    mapping = folder / "mappings" / "orders.yaml"
    mapping.write_text(mapping.read_text("utf-8").replace("files: {", 'files: {sheet: "Orders", ', 1), encoding="utf-8")
    book = openpyxl.Workbook()
    for name, header in (("Notes", ["Shelf", "Counted by"]), ("Export 2026", HEADER.split(","))):
        sheet = book.create_sheet(name)
        sheet.append(header)
        sheet.append(next(csv.reader([order_row("A1")]))[: len(header)])
    book.remove(book.worksheets[0])
    book.save(folder / "inbox" / "orders_7.xlsx")
    with opened(load_plan(folder)) as project:
        taken = claim(folder / "inbox" / "orders_7.xlsx", None, folder / "var" / "work")
        assert taken is not None
        refused = take_in(project, taken)
        assert refused.reason_code == "no_such_sheet"
        assert "'Orders' of the files is now 'Export 2026' (1.00)" in refused.reason
        assert "mappings/orders.proposal.yaml.txt" in refused.advice
    proposal = (folder / "mappings" / "orders.proposal.yaml.txt").read_text("utf-8")
    assert "# files: 'Export 2026' takes the place of 'Orders'" in proposal
    assert 'files: {sheet: "Export 2026", ' in proposal
    mapping.write_text(proposal, encoding="utf-8")
    with opened(load_plan(folder)) as project:
        replay_file(project, "orders_7.xlsx")
        taken = claim(folder / "inbox" / "orders_7.xlsx", None, folder / "var" / "work")
        assert taken is not None
        batch = take_in(project, taken)
        assert (batch.state, batch.rows_accepted, batch.rows_rejected) == ("delivering", 1, 0)


def test_another_file_under_the_name_of_a_feed_gets_no_proposal(folder: Path) -> None:
    (folder / "inbox" / "orders_stock.csv").write_text("Bin,Counted by,Shelf life\n4,Ann,12\n")
    with opened(load_plan(folder)) as project:
        taken = claim(folder / "inbox" / "orders_stock.csv", None, folder / "var" / "work")
        assert taken is not None
        refused = take_in(project, taken)
        assert refused.reason_code == "missing_column"
        assert "Nothing in the file looks like 'Order #'" in refused.reason
    assert not list((folder / "mappings").glob("*.txt"))


def test_an_added_column_is_never_silent(folder: Path) -> None:
    (folder / "inbox" / "orders_8.csv").write_text(f"{HEADER},Tracking number,Zzz\n{order_row('A1')},T1,q\n")
    with opened(load_plan(folder)) as project:
        taken = claim(folder / "inbox" / "orders_8.csv", None, folder / "var" / "work")
        assert taken is not None
        (note,) = [text for text in take_in(project, taken).notes if "nobody mapped" in text]
        assert "'Tracking number' (perhaps tracking_number), 'Zzz'." in note


def test_a_proposal_that_cannot_be_written_does_not_stop_the_run(folder: Path) -> None:
    (folder / "mappings" / "orders.proposal.yaml.txt").mkdir()
    (folder / "inbox" / "orders_9.csv").write_text(f"{HEADER.replace('Qty', 'Quantity')}\n{order_row('A1')}\n")
    with opened(load_plan(folder)) as project:
        taken = claim(folder / "inbox" / "orders_9.csv", None, folder / "var" / "work")
        assert taken is not None
        assert take_in(project, taken).reason_code == "missing_column"


# --- several items in one row ---

SHAPES = REPOSITORY / "tests" / "feeds" / "shapes"


@pytest.mark.parametrize(
    ("name", "shape", "asked"),
    [
        (
            "numbered_groups",
            'unpivot: {"Product": "Product {n}", "Qty": "Qty {n}", "Price": "Price {n}"}',
            "ordered_at",
        ),
        ("numbered_cells", 'unpivot: {"line_item": "line_item_{n}"}', "unit_price"),
        (
            "numbered_cells",
            'split: {column: "line_item", pairs: {between: "|", mark: ":", into: ["name",',
            "unit_price",
        ),
        (
            "json_cell",
            'json: {"sku": "sku", "qty": "qty", "amount": "price.amount", "size": "options.size"',
            "order_id",
        ),
    ],
)
def test_the_shape_of_a_sample_is_proposed_and_what_is_open_is_asked(
    folder: Path, name: str, shape: str, asked: str
) -> None:
    sound = SHAPES / f"{name}.csv"
    if name == "json_cell":  # without the rows that show what is refused
        sound = sample(folder, "json_cell.csv", "".join(sound.read_text().splitlines(keepends=True)[:3]))
    code, told = feed(folder, sound, "--to", "shop")
    written = (folder / told["file"]).read_text(encoding="utf-8")
    assert shape in written
    assert any(line.startswith(asked) for line in told["decide"]) if asked else told["decide"] == []
    assert code == (1 if asked else 0)


def test_rows_without_a_key_are_asked_about(folder: Path) -> None:
    text = (
        "Order ID,Order Date,SKU,Qty,Unit Price\nA-1,2026-01-05,TEA,2,4.50\n,,CUP,1,4.50\nA-2,2026-01-06,CUP,3,4.50\n"
    )
    code, told = feed(folder, sample(folder, "rows.csv", text), "--to", "shop")
    assert "fill_down: true" in (folder / told["file"]).read_text(encoding="utf-8")
    assert [line.partition(":")[0] for line in told["decide"]] == ["fill_down"]
    assert code == 1
    assert told["rows"]["accepted"] == 3


def test_items_packed_as_a_list_are_proposed_as_a_form(folder: Path) -> None:
    text = "Order ID,Order Date,Items,Unit Price\nA-1,2026-01-05,TEA x 2; CUP x 1,4.50\nA-2,2026-01-06,CUP x 3,4.50\n"
    _, told = feed(folder, sample(folder, "stall.csv", text), "--to", "shop")
    written = (folder / told["file"]).read_text(encoding="utf-8")
    assert 'split: {column: "Items", between: [";"], form: "{sku} x {quantity}"}' in written
    assert told["rows"] == {"read": 2, "accepted": 2, "rejected": 0, "skipped": 0}


def test_numbered_lines_of_an_address_are_no_items(folder: Path) -> None:
    text = "Order ID,Order Date,Address 1,Address 2,Phone 1,Phone 2,SKU,Qty,Unit Price\nA,2026-01-05,a,b,1,2,X,1,2.00\n"
    _, told = feed(folder, sample(folder, "plain.csv", text), "--to", "shop")
    assert "unpivot" not in (folder / told["file"]).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "split"),
    [
        (
            "Order ID,Order Date,skus,qtys,prices\nA-1,2026-01-05,a1;b2,1;2,4.50;3.00\nA-2,2026-01-16,a1,1,4.50\n",
            'split: {columns: ["skus", "qtys", "prices"], between: [";"]}',
        ),
        (
            (
                "Bestellnummer;Bestelldatum;Artikelnummern;Mengen;Einzelpreise\n"
                "A-1;05.01.2026;a1|b2;1|2;4,50|3,00\nA-2;16.01.2026;a1;1;4,50\n"
            ),
            'split: {columns: ["Artikelnummern", "Mengen", "Einzelpreise"], between: ["|"]}',
        ),
    ],
)
def test_parallel_cells_are_seen(folder: Path, text: str, split: str) -> None:
    code, told = feed(folder, sample(folder, "baskets.csv", text), "--to", "shop")
    assert split in (folder / told["file"]).read_text(encoding="utf-8")
    assert told["rows"] == {"read": 2, "accepted": 2, "rejected": 0, "skipped": 0}
    assert "parallel items" in told["shape"]
    assert (code, told["decide"]) == (0, [])


@pytest.mark.parametrize(
    "text",
    [
        'Order ID,Order Date,SKU,Qty,Unit Price\nA-1,2026-01-05,T,"1,5","4,50"\nA-2,2026-01-05,C,2,"4,50"\n',
        'Order ID,Order Date,Items,City,Qty\nA-1,2026-01-05,"Tea, green","Bonn, Mitte",1\n',
    ],
)
def test_commas_in_numbers_and_addresses_are_no_parallel_cells(folder: Path, text: str) -> None:
    _, told = feed(folder, sample(folder, "baskets.csv", text), "--to", "shop")
    assert told["shape"] == ""


HEADS = "Receipt no.,Sold at,Customer e-mail\nR-1,2026-01-05,ann@example.com\nR-2,2026-01-16,bo@example.com\n"
LINES = "Receipt no.,Article no.,Quantity,Unit price\nR-1,TEA,2,4.50\nR-1,CUP,1,3.20\nR-2,MUG,1,8.00\n"


@pytest.mark.parametrize("which", ["lines", "heads"])
def test_two_files_that_belong_together_are_joined(folder: Path, which: str) -> None:
    sample(folder, "till_heads_0105.csv", HEADS)
    sample(folder, "till_lines_0105.csv", LINES)
    sample(folder, "other_0105.csv", STOCK)
    code, told = feed(folder, folder.parent / f"till_{which}_0105.csv", "--to", "shop")
    assert (code, told["decide"], told["file"]) == (0, [], "mappings/till_lines.yaml")
    mapping = load_mapping(folder / told["file"])
    assert mapping.join is not None
    assert (mapping.join.files, mapping.join.on) == ("till_heads_*.csv", {"Receipt no.": "Receipt no."})
    assert mapping.files.pattern == ("till_lines_*.csv",)
    assert told["rows"] == {"read": 3, "accepted": 3, "rejected": 0, "skipped": 0}
    assert "for instance R-1, R-2" in told["join"]


def test_a_file_of_another_shop_that_shares_quantities_or_a_customer_is_no_partner(folder: Path) -> None:
    head = "Order ID,Order Date,SKU,Quantity,Unit Price"
    other = f"{head}\nX-1,2026-01-05,A,1,1\nX-1,2026-01-05,B,2,1\nX-2,2026-01-06,B,1,2"
    sample(folder, "other.csv", other)
    lines = sample(folder, "mine.csv", "Order No,Order Date,Item code,Quantity\n7,2026-01-05,T,2\n8,2026-01-06,T,1\n")
    _, told = feed(folder, lines, "--to", "shop")
    assert (told["join"], told["feed"]) == ("", "mine")


def test_a_file_that_is_complete_is_not_joined_to_its_neighbours(folder: Path) -> None:
    text = "Order ID,Order Date,SKU,Qty,Unit Price\nR-1,2026-01-05,TEA,2,4.50\n"
    sample(folder, "till_heads_0105.csv", HEADS)
    _, told = feed(folder, sample(folder, "till_0105.csv", text), "--to", "shop")
    assert told["join"] == ""


def test_orders_and_lines_in_two_sheets_are_joined(folder: Path) -> None:
    book = openpyxl.Workbook()
    for name, text in (("Sales", HEADS), ("Positions", LINES)):
        sheet = book.create_sheet(name)
        for row in text.splitlines():
            sheet.append(row.split(","))
    del book["Sheet"]
    path = folder.parent / "till.xlsx"
    book.save(path)
    _, told = feed(folder, path, "--to", "shop")
    mapping = load_mapping(folder / "mappings" / "till.yaml") if told["live"] else None
    assert mapping is not None, told["decide"]
    assert mapping.join is not None
    assert (mapping.files.sheet, mapping.join.sheet) == ("Positions", "Sales")
    assert told["rows"]["accepted"] == 3


def test_sheets_that_do_not_belong_together_leave_the_choice_to_a_person(folder: Path) -> None:
    book = openpyxl.Workbook()
    for name, text in (("Sales", HEADS), ("Stock", STOCK)):
        sheet = book.create_sheet(name)
        for row in text.splitlines():
            sheet.append(row.split(","))
    del book["Sheet"]
    path = folder.parent / "till.xlsx"
    book.save(path)
    code, told = feed(folder, path)
    assert code == 1
    assert "--sheet" in told["error"]
