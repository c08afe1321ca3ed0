"""Keap over REST v2: contacts, products, orders with lines and custom fields, payments recorded by hand."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pipeline.errors import SetupError
from pipeline.settings import check_base_url
from pipeline.targets.contract import Account, Plan, Request, Step
from pipeline.targets.keap import pacing
from pipeline.targets.keap.client import Client
from pipeline.targets.keap.custom_fields import fields_plan
from pipeline.targets.keap.lists import order_list
from pipeline.targets.keap.operations import OPERATIONS, build_operation
from pipeline.targets.keap.readings import Readings
from pipeline.targets.keap.settings import read_account
from pipeline.targets.keap.steps import Steps


def build(name: str, table: Mapping[str, Any]) -> Account:
    """The account ``[accounts.<name>]``; ``SetupError`` when the table is wrong.

    A key that is missing is noticed when the first call is signed: a preview needs none.
    """
    known = read_account(name, table)
    if known.api != "rest-v2":
        raise SetupError(f"[accounts.{name}]: this version of orderdrop does not speak Keap's {known.api} yet.")
    base_url = check_base_url(known.base_url, f"[accounts.{name}]")
    client = Client(base_url, known.api_key, known.auth)
    steps = Steps(Readings(client.redact, known.custom_fields), known.custom_fields, known.looks_first)
    return Account(
        name=name,
        target="keap",
        base_url=base_url,
        rate=known.bucket(),
        sign=client.sign,
        show=client.show,
        operation=lambda operation, options: build_operation(operation, options, steps, name),
        operation_names=OPERATIONS,
        probe=partial(_probe, steps),
        pace=pacing.pace,
        concurrency=known.concurrency,
        timeout=known.timeout_seconds,
        settle_seconds=known.settle_seconds,
        warnings=known.warnings,
        listing=partial(order_list, steps.read),
        fields_plan=lambda create: fields_plan(steps.read, create=create),
    )


def _probe(steps: Steps) -> Plan:
    """One harmless read; with custom fields configured it proves that they exist, too."""
    if steps.custom_fields:
        return (yield steps.model())
    request = Request("GET", "/rest/v2/orders/model")
    return (yield Step("probe", request, steps.read.probe, reads_only=True))
