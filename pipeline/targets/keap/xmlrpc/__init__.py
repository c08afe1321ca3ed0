"""Keap over XML-RPC, for tenants that still use it; reported to end on 2026-12-31."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pipeline.targets.contract import Listing, Operation, Plan, Step
from pipeline.targets.keap.answers import Redact
from pipeline.targets.keap.operations import OPERATIONS
from pipeline.targets.keap.settings import KeapAccount
from pipeline.targets.keap.xmlrpc.custom_fields import fields_plan
from pipeline.targets.keap.xmlrpc.lists import order_list
from pipeline.targets.keap.xmlrpc.operations import build_operation
from pipeline.targets.keap.xmlrpc.readings import Readings
from pipeline.targets.keap.xmlrpc.steps import Steps
from pipeline.targets.keap.xmlrpc.wire import call


class XmlRpc:
    """The calls of one account over XML-RPC."""

    operation_names: tuple[str, ...] = OPERATIONS

    def __init__(self, known: KeapAccount, redact: Redact) -> None:
        read = Readings(redact, known.custom_fields)
        self._steps = Steps(read, known.custom_fields, known.looks_first)
        self.listing: Listing | None = partial(order_list, read)
        self.fields_plan: Callable[[bool], Plan] | None = lambda create: fields_plan(read, create=create)

    def operation(self, name: str, options: Mapping[str, Any], account: str) -> Operation:
        """One operation; ``SetupError`` for an unknown name or option."""
        return build_operation(name, options, self._steps, account)

    def probe(self) -> Plan:
        """One harmless read; which custom fields lack is told, and mended, by ``fields_plan``."""
        request = call("InvoiceService.getAllPaymentOptions")
        return (yield Step("probe", request, self._steps.read.probe, reads_only=True))
