"""The message people read: plain text, what happened, where, what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.alerts.due import Item
from pipeline.alerts.rules import EVENTS

MOST_LINES = 12
"""Things told one by one in a message; the rest is counted."""
_LONGEST = 600
_MENTION = re.compile(r"@(?=(everyone|here|channel|all)\b)", re.IGNORECASE)
_KINDS = {
    "new": "", "more": "There is more to know", "reminder": "Still open", "settled": "Settled, nothing more to do",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel is sent."""

    title: str
    body: str
    attachments: tuple[Path, ...] = ()


def plain(text: str) -> str:
    """One line that no channel takes for markup, a mention or a control: text from files and servers is only text."""
    line = " ".join("".join(ch if ch.isprintable() else " " for ch in text).split())
    line = line.replace("<", "‹").replace(">", "›")
    line = _MENTION.sub("@\N{WORD JOINER}", line)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def compose(name: str, where: str, items: Sequence[Item], zone: ZoneInfo) -> Message:
    """One message about all ``items``: news first, then reminders, then what is settled."""
    order = list(EVENTS)
    ranked = sorted(items, key=lambda item: (list(_KINDS).index(item.kind), order.index(item.alert.event)))
    lines: list[str] = []
    kind = "new"
    for item in ranked[:MOST_LINES]:
        if item.kind != kind:
            kind = item.kind
            lines += [f"{_KINDS[kind]}:", ""]
        lines += [*_told(item, zone), ""]
    if len(ranked) > MOST_LINES:
        lines += [f"… and {len(ranked) - MOST_LINES} more. `orderdrop alerts` lists everything that is open.", ""]
    lines.append(f"This message is from orderdrop, {where}.")
    return Message(plain(f"{name}: {_subject(ranked)}"), "\n".join(lines), attachments(ranked))


def attachments(items: Sequence[Item]) -> tuple[Path, ...]:
    """What goes along: not with reminders, whose file was sent before."""
    return tuple(
        item.condition.attachment
        for item in items
        if item.kind in {"new", "more"} and item.condition is not None and item.condition.attachment is not None
    )


def _told(item: Item, zone: ZoneInfo) -> list[str]:
    if item.condition is None:
        return [f"- {plain(item.alert.headline)}"]
    lines = [f"- {plain(item.condition.headline)}"]
    if item.kind == "reminder":
        lines[0] += f" (since {datetime.fromtimestamp(item.alert.first_at, zone):%A %d %B, %H:%M})"
    return [*lines, f"  What to do: {plain(item.condition.advice)}"]


_SHORT = {
    "file": ("1 file needs a person", "{} files need a person"),
    "account_paused": ("an account is paused", "{} accounts are paused"),
    "key_expires": ("a key expires", "{} keys expire"),
    "doubt": ("orders in doubt", "orders in doubt"),
    "waiting": ("orders wait", "orders wait"),
    "pickup_missing": ("a pickup brought nothing", "{} pickups brought nothing"),
    "pickup_failing": ("a pickup fails", "{} pickups fail"),
    "nothing_delivered": ("nothing is delivered", "nothing is delivered"),
    "feed_stopped": ("a feed is stopped", "{} feeds are stopped"),
    "reconcile": ("the ledger and a target differ", "the ledger and {} targets differ"),
    "disk": ("the disk is nearly full", "the disk is nearly full"),
    "ledger": ("everything stopped", "everything stopped"),
}


def _subject(items: Sequence[Item]) -> str:
    open_ = [item for item in items if item.kind != "settled"]
    if not open_:
        return "settled" if len(items) == 1 else f"{len(items)} things are settled"
    numbers = {event: sum(item.alert.event == event for item in open_) for event in _SHORT}
    told = [_SHORT[event][number > 1].format(number) for event, number in numbers.items() if number]
    again = " (still)" if all(item.kind == "reminder" for item in open_) else ""
    return ", ".join(told[:3]) + (" and more" if len(told) > 3 else "") + again
