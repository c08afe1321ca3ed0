"""The account's table: complete or refused, and no key where people can see it."""

from __future__ import annotations

import pytest
from orderdesk_shop import account, order

from pipeline.errors import SetupError
from pipeline.settings import Secret
from pipeline.targets.contract import Request
from pipeline.targets.orderdesk import build

TABLE = {"target": "orderdesk", "store_id": "90001", "api_key": Secret("very-secret", "here")}


def test_the_documented_limits_are_the_defaults() -> None:
    built = build("shop", TABLE)
    assert built.base_url == "https://app.orderdesk.me/api/v2"
    assert (built.rate.burst, built.rate.per_second, built.concurrency) == (20, 3, 1)
    assert built.operation_names == ("inventory_item", "order", "shipment")


def test_more_than_one_call_at_a_time_is_warned_about() -> None:
    assert build("shop", TABLE).warnings == ()
    (warning,) = build("shop", TABLE | {"concurrency": 2}).warnings
    assert "SKU" in warning


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"store_id": ""}, "store id"),
        ({"store_id": "9\n0"}, "store id"),
        ({"stor_id": "1"}, "Did you mean 'store_id'"),
        ({"api_key": "literal"}, "env"),
        ({"base_url": "http://shop.example.com"}, "in the clear"),
        ({"base_url": "app.orderdesk.me"}, "web address"),
        ({"rate": {"burst": 0}}, "burst"),
        ({"rate": {"burst": 0.5}}, "burst"),
        ({"rate": {"per_secnd": 3}}, "per_sec"),
        ({"concurrency": 0}, "concurrency"),
        ({"timeout_seconds": float("nan")}, "timeout_seconds"),
        ({"settle_seconds": -1}, "settle_seconds"),
        ({"look_first": "yes"}, "look_first"),
    ],
)
def test_a_wrong_table_is_refused_by_name(change: dict[str, object], said: str) -> None:
    with pytest.raises(SetupError, match=said) as refused:
        build("shop", TABLE | change)
    assert "very-secret" not in str(refused.value)


def test_a_missing_store_id_is_refused() -> None:
    with pytest.raises(SetupError, match="store_id"):
        build("shop", {name: value for name, value in TABLE.items() if name != "store_id"})


@pytest.mark.parametrize(
    ("operation", "options", "said"),
    [
        ("orders", {}, "Did you mean 'order'"),
        ("order", {"sourcename": "x"}, "Did you mean 'source_name'"),
        ("order", {"source_name": " "}, "blank"),
        ("order", {"folder": ""}, "blank"),
        ("inventory_item", {"update_sauce": "x"}, "update_source"),
        ("inventory_item", {"update_source": 7}, "update_source"),
        ("shipment", {"folder": 501}, "folder"),
    ],
)
def test_a_wrong_operation_or_option_is_refused_by_name(operation: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(SetupError, match=said):
        build("shop", TABLE).operation(operation, options)


def test_what_people_see_holds_no_key() -> None:
    built = build("shop", TABLE)
    request = next(built.operation("order", {}).plan(order(), None)).request
    shown, signed = built.show(request), built.sign(request)
    assert "very-secret" not in repr(shown)
    assert signed.headers["ORDERDESK-API-KEY"] == "very-secret"
    assert shown.content == signed.content
    assert shown.url == signed.url == "https://app.orderdesk.me/api/v2/orders"


def test_a_read_has_no_content_type_and_a_query_is_encoded() -> None:
    signed = account().sign(Request("GET", "/orders", (("source_id", "A&B/ü 1"),)))
    assert set(signed.headers) == {"ORDERDESK-STORE-ID", "ORDERDESK-API-KEY"}
    assert signed.content == b""
    assert signed.url.endswith("/orders?source_id=A%26B%2F%C3%BC+1")


def test_a_missing_key_is_named_only_when_it_is_needed() -> None:
    built = account(key=None)
    assert built.show(Request("GET", "/test")).headers["ORDERDESK-API-KEY"] == "[redacted]"
    with pytest.raises(SetupError, match="here"):
        built.sign(Request("GET", "/test"))
