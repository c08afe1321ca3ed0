"""What the ledger says is at an account, on each kind of database; and the comparison with a list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
import sqlalchemy as sa

from pipeline.closing.compare import compare, same
from pipeline.ledger import batches as files
from pipeline.ledger import deliveries as book
from pipeline.ledger.batches import Accepted
from pipeline.ledger.engine import open_engine
from pipeline.ledger.standing import (
    Contents,
    Known,
    Standing,
    first_at,
    known_at,
    natural_key,
    oldest_date,
    operations_of,
)
from pipeline.model import DeliverTo, DeliveryState, Record
from pipeline.targets.contract import Listed

COVERED = {"order": frozenset({"order"}), "inventory_item": frozenset({"inventory_item"})}
EASTERN = timezone(timedelta(hours=-5))
JANUARY = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def engine(ledger_url: str) -> Iterator[sa.Engine]:
    engine = open_engine(ledger_url)
    yield engine
    engine.dispose()


def order(number: str, **fields: object) -> Record:
    known = {"order_id": number, "ordered_at": JANUARY, "email": "a@example.com", **fields}
    return Record("order", f"shop-{number}", known, ({"sku": f"SKU-{number}", "quantity": Decimal(1)},), (2,))


def take_in(engine: sa.Engine, at: float, operation: str, *records: Record) -> None:
    with engine.begin() as connection:
        batch = files.begin(connection, {
            "link": f"b{at}", "file_name": "f.csv", "sha256": "0", "size": 1, "received_at": at, "path": "x"
        })  # fmt: skip
        files.accept(connection, batch, Accepted(
            feed="f", mapping_fingerprint="m", found={}, header=[], deliver=[DeliverTo("shop", operation)],
            on_change="update", records=list(records), rejections=[], read=1, accepted=1, rejected=0, skipped=0,
        ), at)  # fmt: skip


def move(engine: sa.Engine, at: float, state: str, remote_id: str | None = None) -> None:
    """The newest delivery ends."""
    with engine.begin() as connection:
        newest = connection.execute(sa.text("SELECT max(id) FROM deliveries")).scalar()
        book.move(connection, newest, state, at, remote_id=remote_id)


def test_all_deliveries_of_a_record_are_one_standing(engine: sa.Engine) -> None:
    for at, state, remote_id in (
        (100.0, DeliveryState.REFUSED, None), (200.0, DeliveryState.DELIVERED, "9"),
        (300.0, DeliveryState.UNCHANGED, "9"), (400.0, DeliveryState.DELIVERED, "9"),
        (500.0, DeliveryState.IN_DOUBT, None),
    ):  # fmt: skip
        take_in(engine, at, "order", order("1"))
        move(engine, at + 50, state, remote_id)
    with engine.connect() as connection:
        known = known_at(connection, "shop", COVERED)
        (standing,) = known.standings.values()
        content = book.get(connection, standing.content or 0)
        assert first_at(connection, "shop") == 100.0
        assert operations_of(connection, "shop") == ["order"]
        assert oldest_date(connection, "shop", 0.0) == JANUARY.timestamp()
        assert oldest_date(connection, "shop", 501.0) is None
        assert first_at(connection, "elsewhere") is None
        assert known_at(connection, "elsewhere", COVERED) == Known({}, frozenset())
    assert (standing.key, standing.natural_key, standing.state) == ("shop-1", "1", "in_doubt")
    assert (standing.begun_at, standing.made_at, standing.remote_ids) == (200.0, 250.0, {"9"})
    assert (standing.dated, content is not None and content.created_at) == (JANUARY.timestamp(), 400.0)


def test_contents_are_read_ahead_and_in_any_order(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Contents, "AHEAD", 2)
    take_in(engine, 100.0, "order", *[order(str(number)) for number in range(5)])
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE deliveries SET state = 'delivered'"))
        contents = Contents(connection, "shop")
        standings = list(known_at(connection, "shop", COVERED).standings.values())
        for some in (standings, standings[::-1], standings[2:3]):
            assert [contents.of(one).key for one in some] == [one.key for one in some]


def test_what_was_there_before_us_was_not_made_by_us(engine: sa.Engine) -> None:
    take_in(engine, 100.0, "order", order("1"))
    move(engine, 150.0, DeliveryState.ALREADY_THERE, "9")
    take_in(engine, 200.0, "order", order("1"))
    move(engine, 250.0, DeliveryState.DELIVERED, "9")
    with engine.connect() as connection:
        (standing,) = known_at(connection, "shop", COVERED).standings.values()
    assert (standing.made_at, standing.remote_ids) == (None, {"9"})


def test_orders_that_were_taken_apart_into_stock_are_known_but_not_judged(engine: sa.Engine) -> None:
    take_in(engine, 100.0, "inventory_item", order("1"))
    move(engine, 150.0, DeliveryState.DELIVERED, "9")
    with engine.connect() as connection:
        known = known_at(connection, "shop", COVERED)
    assert known.standings == {}
    listed = (Listed("inventory_item", "SKU-1", "9"), Listed("inventory_item", "SKU-2", "10"))
    result = compare(known, listed, (0.0, 1000.0), lambda _one: order("1"))
    assert [(entry.key, result.checked) for entry, _ in result.extra] == [("SKU-2", 0)]


def test_natural_keys_are_made_as_record_keys_are() -> None:
    assert natural_key(["A/1"]) == "A/1"
    assert natural_key(["A/1", "B\\2"]) == "A\\/1/B\\\\2"
    assert natural_key(["1001", ""]) == "1001"


# --- the comparison ----------------------------------------------------------------------------------------------


def standing(key: str, **more: object) -> Standing:
    one = Standing("order", key, "delivered", content=1, begun_at=100.0, made_at=110.0, remote_ids={f"r{key}"})
    return replace(one, natural_key=key, **more)


def judged(*ours: Standing, listed: tuple[Listed, ...] = (), record: Record | None = None, listed_from: float = 0.0):
    known = Known({(one.kind, one.key): one for one in ours}, frozenset())
    return compare(known, listed, (50.0, 200.0), lambda _one: record or order("1"), listed_from)


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        ({}, 1), ({"made_at": 300.0}, 0), ({"begun_at": 10.0}, 0), ({"made_at": None, "begun_at": None}, 0),
        ({"content": None, "state": "waiting"}, 0), ({"dated": 5.0}, 0), ({"dated": 60.0}, 1),
    ],
)  # fmt: skip
def test_only_what_has_to_be_listed_can_be_missing(more: dict[str, object], missing: int) -> None:
    result = judged(standing("1", **more), listed_from=40.0)
    assert len(result.missing) == missing
    assert result.older == (1 - missing if "content" not in more else 0)


def test_the_entry_with_our_id_is_ours_and_its_twin_the_stranger() -> None:
    twin, ours = Listed("order", "1", "other"), Listed("order", "1", "r1")
    for listed in ((twin, ours), (ours, twin)):
        result = judged(standing("1"), listed=listed)
        assert [entry.remote_id for entry, _ in result.extra] == ["other"]
        assert result.missing == ()
    assert judged(standing("1"), listed=(twin,)).extra == ()


def test_another_kind_with_the_same_key_is_another_thing() -> None:
    result = judged(standing("1"), listed=(Listed("shipment", "1", "r1"),))
    assert (len(result.missing), len(result.extra)) == (1, 1)


def test_a_key_changed_at_the_target_is_a_difference() -> None:
    (difference,) = judged(standing("1"), listed=(Listed("order", "1-b", "r1"),)).differing
    assert (difference.field, difference.ours, difference.theirs) == ("record key", "1", "1-b")


def test_facts_only_one_side_tells_are_no_difference() -> None:
    facts = {"email": "b@example.com", "company": "Acme", "extra.gift": "yes", "extra.tone": "soft"}
    record = order("1", extra={"gift": "no"}, phone="")
    result = judged(standing("1"), listed=(Listed("order", "1", "r1", {**facts, "phone": "1"}),), record=record)
    assert [one.field for one in result.differing] == ["email", "extra.gift"]
    in_doubt = judged(standing("1", state="in_doubt"), listed=(Listed("order", "1", "r1", facts),), record=record)
    assert in_doubt.differing == ()


@pytest.mark.parametrize(
    ("ours", "theirs", "equal"),
    [
        (Decimal("12.50"), "12.5", True), (Decimal("12.50"), "12.51", False), (Decimal(0), "", False),
        (Decimal(0), "0.00", True), (Decimal(1), "one", False), (Decimal(1), "NaN", False),
        ("Anna  Berg", " anna berg ", True), ("Ærlig", "ÆRLIG", True), ("a", "b", False),
        (True, "Yes", True), (False, "yes", False), (date(2026, 1, 5), "2026-01-05", True),
        (date(2026, 1, 5), "2026-01-05T00:00:00Z", True), (date(2026, 1, 5), "2026-01-06", False),
        (JANUARY, "2026-01-05", True), (JANUARY, "2026-01-05T01:00:00+01:00", True),
        (JANUARY, "2026-01-05T01:00:00Z", False), (JANUARY.astimezone(EASTERN), "2026-01-05", True),
        (JANUARY.astimezone(EASTERN), "2026-01-04", True), (JANUARY.astimezone(EASTERN), "2026-01-03", False),
        (JANUARY, "2026-01-05 00:00:00", False), (JANUARY, "soon", False),
        (JANUARY + timedelta(microseconds=5), "2026-01-05T00:00:00Z", True),
    ],
)  # fmt: skip
def test_values_are_compared_as_what_they_are(ours: object, theirs: str, equal: bool) -> None:
    assert same(ours, theirs) is equal
