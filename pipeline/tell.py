"""Tell people what they have to know. What was told stands in the ledger: nothing is told twice, nothing forgotten.

In this order, so that a crash anywhere tells nothing twice: what is due is marked in the ledger, sent, and noted as
told. A mark that a crash left behind counts as told; the reminder follows in its time.
"""

from __future__ import annotations

import contextlib
import os
import platform
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import sqlalchemy as sa
from filelock import FileLock, Timeout

from pipeline.alerts.conditions import Condition, View, conditions, names_to_see
from pipeline.alerts.due import Item, due, rest
from pipeline.alerts.rules import Rules, read_rules
from pipeline.alerts.words import Message, compose, plain
from pipeline.errors import LedgerError, OrderdropError, SetupError, nearest
from pipeline.events import Event
from pipeline.ledger import alerts as memory
from pipeline.ledger.alerts import Alert, ChannelState
from pipeline.progress import Progress
from pipeline.project import Project
from pipeline.settings import SETTINGS_FILE, Settings, load_settings

TELL_EVERY = 60.0
"""Seconds between two looks at what people have to know."""


def tell(
    project: Project,
    stop: threading.Event,
    progress: Progress,
    stopped: Mapping[str, str],
    faults: Mapping[str, str] | None = None,
) -> None:
    """Tell every channel what is due there; raises only the ledger's trouble.

    ``stopped``: what is wrong, by feed. ``faults``: errors nobody foresaw; ``None``: only a watch knows them.
    """
    rules = read_rules(project.plan.settings)
    if not rules:
        return
    with _alone(project) as mine:
        if mine:
            try:
                _tell(project, rules, stop, progress, stopped, faults)
            except OSError as problem:  # a share that has gone away: what cannot be looked at cannot be told
                progress.say(f"Nobody could be told: {problem}. It is tried again.", Event.ALERT_FAILED)


@contextmanager
def _alone(project: Project) -> Iterator[bool]:
    """Whether nobody else is telling at this moment; if somebody is, that will do."""
    lock = FileLock(project.plan.settings.var / "alerts.lock")
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _tell(
    project: Project,
    rules: Mapping[str, Rules],
    stop: threading.Event,
    progress: Progress,
    stopped: Mapping[str, str],
    faults: Mapping[str, str] | None,
) -> None:
    now = project.clock.now()
    holding = look(project, stopped, faults or {})
    left_alone = frozenset({"fault"} if faults is None else ())
    known, states = project.writer.write(lambda c: _agree(c, rules, holding, left_alone, now))
    items = {
        name: found
        for name, rule in rules.items()
        if (found := due(rule, states[name], [a for a in known if a.channel == name], holding, now))
    }
    if not items:
        return
    from pipeline.alerts.channel import send_all

    project.writer.write(lambda c: memory.change(c, _ids(items), sending_at=now))
    messages = {name: (rules[name], message_of(project.plan.settings, found)) for name, found in items.items()}
    for name, problem in send_all(messages, stop).items():
        _note(project, states[name], items[name], problem, progress)


def _ids(items: Mapping[str, Sequence[Item]]) -> list[int]:
    return [item.alert.id for found in items.values() for item in found]


def look(
    project: Project, stopped: Mapping[str, str], faults: Mapping[str, str] = MappingProxyType({})
) -> dict[tuple[str, str], Condition]:
    """What holds now, by what it is about."""
    settings, now = project.plan.settings, project.clock.now()
    seen = project.writer.write(lambda c: memory.first_seen(c, names_to_see(settings), now))
    with project.engine.connect() as connection:
        view = View(connection, settings, project.plan.accounts, stopped, faults, seen, now)
        return {condition.key: condition for condition in conditions(view)}


def _agree(
    connection: sa.Connection,
    rules: Mapping[str, Rules],
    holding: Mapping[tuple[str, str], Condition],
    left_alone: frozenset[str],
    now: float,
) -> tuple[list[Alert], dict[str, ChannelState]]:
    """Make the alerts of the ledger agree with what holds now; of the events ``left_alone`` nobody here knows."""
    known = memory.listed(connection)
    interrupted = [alert for alert in known if alert.sending_at is not None]
    memory.told(connection, [alert.id for alert in interrupted], now)
    memory.forget(connection, [alert.id for alert in interrupted if alert.settled_at is not None])
    for name, rule in rules.items():
        mine = {alert.key: alert for alert in known if alert.channel == name}
        wanted = {key: c for key, c in holding.items() if c.event in rule.events}
        memory.add(connection, [_row(name, c, now) for key, c in wanted.items() if key not in mine])
        for key, condition in wanted.items():
            _refresh(connection, mine.get(key), condition)
        gone = [alert for key, alert in mine.items() if key not in wanted and alert.event not in left_alone]
        _settle(connection, gone, now, keep=rule.settled)
    memory.forget(connection, [alert.id for alert in known if alert.channel not in rules])
    states = {name: ChannelState(name) for name in rules} | memory.states(connection)
    return memory.listed(connection), states


def _row(channel: str, condition: Condition, now: float) -> dict[str, object]:
    return {
        "channel": channel, "event": condition.event, "subject": condition.subject, "version": condition.version,
        "headline": condition.headline, "first_at": now,
    }  # fmt: skip


def _refresh(connection: sa.Connection, alert: Alert | None, condition: Condition) -> None:
    """What is known from before and holds: its words of now; and if it was settled for a while, it is open again."""
    if alert is None:
        return
    now = condition.version, condition.headline, None
    if (alert.version, alert.headline, alert.settled_at) != now:
        version, headline, settled_at = now
        memory.change(connection, [alert.id], version=version, headline=headline, settled_at=settled_at)


def _settle(connection: sa.Connection, gone: Sequence[Alert], now: float, *, keep: bool) -> None:
    """What holds no more: told of, it stays until that was told too; else nobody needs it."""
    told = [alert for alert in gone if keep and (alert.told_at is not None or alert.sending_at is not None)]
    memory.change(connection, [alert.id for alert in told if alert.settled_at is None], settled_at=now)
    kept = {alert.id for alert in told}
    memory.forget(connection, [alert.id for alert in gone if alert.id not in kept])


def _note(
    project: Project, state: ChannelState, items: Sequence[Item], problem: str | None, progress: Progress
) -> None:
    """How a sending ended, in the ledger; one that failed is tried again after a rest."""
    now = project.clock.now()
    ids, settled = [item.alert.id for item in items], [item.alert.id for item in items if item.kind == "settled"]

    def write(connection: sa.Connection) -> None:
        if problem is None:
            memory.told(connection, ids, now)
            memory.forget(connection, settled)
            memory.note_channel(connection, ChannelState(state.channel, told_at=now))
        else:
            memory.change(connection, ids, sending_at=None)
            failures = state.failures + 1
            failed = replace(state, failures=failures, next_try_at=now + rest(failures), problem=problem)
            memory.note_channel(connection, failed)

    project.writer.write(write)
    if problem is None:
        text = f"Told {state.channel}: {len(items)} {'thing' if len(items) == 1 else 'things'}."
        progress.say(text, Event.ALERT_SENT, channel=state.channel, things=len(items))
    else:
        text = f"Channel {state.channel} could not be told: {problem}. It is tried again; nothing else waits for it."
        progress.say(text, Event.ALERT_FAILED, channel=state.channel)


def message_of(settings: Settings, items: Sequence[Item]) -> Message:
    """The message, with the attachments that are not too large together."""
    message = compose(_name(settings), _where(settings), items, settings.timezone)
    room, along = settings.alerts.attach_mb * 1024 * 1024, []
    for path in message.attachments:
        with contextlib.suppress(OSError):  # gone since: somebody is at work on it
            size = path.stat().st_size
            if size <= room:
                room -= size
                along.append(path)
    return replace(message, attachments=tuple(along))


def _name(settings: Settings) -> str:
    return settings.alerts.name or f"orderdrop {settings.folder.name}"


def _where(settings: Settings) -> str:
    return plain(f"folder {settings.folder} on {platform.node() or 'this machine'}")


# --- a person asks -----------------------------------------------------------------------------------------------


def send_test(settings: Settings, only: str | None, stop: threading.Event) -> dict[str, str | None]:
    """Send a test message to one channel or all; by name ``None`` for sent, or why not."""
    rules = read_rules(settings)
    if only is not None and only not in rules:
        known = ", ".join(sorted(rules)) or "none"
        raise SetupError(f"There is no channel '{only}'.{nearest(only, rules)} Known: {known}.")
    if not rules:
        raise SetupError(f"There is no channel in {SETTINGS_FILE}: [alerts.channels.NAME] describes one.")
    from pipeline.alerts.channel import send_all

    body = f"This is a test. Alerts of this project come here.\n\nThis message is from orderdrop, {_where(settings)}."
    message = Message(f"{_name(settings)}: test", body)
    return send_all({name: (rule, message) for name, rule in rules.items() if only in {None, name}}, stop)


# --- trouble that the ledger itself cannot remember ---------------------------------------------------------------


@contextmanager
def telling_trouble(folder: Path) -> Iterator[None]:
    """People are told when the ledger cannot be used; the age of a small file says that they were."""
    try:
        yield
    except LedgerError as problem:
        with contextlib.suppress(OrderdropError, OSError):
            _tell_trouble(load_settings(folder), str(problem))
        raise


def all_is_well(settings: Settings) -> None:
    """The ledger was used: the next trouble is news. The file is made while there is room on the disk for it."""
    mark = _mark(settings)
    with contextlib.suppress(OSError):
        if not mark.exists() or mark.stat().st_mtime > 0:
            _mark_as(settings, 0)


def _mark_as(settings: Settings, told_at: float) -> None:
    """When people were told last, as the time of a file: that needs no room on a full disk."""
    with contextlib.suppress(OSError):
        _mark(settings).touch()
        os.utime(_mark(settings), (told_at, told_at))


def _mark(settings: Settings) -> Path:
    return settings.var / "trouble.told"


def _tell_trouble(settings: Settings, problem: str) -> None:
    rules = {name: rule for name, rule in read_rules(settings).items() if "ledger" in rule.events}
    if not rules or _was_told(settings):
        return
    from pipeline.alerts.channel import send_all

    body = (
        f"- {plain(problem)}\n  What to do: put that right, then start orderdrop again. Nothing is sent before, "
        f"and what was promised is not lost.\n\nThis message is from orderdrop, {_where(settings)}."
    )
    message = Message(f"{_name(settings)}: everything stopped", body)
    answers = send_all({name: (rule, message) for name, rule in rules.items()}, threading.Event())
    if None not in answers.values():  # nobody was reached: the next start tries again
        _mark_as(settings, 0)


def _was_told(settings: Settings) -> bool:
    """Whether people know already; marks that they do."""
    import time

    mark, again = _mark(settings), max(settings.alerts.remind_hours, 1.0) * 3600
    with contextlib.suppress(OSError):
        if 0 <= time.time() - mark.stat().st_mtime < again:  # a time to come is none: the clock was set back
            return True
    _mark_as(settings, time.time())
    return False
