"""Keap over REST v1, for tenants without v2: it creates, and changes nothing but contacts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.targets.contract import Listing, Operation, Plan
from pipeline.targets.keap.answers import Redact
from pipeline.targets.keap.readings import Readings
from pipeline.targets.keap.settings import KeapAccount
from pipeline.targets.keap.v1.operations import OPERATIONS, build_operation
from pipeline.targets.keap.v1.steps import Steps


class RestV1:
    """The calls of one account over REST v1."""

    operation_names: tuple[str, ...] = OPERATIONS
    listing: Listing | None = None
    """None: the list carries no order id of ours, and what its times mean is not documented."""
    fields_plan: Callable[[bool], Plan] | None = None

    def __init__(self, known: KeapAccount, redact: Redact) -> None:
        self._steps = Steps(Readings(redact, {}), looks_first=known.look_first is not False)

    def operation(self, name: str, options: Mapping[str, Any], account: str) -> Operation:
        """One operation; ``SetupError`` for an unknown name or option."""
        return build_operation(name, options, self._steps, account)

    def probe(self) -> Plan:
        """One harmless read."""
        return (yield self._steps.probe())
