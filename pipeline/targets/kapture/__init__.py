"""Kapture CRM: orders, their updates and payments through the ``.html`` calls. See README.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from pipeline.errors import SetupError, nearest
from pipeline.model import Record
from pipeline.targets.contract import Account, Operation, Plan, PlanRefused, Prior, Rate, Refused, Step
from pipeline.targets.kapture.answers import Reader
from pipeline.targets.kapture.client import Calls, LookUp, Signer
from pipeline.targets.kapture.payload import kapture_id, payment_body, push_body, update_body
from pipeline.targets.kapture.problems import order_problems, payment_problems, update_problems
from pipeline.targets.kapture.settings import (
    ORDER_PATH,
    AccountTable,
    OrderOptions,
    PaymentOptions,
    read_account,
    read_order_options,
    read_payment_options,
)

OPERATIONS: Mapping[str, str] = {"push_order": "push", "update_order": "update", "payment": "payment"}
"""Operation → the key it needs."""


def build(name: str, table: Mapping[str, Any]) -> Account:
    """The account of one ``[accounts.<name>]`` table; ``SetupError`` says what is wrong with it."""
    settings = read_account(name, table)
    signer = Signer(settings)
    kapture = Kapture(name, settings, Calls(settings), Reader(settings.base_url, settings.keys.all()))
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
    )


def _warnings(name: str, settings: AccountTable) -> tuple[str, ...]:
    found = []
    if settings.auth_in == "query":
        found.append(
            f'{name}: auth_in = "query" puts keys into addresses, where proxies and servers write them down.'
        )
    if settings.payment_path == ORDER_PATH:
        found.append(f"{name}: payment_path is the address that creates orders; have Kapture confirm it.")
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
        if operation == "update_order":
            plan, problems = self._update_by_record, update_problems
            return Operation(
                operation, kinds, partial(plan, chosen), partial(problems, options=chosen), can_update=True
            )
        changeable = self.settings.keys.update is not None
        return Operation(
            operation,
            kinds,
            partial(self._push, chosen),
            partial(order_problems, options=chosen),
            can_update=changeable,
        )

    def _check(self, operation: str) -> None:
        where = f"{self.name} (kapture)"
        if operation not in OPERATIONS:
            raise SetupError(
                f"{where} has no operation '{operation}'.{nearest(operation, OPERATIONS)} "
                f"It has: {', '.join(OPERATIONS)}."
            )
        if self.settings.keys.of(OPERATIONS[operation]) is None:
            raise SetupError(
                f"{where}: {operation} needs keys.{OPERATIONS[operation]} in the account's settings."
            )
        if operation == "payment" and not self.settings.payment_path:
            raise SetupError(
                f"{where}: payment needs payment_path. Kapture's page prints the address that creates "
                "orders; ask Kapture for the address of your payment call."
            )

    def probe(self) -> Plan:
        """A harmless read where a key for one is set; no other key can be proved without writing."""
        keys = self.settings.keys
        if keys.pull is not None:
            request = self.calls.pull(date(2000, 1, 1), 0)
        elif keys.search is not None:
            request = self.calls.search("0")
        else:
            return {
                "note": "Nothing was asked: without keys.pull or keys.search every call to Kapture writes."
            }
        seen = yield Step("probe", request, self.reader.seen, reads_only=True)
        return {**seen, "note": "Address and the reading key are good; the keys that write cannot be tried."}

    def _push(self, options: OrderOptions, record: Record, prior: Prior | None) -> Plan:
        """A new order; or, where the ledger knows it was pushed before, a change of that one."""
        if prior is not None:
            order_id = prior.result.get("id") or kapture_id(record, options)
            if not order_id:
                raise PlanRefused(
                    Refused(
                        "unknown_remote_id",
                        "The ledger does not know which order this is at Kapture, so it cannot be changed there.",
                        "Change it at Kapture by hand.",
                    )
                )
            customer_id = str(prior.result.get("customer_id") or "")
            return (yield self._update(options, record, str(order_id), customer_id))
        return (
            yield Step(
                name="order",
                request=self.calls.push(push_body(record, options, self.settings.zone)),
                read=self.reader.pushed,
                find=LookUp(self.settings, self.calls, record).search if self.settings.keys.pull else None,
                look_first=self.settings.look_first,
                search_hint=_hint(record),
            )
        )

    def _update_by_record(self, options: OrderOptions, record: Record, _prior: Prior | None) -> Plan:
        """A change of the order whose Kapture id the record carries."""
        customer_id = record.text("customer_id") if options.customer_id == "kapture" else ""
        return (yield self._update(options, record, kapture_id(record, options), customer_id))

    def _update(self, options: OrderOptions, record: Record, order_id: str, customer_id: str) -> Step:
        """Never repeated: a second order may come of it, and no read shows which change arrived."""
        body = update_body(record, options, self.settings.zone, order_id, customer_id)
        return Step(
            name="update",
            request=self.calls.update(body),
            read=partial(self.reader.updated, order_id),
            search_hint=f"order {order_id}, {_hint(record)}",
        )

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
