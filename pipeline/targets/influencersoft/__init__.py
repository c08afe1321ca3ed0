"""InfluencerSoft (JustClick in English): orders through ``createorder`` of API 2.0. See README.md."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.errors import SetupError, nearest
from pipeline.model import Record
from pipeline.targets.contract import (
    Account,
    Answer,
    Done,
    Later,
    Operation,
    Outcome,
    Paused,
    Plan,
    Prior,
    Rate,
    Refused,
    Result,
    Step,
)
from pipeline.targets.influencersoft.answers import Reader
from pipeline.targets.influencersoft.catalogue import Catalogue
from pipeline.targets.influencersoft.client import Signer, bill_request, is_ours, post, read_bill
from pipeline.targets.influencersoft.lines import product_keys
from pipeline.targets.influencersoft.lookup import Orders
from pipeline.targets.influencersoft.payload import coupon_id, order_form
from pipeline.targets.influencersoft.problems import problems
from pipeline.targets.influencersoft.settings import (
    AccountTable,
    CreateOrderOptions,
    read_account,
    read_options,
)
from pipeline.targets.influencersoft.status import update_order

OPERATIONS = ("create_order",)
NOT_ENABLED = "The API is off until InfluencerSoft support switches it on for the account, on written request."


def build(name: str, table: Mapping[str, Any]) -> Account:
    """The account of one ``[accounts.<name>]`` table; ``SetupError`` says what is wrong with it."""
    settings = read_account(name, table)
    signer = Signer(settings)
    reader = Reader(settings.base_url, settings.api_key, settings.secret)
    catalogue, orders = Catalogue(reader), Orders(reader, settings.zone, settings.list_days_back)
    return Account(
        name=name,
        target="influencersoft",
        base_url=settings.base_url,
        rate=Rate(settings.rate.burst, settings.rate.per_second),
        sign=signer.sign,
        show=signer.show,
        operation=partial(_operation, name, settings, orders, catalogue),
        operation_names=OPERATIONS,
        probe=partial(_probe, reader, signed=settings.secret is not None),
        concurrency=settings.concurrency,
        timeout=settings.timeout_seconds,
        settle_seconds=settings.settle_seconds,
        listing=orders.listing if settings.secret is not None else None,
    )


def _operation(
    name: str,
    settings: AccountTable,
    orders: Orders,
    catalogue: Catalogue,
    operation: str,
    options: Mapping[str, Any],
) -> Operation:
    if operation not in OPERATIONS:
        raise SetupError(
            f"{name} (influencersoft) has no operation '{operation}'.{nearest(operation, OPERATIONS)} "
            f"It has: {', '.join(OPERATIONS)}."
        )
    chosen = read_options(name, options)
    return Operation(
        name=operation,
        kinds=frozenset({"order"}),
        plan=CreateOrder(settings, orders, catalogue, chosen).plan,
        problems=partial(problems, options=chosen),
        can_update=settings.secret is not None,
        named_products=lambda named: catalogue.unknown(list(dict.fromkeys(named.get(chosen.product_key, ())))),
    )


def _probe(reader: Reader, *, signed: bool) -> Plan:
    """The product list: reads only, and proves address, key and that the API is switched on.

    With a ``secret`` the signed product list too, which proves the secret and that API 1.0 is open.
    """
    goods = yield Step("goods", post("getgoods"), partial(_enabled, partial(reader.goods, ())), reads_only=True)
    note = f"The key is good; the shop lists {goods.get('goods', 'its')} products."
    if signed:
        request = post("GetAllGoods", signed=True)
        yield Step("signed goods", request, partial(_enabled, reader.signed_goods), reads_only=True)
        note += " The secret is good too: orders can be looked up, and their status changed."
    return {**goods, "note": note}


def _enabled(read: Callable[[Answer], Outcome], answer: Answer) -> Outcome:
    """Asked on purpose, code 8 and a closed method mean that the API was never switched on, as it is not by itself."""
    outcome = read(answer)
    if isinstance(outcome, Later) and outcome.code == "quota":
        return Paused("not_enabled", outcome.message, NOT_ENABLED)
    if isinstance(outcome, Paused) and outcome.code in {"no_input_seen", "account_disabled"}:
        return Paused("not_enabled", outcome.message, f"{outcome.advice} {NOT_ENABLED}")
    return outcome


@dataclass(frozen=True, slots=True)
class CreateOrder:
    """The story of one order: products and coupon looked up where asked for, then one ``createorder``."""

    settings: AccountTable
    orders: Orders
    catalogue: Catalogue
    options: CreateOrderOptions

    def plan(self, record: Record, prior: Prior | None) -> Plan:
        """One order, once; or, where it was delivered before, a change of its status."""
        if prior is not None:
            return (yield from update_order(self.orders, self.options, self._hint(record), record, prior))
        if self.settings.check_products:
            yield from self.catalogue.check(product_keys(record, self.options))
        coupon = yield from self._coupon(record)
        created = yield self._order(record, coupon)
        if created.get("code") == 601 and created.get("id") and self.settings.secret:
            yield self._existing(record, str(created["id"]))
        return created

    def _coupon(self, record: Record) -> Generator[Step, Result, str]:
        code = record.text("coupon_code")
        known = coupon_id(record, self.options)
        if known or not code:
            return known
        return (yield from self.catalogue.coupon(code))

    def _order(self, record: Record, coupon: str) -> Step:
        searchable = self.settings.secret is not None
        form = order_form(record, self.options, self.settings.zone, coupon)
        return Step(
            name="order",
            request=post(self.settings.method_name, form),
            read=self.orders.reader.created,
            find=partial(self.orders.find, record, self.options) if searchable else None,
            look_first=searchable and self.settings.look_first,
            search_hint=self._hint(record),
        )

    def _existing(self, record: Record, bill_id: str) -> Step:
        """Code 601 says "exists", by a rule nobody documents: see that the order it names is this one."""
        return Step(
            "existing", bill_request(bill_id), partial(self._same_order, record, bill_id), reads_only=True,
        )  # fmt: skip

    def _same_order(self, record: Record, bill_id: str, answer: Answer) -> Outcome:
        trouble = self.orders.reader.trouble(answer)
        if trouble is not None:
            return trouble
        bill = read_bill(answer, bill_id)
        if bill is None or is_ours(bill, record, self.options) or not (bill.tag or bill.comment):
            return Done({"id": bill_id, "mark_seen": bill is not None and is_ours(bill, record, self.options)})
        return Refused(
            "other_order_exists",
            f"InfluencerSoft says the order exists already as {bill_id}, but that one carries another mark "
            f"('{bill.tag or bill.comment}').",
            f"Look at order {bill_id} at InfluencerSoft; if it is a different one, enter this order by hand.",
            "order_id",
        )

    def _hint(self, record: Record) -> str:
        place = "tag" if self.options.mark_in == "order_tag" else "note"
        return f"{place} '{record.text('order_id')}', e-mail {record.text('email')}"
