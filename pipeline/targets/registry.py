"""The targets orderdrop knows, one line each. No discovery, no side effect of an import."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from pipeline.errors import SetupError, nearest
from pipeline.targets.contract import Account

TARGETS: Mapping[str, str] = {
    "keap": "pipeline.targets.keap",
    "influencersoft": "pipeline.targets.influencersoft",
    "kapture": "pipeline.targets.kapture",
    "orderdesk": "pipeline.targets.orderdesk",
}
"""Module by target name; each gives ``build(account name, raw table) -> Account``."""


def build_account(name: str, table: Mapping[str, Any]) -> Account:
    """The account ready to be driven; ``SetupError`` says what is wrong with its table."""
    target = str(table.get("target") or "")
    if target not in TARGETS:
        known = ", ".join(sorted(TARGETS))
        said = f"unknown target '{target}'.{nearest(target, TARGETS)}" if target else "target is missing."
        raise SetupError(f"pipeline.toml [accounts.{name}]: {said} Known targets: {known}.")
    account: Account = import_module(TARGETS[target]).build(name, table)
    return account
