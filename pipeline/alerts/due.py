"""Which alerts a channel is told now. Pure: conditions, what was told before, the channel's rules and the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.alerts.conditions import Condition
from pipeline.alerts.hours import last_of
from pipeline.alerts.rules import Rules
from pipeline.ledger.alerts import Alert, ChannelState

_AGAIN_AFTER = 3600.0
"""Seconds before something that was told is told anew because there is more to know about it."""
_DIGEST_SLACK = 3600.0
"""A reminder is ripe that much earlier for a digest: the one before left some seconds after its time of day."""
_FIRST_REST, _LONGEST_REST = 300.0, 3600.0
"""Seconds a channel that failed is left alone: 5, 10, 20 … at most 60 minutes."""


@dataclass(frozen=True, slots=True)
class Item:
    """One alert to be told: as news, as more to know, as a reminder (``kind``), or as settled."""

    alert: Alert
    kind: str
    condition: Condition | None


def rest(failures: int) -> float:
    """Seconds until the next try after so many failures in a row."""
    return min(_LONGEST_REST, _FIRST_REST * 2.0 ** min(failures - 1, 10))


def due(
    rules: Rules, state: ChannelState, alerts: Sequence[Alert], holding: Mapping[tuple[str, str], Condition], now: float
) -> list[Item]:
    """What to tell now; nothing while the channel rests after a failure."""
    if state.next_try_at is not None and now < state.next_try_at:
        return []
    items = [item for alert in alerts if (item := _ripe(rules, alert, holding.get(alert.key), now)) is not None]
    quiet = rules.quiet.at(now, rules.zone)
    return [item for item in items if not quiet or item.alert.event in rules.urgent]


def _ripe(rules: Rules, alert: Alert, condition: Condition | None, now: float) -> Item | None:
    found = _next(rules, alert, condition)
    if found is None:
        return None
    kind, at = found
    waits = bool(rules.digest) and alert.event not in rules.urgent
    until = last_of(rules.digest, rules.quiet, now, rules.zone) if waits else now
    return Item(alert, kind, condition) if at <= until else None


def _next(rules: Rules, alert: Alert, condition: Condition | None) -> tuple[str, float] | None:
    """What would be told next about an alert, and from when on."""
    if condition is None:
        wanted = rules.settled and alert.settled_at is not None and alert.told_at is not None
        return ("settled", alert.settled_at or 0.0) if wanted else None
    if alert.told_at is None:
        return "new", alert.first_at + condition.grace
    if alert.told_version != condition.version:
        return "more", alert.told_at + _AGAIN_AFTER
    if rules.remind is None:
        return None
    slack = min(_DIGEST_SLACK, rules.remind / 2) if rules.digest else 0.0
    return "reminder", alert.told_at + rules.remind - slack
