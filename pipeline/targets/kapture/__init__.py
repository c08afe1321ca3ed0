"""Kapture CRM: orders, their updates and payments through the ``.html`` calls. See README.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from pipeline.errors import SetupError, nearest
from pipeline.model import Record
from pipeline.targets.contract import Account, Listing, Operation, Plan, PlanRefused, Prior, Rate, Refused, Step
from pipeline.targets.kapture.answers import Reader
from pipeline.targets.kapture.client import Calls, Signer
from pipeline.targets.kapture.lookup import LookUp, OwnList
from pipeline.targets.kapture.payload import clears, kapture_id, payment_body, push_body, update_body
from pipeline.targets.kapture.problems import named_problems, order_problems, payment_problems, update_problems
from pipeline.targets.kapture.settings import (
    ORDER_PATH,
    AccountTable,
    OrderOptions,
    PaymentOptions,
    expiry_warnings,
    key_ends,
    read_account,
    read_order_options,
    read_payment_options,
)

OPERATIONS: Mapping[str, str] = {"push_order": "push", "update_order": "update", "payment": "payment"}
"""Operation → the call it makes."""

UNKNOWN_ORDER = Refused(
    "unknown_remote_id",
    "The ledger does not know which order this is at Kapture, so it cannot be changed there.",
    "Change it at Kapture by hand.",
    "order_id",
)


def build(name: str, table: Mapping[str, Any]) -> Account:
    """The account of one ``[accounts.<name>]`` table; ``SetupError`` says what is wrong with it."""
    settings = read_account(name, table)
    signer = Signer(settings)
    kapture = Kapture(name, settings, Calls(settings), Reader(settings.base_url, settings.secrets()))
    return Account(
        name=name,
        target="kapture",
        base_url=settings.base_url,
        rate=Rate(settings.rate.burst, settings.rate.per_second),
        sign=signer.sign,
        show=signer.show,
        operation=kapture.operation,
        operation_names=tuple(OPERATIONS),
        probe=kapture.probe,
        concurrency=settings.concurrency,
        timeout=settings.timeout_seconds,
        settle_seconds=settings.settle_seconds,
        warnings=_warnings(name, settings),
        listing=kapture.listing(),
        key_ends=key_ends(settings),
    )


def _warnings(name: str, settings: AccountTable) -> tuple[str, ...]:
    found = []
    if settings.auth_in == "query":
        found.append(f'{name}: auth_in = "query" puts keys into addresses, where proxies and servers write them down.')
    if settings.payment_path in {settings.path("push"), ORDER_PATH}:
        found.append(f"{name}: payment_path is the address that creates orders; have Kapture confirm it.")
    if settings.generation == "c":
        found.append(
            f"{name}: generation c is built from pages that do not show how an order is written; try it first."
        )
    found += [f"{name}: {text}" for text in expiry_warnings(settings, datetime.now(UTC).date())]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Kapture:
    """The operations of one account, and the stories they tell."""

    name: str
    settings: AccountTable
    calls: Calls
    reader: Reader

    def operation(self, operation: str, options: Mapping[str, Any]) -> Operation:
        """One operation with its options; ``SetupError`` names an unknown one, or the setting it lacks."""
        self._check(operation)
        if operation == "payment":
            paid = read_payment_options(self.name, options)
            return Operation(
                operation,
                frozenset({"payment"}),
                partial(self._pay, paid),
                payment_problems,
            )
        chosen = read_order_options(self.name, operation, options)
        kinds = frozenset({"order"})
        plan, problems = (
            (self._update_by_record, update_problems) if operation == "update_order" else (self._push, order_problems)
        )
        return Operation(
            operation,
            kinds,
            partial(plan, chosen),
            partial(self._problems, problems, chosen),
            can_update=self.settings.opens("update"),
            clears=lambda name: clears(name, chosen),
        )

    def _problems(
        self, problems: Callable[[Record, OrderOptions], Sequence[Refused]], options: OrderOptions, record: Record
    ) -> Sequence[Refused]:
        named = named_problems(record) if self.settings.generation == "c" else ()
        return [*named, *problems(record, options)]

    def _check(self, operation: str) -> None:
        where = f"{self.name} (kapture)"
        if operation not in OPERATIONS:
            raise SetupError(
                f"{where} has no operation '{operation}'.{nearest(operation, OPERATIONS)} "
                f"It has: {', '.join(OPERATIONS)}."
            )
        call, settings = OPERATIONS[operation], self.settings
        if call == "payment" and settings.keys.payment and not settings.payment_path:
            raise SetupError(
                f"{where}: payment needs payment_path. Kapture's page prints the address that creates "
                "orders; ask Kapture for the address of your payment call."
            )
        if not settings.opens(call):
            needed = "user and password" if settings.by_password(call) else f"keys.{call}"
            raise SetupError(f"{where}: {operation} needs {needed} in the account's settings.")
        if settings.by_password(call) and not settings.order_block:
            raise SetupError(
                f"{where}: {operation} needs order_block, the name of the order's part in your tenant's own page; "
                "the public pages of generation c do not show it."
            )

    def listing(self) -> Listing | None:
        """Kapture's own list, where a pull key of generation b opens it."""
        if self.settings.generation == "b" and self.settings.opens("pull"):
            return OwnList(self.calls, self.reader).read
        return None

    def probe(self) -> Plan:
        """A harmless read where a key for one is set; no other key can be proved without writing."""
        settings = self.settings
        if settings.generation == "c" and settings.opens("pull"):
            request = self.calls.pull_by_order_id("0")
        elif settings.opens("pull"):
            request = self.calls.pull(date(2000, 1, 1), 0)
        elif settings.opens("search"):
            request = self.calls.search("0")
        else:
            needed = "cm_id" if settings.generation == "c" else "keys.pull or keys.search"
            return {"note": f"Nothing was asked: without {needed} every call to Kapture writes."}
        seen = yield Step("probe", request, self.reader.seen, reads_only=True)
        return {**seen, "note": "Address and the reading key are good; keys that write cannot be tried."}

    def _push(self, options: OrderOptions, record: Record, prior: Prior | None) -> Plan:
        """A new order; or, where the ledger knows it was pushed before, a change of that one."""
        if prior is not None:
            return (yield from self._change(options, record, prior))
        lookup = LookUp(self.settings, self.calls, self.reader, record)
        return (
            yield Step(
                name="order",
                request=self.calls.push(push_body(record, options, self.settings.zone), record),
                read=self.reader.pushed,
                find=lookup.search if self.settings.opens("pull") else None,
                look_first=self.settings.look_first,
                search_hint=_hint(record),
            )
        )

    def _change(self, options: OrderOptions, record: Record, prior: Prior) -> Plan:
        """A change of the order the ledger knows, or the record names."""
        order_id = str(prior.result.get("id") or kapture_id(record, options))
        if not order_id:
            raise PlanRefused(UNKNOWN_ORDER)
        customer_id = str(prior.result.get("customer_id") or "")
        changed = yield from self._update(options, record, prior.record, order_id, customer_id)
        return {**prior.result, **changed}

    def _update_by_record(self, options: OrderOptions, record: Record, prior: Prior | None) -> Plan:
        """A change of the order whose Kapture id the record carries."""
        customer_id = record.text("customer_id") if options.customer_id == "kapture" else ""
        told = prior.record if prior else None
        return (yield from self._update(options, record, told, kapture_id(record, options), customer_id))

    def _update(
        self, options: OrderOptions, record: Record, told: Record | None, order_id: str, customer_id: str
    ) -> Plan:
        """Never repeated: a second order may come of it, and no read shows that. With a search key it is read back."""
        ids = {"order_id": order_id, "customer_id": customer_id}
        body = update_body(record, told, options, self.settings.zone, ids)
        result = yield Step(
            name="update",
            request=self.calls.update(body, record),
            read=partial(self.reader.updated, order_id),
            search_hint=f"order {order_id}, {_hint(record)}",
        )
        if self.settings.opens("search"):
            request = self.calls.search(order_id)
            yield Step("read back", request, partial(self.reader.read_back, order_id), reads_only=True)
        return result

    def _pay(self, options: PaymentOptions, record: Record, _prior: Prior | None) -> Plan:
        """A payment, once: nothing documented shows it again, so a doubt is a person's."""
        return (
            yield Step(
                name="payment",
                request=self.calls.payment(payment_body(record, options)),
                read=partial(self.reader.paid, record.text("payment_reference")),
                search_hint=f"order {record.text('order_id')}, payment {record.text('payment_reference')}",
            )
        )


def _hint(record: Record) -> str:
    return f"erp_order_id {record.text('order_id')}"
