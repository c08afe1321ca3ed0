"""Keap: contacts, products, orders with lines and custom fields, payments recorded by hand; over three APIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.settings import check_base_url
from pipeline.targets.contract import Account
from pipeline.targets.keap import pacing
from pipeline.targets.keap.api import speak
from pipeline.targets.keap.client import Client
from pipeline.targets.keap.settings import read_account


def build(name: str, table: Mapping[str, Any]) -> Account:
    """The account ``[accounts.<name>]``; ``SetupError`` when the table is wrong.

    A key that is missing is noticed when the first call is signed: a preview needs none.
    """
    known = read_account(name, table)
    base_url = check_base_url(known.base_url, f"[accounts.{name}]")
    client = Client(base_url, known.api_key, known.auth)
    api = speak(known, client.redact)
    return Account(
        name=name,
        target="keap",
        base_url=base_url,
        rate=known.bucket(),
        sign=client.sign,
        show=client.show,
        operation=lambda operation, options: api.operation(operation, options, name),
        operation_names=api.operation_names,
        probe=api.probe,
        pace=pacing.pace,
        concurrency=known.concurrency,
        timeout=known.timeout_seconds,
        settle_seconds=known.settle_seconds,
        warnings=known.warnings,
        listing=api.listing,
        fields_plan=api.fields_plan,
    )
