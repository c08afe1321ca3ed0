"""``orderdrop alerts``: everything people have to know at this moment, and who was told of it when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.alerts.conditions import Condition
from pipeline.alerts.rules import read_rules
from pipeline.ledger import alerts as memory
from pipeline.ledger.alerts import Alert, ChannelState
from pipeline.project import Project
from pipeline.tell import look


def open_alerts(project: Project, stopped: Mapping[str, str]) -> dict[str, Any]:
    """``open``: each thing with its words and who was told; ``channels``: how their sendings go."""
    holding = look(project, stopped)
    with project.engine.connect() as connection:
        known, states = memory.listed(connection), memory.states(connection)
    names = read_rules(project.plan.settings)
    return {
        "open": [_one(condition, [a for a in known if a.key == key]) for key, condition in holding.items()],
        "channels": [_channel(name, states.get(name, ChannelState(name))) for name in names],
    }


def _one(condition: Condition, told: Sequence[Alert]) -> dict[str, Any]:
    return {
        "event": condition.event,
        "about": condition.subject,
        "headline": condition.headline,
        "advice": condition.advice,
        "since": min((alert.first_at for alert in told), default=None),
        "told": {alert.channel: {"at": alert.told_at, "times": alert.times} for alert in told},
    }


def _channel(name: str, state: ChannelState) -> dict[str, Any]:
    return {
        "channel": name, "last_told_at": state.told_at, "failures": state.failures,
        "next_try_at": state.next_try_at, "problem": state.problem,
    }  # fmt: skip
