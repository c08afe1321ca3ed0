"""The three ways to speak to Keap behind one face: REST v2 (the default), REST v1 and XML-RPC."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from pipeline.targets.contract import Listing, Operation, Plan, Request, Step
from pipeline.targets.keap import custom_fields, lists, operations
from pipeline.targets.keap.answers import Redact
from pipeline.targets.keap.readings import Readings
from pipeline.targets.keap.settings import KeapAccount
from pipeline.targets.keap.steps import Steps


class Api(Protocol):
    """What an account needs of the way it speaks."""

    operation_names: tuple[str, ...]
    listing: Listing | None
    fields_plan: Callable[[bool], Plan] | None

    def operation(self, name: str, options: Mapping[str, Any], account: str) -> Operation:
        """One operation; ``SetupError`` for an unknown name or option."""
        ...

    def probe(self) -> Plan:
        """One harmless read that proves address and key."""
        ...


class RestV2:
    """The calls of one account over REST v2."""

    operation_names: tuple[str, ...] = operations.OPERATIONS

    def __init__(self, known: KeapAccount, redact: Redact) -> None:
        read = Readings(redact, known.custom_fields)
        self._steps = Steps(read, known.custom_fields, known.looks_first)
        self.listing: Listing | None = partial(lists.order_list, read)
        self.fields_plan: Callable[[bool], Plan] | None = lambda create: custom_fields.fields_plan(read, create=create)

    def operation(self, name: str, options: Mapping[str, Any], account: str) -> Operation:
        """One operation; ``SetupError`` for an unknown name or option."""
        return operations.build_operation(name, options, self._steps, account)

    def probe(self) -> Plan:
        """One harmless read; which custom fields lack is told, and mended, by ``fields_plan``."""
        request = Request("GET", "/rest/v2/orders/model")
        return (yield Step("probe", request, self._steps.read.probe, reads_only=True))


def speak(known: KeapAccount, redact: Redact) -> Api:
    """The way ``api`` names; the others are not even loaded."""
    match known.api:
        case "xmlrpc":
            from pipeline.targets.keap.xmlrpc import XmlRpc

            return XmlRpc(known, redact)
        case "rest-v1":
            from pipeline.targets.keap.v1 import RestV1

            return RestV1(known, redact)
    return RestV2(known, redact)
