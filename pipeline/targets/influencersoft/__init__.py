"""InfluencerSoft (JustClick in English): orders through ``createorder`` of API 2.0. See README.md."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.errors import SetupError, nearest
from pipeline.model import Record
from pipeline.targets.contract import (
    Account,
    Answer,
    Done,
    Operation,
    Outcome,
    Plan,
    Prior,
    Rate,
    Refused,
    Result,
    Step,
)
from pipeline.targets.influencersoft.answers import Reader
from pipeline.targets.influencersoft.client import Signer, bill_request, find_order, is_ours, post, read_bill
from pipeline.targets.influencersoft.lines import product_keys
from pipeline.targets.influencersoft.payload import coupon_id, order_form
from pipeline.targets.influencersoft.problems import problems
from pipeline.targets.influencersoft.settings import (
    AccountTable,
    CreateOrderOptions,
    read_account,
    read_options,
)

OPERATIONS = ("create_order",)


def build(name: str, table: Mapping[str, Any]) -> Account:
    """The account of one ``[accounts.<name>]`` table; ``SetupError`` says what is wrong with it."""
    settings = read_account(name, table)
    signer = Signer(settings)
    reader = Reader(settings.base_url, settings.api_key)
    return Account(
        name=name,
        target="influencersoft",
        base_url=settings.base_url,
        rate=Rate(settings.rate.burst, settings.rate.per_second),
        sign=signer.sign,
        show=signer.show,
        operation=partial(_operation, name, settings, reader),
        operation_names=OPERATIONS,
        probe=partial(_probe, reader),
        concurrency=settings.concurrency,
        timeout=settings.timeout_seconds,
        settle_seconds=settings.settle_seconds,
    )


def _operation(
    name: str, settings: AccountTable, reader: Reader, operation: str, options: Mapping[str, Any]
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
        plan=CreateOrder(settings, reader, chosen).plan,
        problems=partial(problems, options=chosen),
    )


def _probe(reader: Reader) -> Plan:
    """The product list: reads only, and proves address, key and that the API is switched on."""
    return (yield Step("goods", post("getgoods"), partial(reader.goods, ()), reads_only=True))


@dataclass(frozen=True, slots=True)
class CreateOrder:
    """The story of one order: products and coupon looked up where asked for, then one ``createorder``."""

    settings: AccountTable
    reader: Reader
    options: CreateOrderOptions

    def plan(self, record: Record, _prior: Prior | None) -> Plan:
        """One order, once; this call changes nothing that is there already, so a prior is never given."""
        if self.settings.check_products:
            keys = product_keys(record, self.options)
            yield Step("goods", post("getgoods"), partial(self.reader.goods, keys), reads_only=True)
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
        found = yield Step("coupon", post("getcoupons"), partial(self.reader.coupon, code), reads_only=True)
        return str(found.get("id") or code)

    def _order(self, record: Record, coupon: str) -> Step:
        searchable = self.settings.secret is not None
        form = order_form(record, self.options, self.settings.zone, coupon)
        return Step(
            name="order",
            request=post(self.settings.method_name, form),
            read=self.reader.created,
            find=partial(find_order, record, self.options) if searchable else None,
            look_first=searchable and self.settings.look_first,
            search_hint=self._hint(record),
        )

    def _existing(self, record: Record, bill_id: str) -> Step:
        """Code 601 says "exists", by a rule nobody documents: see that the order it names is this one."""
        return Step(
            "existing", bill_request(bill_id), partial(self._same_order, record, bill_id), reads_only=True,
        )  # fmt: skip

    def _same_order(self, record: Record, bill_id: str, answer: Answer) -> Outcome:
        bill = read_bill(answer, bill_id)
        if bill is None or is_ours(bill, record, self.options) or not (bill.tag or bill.comment):
            return Done(
                {"id": bill_id, "mark_seen": bill is not None and is_ours(bill, record, self.options)}
            )
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
