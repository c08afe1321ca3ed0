"""What people have to know at this moment: one condition per thing, read from the ledger, the settings and the disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from pipeline.alerts.hours import hours_within, moment_of, read_days, read_time
from pipeline.ledger import alerts as memory
from pipeline.ledger import deliveries as book
from pipeline.ledger import pickups as fetches
from pipeline.settings import PickupTable, Settings
from pipeline.targets.contract import Account

HOUR = 3600.0
_PICKUP_GRACE = 1800.0
"""Seconds a pickup may fail before anybody is told: servers are away for minutes every night."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that holds now and somebody has to know.

    ``headline`` says what and where, ``advice`` what to do. ``version`` changes when there is more to know about the
    same thing. ``grace``: seconds it has to hold before it is told. ``attachment`` goes along where a channel can.
    """

    event: str
    subject: str
    headline: str
    advice: str
    version: str = ""
    grace: float = 0.0
    attachment: Path | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What it is about."""
        return self.event, self.subject


@dataclass(frozen=True, slots=True)
class View:
    """What conditions are read from. ``stopped`` says what is wrong, by feed; ``faults`` what nobody foresaw, by what
    was being done; ``seen`` when a name was first seen."""

    connection: sa.Connection
    settings: Settings
    accounts: Mapping[str, Account]
    stopped: Mapping[str, str]
    faults: Mapping[str, str]
    seen: Mapping[str, float]
    now: float

    def local(self, moment: float) -> datetime:
        """A moment in the project's time zone."""
        return datetime.fromtimestamp(moment, self.settings.timezone)

    def at(self, moment: float) -> str:
        """A moment for people."""
        return f"{self.local(moment):%A %d %B, %H:%M}"


def conditions(view: View) -> list[Condition]:
    """Everything that holds now."""
    readers = (
        _files, _paused, _keys, _doubts, _waiting, _missing, _failing, _nothing, _stopped, _differences, _faults, _disk,
    )  # fmt: skip
    return [condition for read in readers for condition in read(view)]


def names_to_see(settings: Settings) -> list[str]:
    """What is counted from the moment it was first seen: a pickup that never brought anything, the first delivery."""
    return ["deliveries", *(f"pickup {name}" for name in settings.pickups)]


def _files(view: View) -> Iterator[Condition]:
    for one in memory.to_correct(view.connection):
        path = view.settings.folder / one.workbook
        if not path.is_file():  # taken out of the tray since the last pass
            continue
        if one.state == "refused":
            told = f"{one.file_name} could not be taken in: {one.reason or ''}"
            advice = f"{one.advice or ''} The notice is {one.workbook}."
        else:
            told = f"{one.file_name}: {_counted(one)}."
            doubts = ", answer in the sheet 'Settle these doubts'" if one.doubts else ""
            cells = ", correct the red cells" if one.rows or one.refused or not one.doubts else ""
            advice = f"Open {one.workbook}{cells}{doubts}, save it, and drop it into inbox/."
        yield Condition("file", one.link, told, advice, one.digest, attachment=path)


def _counted(one: memory.ToCorrect) -> str:
    parts = [
        (one.rows, "row needs a correction", "rows need a correction"),
        (one.refused, "delivery was refused by a target", "deliveries were refused by a target"),
        (one.doubts, "delivery may or may not have arrived", "deliveries may or may not have arrived"),
    ]
    told = [f"{number} {single if number == 1 else several}" for number, single, several in parts if number]
    return ", ".join(told) or "a workbook waits"


def _at(account: Account) -> str:
    return account.name if account.name == account.target else f"{account.name} ({account.target})"


def _paused(view: View) -> Iterator[Condition]:
    for name, why in book.paused(view.connection).items():
        account = view.accounts.get(name)
        if account is not None:
            yield Condition(
                "account_paused", name, f"Account {_at(account)} is paused: {why}",
                f"Its orders wait and nothing is lost. Put a good key where pipeline.toml says for [accounts.{name}]; "
                "the next try goes on by itself.",
            )  # fmt: skip


def _keys(view: View) -> Iterator[Condition]:
    today = view.local(view.now).date()
    for name, account in view.accounts.items():
        for call, ends in account.key_ends.items():
            left = (ends - today).days
            if left <= view.settings.alerts.key_days:
                when = f"expired on {ends}" if left < 0 else f"expires on {ends}, {_in_days(left)}"
                yield Condition(
                    "key_expires", f"{name} {call}", f"The {call} key of account {_at(account)} {when}.",
                    f"Make a new key there, put it in place of the old one, and write its end date into expires.{call} "
                    f"of [accounts.{name}].",
                    # told anew for the last week, the last day, and when it is too late
                    version="late" if left < 0 else "1" if left <= 1 else "7" if left <= 7 else "",
                )  # fmt: skip


def _in_days(left: int) -> str:
    return "today" if left == 0 else "tomorrow" if left == 1 else f"in {left} days"


def _doubts(view: View) -> Iterator[Condition]:
    hours = view.settings.alerts.doubt_hours
    for name, account in view.accounts.items():
        old = memory.oldest_doubts(view.connection, name, view.now - hours * HOUR)
        if old is not None:
            yield Condition(
                "doubt", name,
                f"{old.number} {'delivery' if old.number == 1 else 'deliveries'} to {_at(account)} may or "
                f"may not have arrived, the oldest since {view.at(old.since)}: {_some(old)}.",
                "`orderdrop doubt` shows what to search for there; then tell: orderdrop doubt settle ID --as "
                "delivered, resend or drop.",
            )  # fmt: skip


def _waiting(view: View) -> Iterator[Condition]:
    hours = view.settings.alerts.waiting_hours
    paused = book.paused(view.connection)
    for name, account in view.accounts.items():
        old = memory.oldest_waiting(view.connection, name, view.now - hours * HOUR) if hours else None
        if old is not None and name not in paused:
            yield Condition(
                "waiting", name,
                f"{old.number} {'delivery' if old.number == 1 else 'deliveries'} to {_at(account)} "
                f"{'waits' if old.number == 1 else 'wait'}, the oldest since {view.at(old.since)}: {_some(old)}.",
                "Nothing is lost, and it is tried again by itself. `orderdrop find` with one of these keys says what "
                f"is in the way; `orderdrop check --online` asks {name}.",
                grace=HOUR / 2,  # one that was put back in the queue is gone by then
            )  # fmt: skip


def _some(old: memory.Oldest) -> str:
    more = old.number - len(old.keys)
    return ", ".join(old.keys) + (f" and {more} more" if more > 0 else "")


def _missing(view: View) -> Iterator[Condition]:
    for name, pickup in view.settings.pickups.items():
        since = _first_missed(view, name, pickup)
        if since is not None:
            yield Condition(
                "pickup_missing", name,
                f"Pickup {name} ({pickup.host}) brought nothing new by {view.at(since)}.",
                f"Ask whoever lays the files there. `orderdrop fetch {name}` looks again at once.",
                version=str(view.local(view.now).date()) if view.now - since > 24 * HOUR else "",
            )  # fmt: skip


def _first_missed(view: View, name: str, pickup: PickupTable) -> float | None:
    """The first deadline that has passed on a day on which nothing has come, nor on any day since."""
    if pickup.expect_by is None:
        return None
    by, days = read_time(pickup.expect_by, name), read_days(pickup.expect_days, name)
    came = memory.last_fetched(view.connection, name)
    start = view.seen.get(f"pickup {name}", view.now) if came is None else came
    # What came on a day counts for that day; before the first file, the day on which the pickup was first seen counts.
    day = view.local(start).date() + timedelta(days=0 if came is None else 1)
    for _ in range(8):
        deadline = moment_of(day, by, view.settings.timezone)
        if deadline > view.now:
            return None
        if day.weekday() in days and deadline >= start:
            return deadline
        day += timedelta(days=1)
    return None


def _failing(view: View) -> Iterator[Condition]:
    for name, problem in fetches.problems(view.connection).items():
        if name in view.settings.pickups:
            yield Condition(
                "pickup_failing", name, f"Pickup {name} cannot fetch: {problem}",
                f"`orderdrop fetch {name}` tries again at once.", grace=_PICKUP_GRACE,
            )  # fmt: skip


def _nothing(view: View) -> Iterator[Condition]:
    alerts = view.settings.alerts
    if not alerts.nothing_delivered_hours:
        return
    last = memory.last_delivered(view.connection)
    start = last if last is not None else view.seen.get("deliveries", view.now)
    working = read_days(alerts.working_days, "working_days")
    hours = hours_within(start, view.now, working, view.settings.timezone)
    if hours >= alerts.nothing_delivered_hours:
        since = f"since {view.at(start)}" if last is not None else "so far"
        yield Condition(
            "nothing_delivered", "all", f"Nothing was delivered to any account {since}.",
            "Are the files still coming? `orderdrop status` shows what came last, and what waits.",
        )  # fmt: skip


def _stopped(view: View) -> Iterator[Condition]:
    for feed, problem in view.stopped.items():
        yield Condition(
            "feed_stopped", feed, f"Feed {feed} is stopped: {problem}",
            f"Its files wait in inbox/. Correct mappings/{feed}.yaml or the schema; `orderdrop check` proves it.",
            version=problem,
        )  # fmt: skip


def _differences(view: View) -> Iterator[Condition]:
    for one in memory.compared(view.connection):
        found = [(one.missing, "missing there"), (one.extra, "there and not ours"), (one.differing, "different there")]
        counted = ", ".join(f"{number} {text}" for number, text in found if number)
        if counted and one.account in view.accounts:
            book_ = view.settings.folder / one.workbook if one.workbook else None
            yield Condition(
                "reconcile", one.account, f"The ledger and the list of account {one.account} differ: {counted}.",
                f"{one.workbook or 'orderdrop reconcile'} shows each one. Nothing was changed anywhere.",
                version=one.digest, attachment=book_ if book_ is not None and book_.is_file() else None,
            )  # fmt: skip


def _faults(view: View) -> Iterator[Condition]:
    for during, said in view.faults.items():
        yield Condition(
            "fault", during, f"{during}: {said}.",
            "It is tried again by itself, and nothing is lost. If it stays, `orderdrop doctor --bundle support.zip` "
            "writes what helps whoever can mend it.",
            version=said,
        )  # fmt: skip


def _disk(view: View) -> Iterator[Condition]:
    folder = view.settings.var if view.settings.var.is_dir() else view.settings.folder
    free = shutil.disk_usage(folder).free // (1024 * 1024)
    if free < view.settings.alerts.disk_free_mb:
        yield Condition(
            "disk", "project", f"The disk of {view.settings.folder} is nearly full: {free} MB are free.",
            "Make room. When it is full, orderdrop stops; nothing that was promised is lost.",
        )  # fmt: skip
