"""Who is told what, and when: the tables of ``[alerts]`` proved and read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from zoneinfo import ZoneInfo

from msgspec import Struct

from pipeline.alerts.hours import Quiet, read_days, read_quiet, read_time
from pipeline.errors import SetupError, nearest
from pipeline.settings import SETTINGS_FILE, ChannelTable, Secret, Settings

EVENTS: Mapping[str, str] = {
    "file": "a file needs a person: its workbook lies in errors/",
    "account_paused": "an account is paused: its key is not accepted, or its API is switched off",
    "key_expires": "a key is about to expire, or has expired",
    "doubt": "something is in doubt for longer than doubt_hours",
    "waiting": "work for an account waits for longer than waiting_hours",
    "pickup_missing": "a pickup brought nothing new by its expect_by",
    "pickup_failing": "a pickup cannot fetch for half an hour or longer",
    "nothing_delivered": "nothing was delivered for nothing_delivered_hours",
    "feed_stopped": "a mapping or schema is wrong, and its feed is stopped",
    "reconcile": "the ledger and a target's own list differ",
    "fault": "an error in orderdrop itself that nobody foresaw",
    "disk": "the disk is nearly full",
    "ledger": "the ledger cannot be used: everything stopped",
}
"""Every kind of alert, in the order in which a message tells them."""


class Rules(Struct, frozen=True):
    """One channel: where, which events, and when. ``remind`` in seconds; ``None``: never."""

    name: str
    url: Secret
    events: frozenset[str]
    urgent: frozenset[str]
    digest: tuple[time, ...]
    quiet: Quiet
    zone: ZoneInfo
    remind: float | None
    attach: bool
    settled: bool
    timeout: float


def read_rules(settings: Settings) -> dict[str, Rules]:
    """The channels by name; ``SetupError`` names what is wrong in ``[alerts]`` or a pickup's ``expect_by``."""
    where = f"{SETTINGS_FILE} [alerts]"
    for key in ("remind_hours", "doubt_hours", "waiting_hours", "nothing_delivered_hours", "key_days", "attach_mb"):
        if getattr(settings.alerts, key) < 0:
            raise SetupError(f"{where} {key}: write a number that is not below 0.")
    if not read_days(settings.alerts.working_days, f"{where} working_days"):
        raise SetupError(f"{where} working_days: name at least one day.")
    for name, pickup in settings.pickups.items():
        expected = f"{SETTINGS_FILE} [pickups.{name}]"
        if pickup.expect_by is not None:
            read_time(pickup.expect_by, f"{expected} expect_by")
        if not read_days(pickup.expect_days, f"{expected} expect_days"):
            raise SetupError(f"{expected} expect_days: name at least one day.")
    return {name: _rules(name, table, settings) for name, table in settings.channels.items()}


def _rules(name: str, table: ChannelTable, settings: Settings) -> Rules:
    where = f"{SETTINGS_FILE} [alerts.channels.{name}]"
    for event in (*table.events, *table.urgent):
        if event not in EVENTS:
            raise SetupError(
                f"{where}: there is no event '{event}'.{nearest(event, EVENTS)} Known: {', '.join(EVENTS)}."
            )
    if not 1 <= table.timeout_seconds <= 300:
        raise SetupError(f"{where} timeout_seconds: write a number from 1 to 300.")
    hours = settings.alerts.remind_hours if table.remind_hours is None else table.remind_hours
    if 0 < hours < 0.25 or hours < 0:
        raise SetupError(f"{where} remind_hours: write 0 (never), or at least 0.25.")
    digest = tuple(sorted(read_time(text, f"{where} digest") for text in _several(table.digest)))
    quiet = read_quiet(_several(table.quiet), table.quiet_days, where)
    for at in digest:
        if any(a <= at < b if a < b else at >= a or at < b for a, b in quiet.stretches):
            raise SetupError(f"{where}: the digest at {at:%H:%M} lies in the quiet; nothing would ever be told then.")
    return Rules(
        name, table.url, frozenset(table.events or EVENTS), frozenset(table.urgent),
        digest, quiet, settings.timezone,
        hours * 3600 or None, table.attach, table.settled, table.timeout_seconds,
    )  # fmt: skip


def _several(found: str | tuple[str, ...]) -> tuple[str, ...]:
    return (found,) if isinstance(found, str) else found
