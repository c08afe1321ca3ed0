"""The watch: as a process a person starts and stops, and through days of simulated time."""

from __future__ import annotations

import gc
import os
import signal
import sqlite3
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from inline import Inline
from listeners import http_hook
from project import HEADER, ORDERS_YAML, SECRETS, ProjectFolder, order_row
from sftp_servers import Cupboard, Server, misbehaving
from shelf import FakeClock
from watched import DAY, HOUR, Heard, orders, pickup, poll_seconds, simulate

from pipeline.errors import LedgerError
from pipeline.intake.bell import Bell
from pipeline.sandbox import all_targets
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.orderdesk import SimulatedOrderDesk
from pipeline.sandbox.server import SandboxServer
from pipeline.watch import watch


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    for name, value in (SECRETS | {"PARTNER_PASSWORD": "right"}).items():
        monkeypatch.setenv(name, value)
    return ProjectFolder.make(tmp_path / "p", sandbox.base_urls())


def until(what: Callable[[], object], seconds: float = 40) -> None:
    """Wait for something to become true: the watch is another process, or another thread."""
    end, tick = time.monotonic() + seconds, threading.Event()
    while not what():
        assert time.monotonic() < end, "it did not happen"
        tick.wait(0.05)


# --- as a process ------------------------------------------------------------------------------------------------


def test_dropped_delivered_a_bad_mapping_mended_and_stopped(project: ProjectFolder, sandbox: SandboxServer) -> None:
    mapping = project.path / "mappings" / "orders.yaml"
    other = ORDERS_YAML.replace("feed: orders", "feed: other").replace('"orders*"', '"other*"')
    (project.path / "mappings" / "other.yaml").write_text(other + "  - {account: shop, operation: order}\n")
    process = project.popen("watch")
    try:
        until((project.path / "var" / "run.lock").exists)
        project.drop("orders_1.csv", order_row("1001"))
        until(lambda: orders(sandbox)["1001"])
        good = mapping.read_text()
        mapping.write_text(good.replace("parse: money", "parse: mony"))
        project.drop("orders_2.csv", order_row("1002"))
        project.drop("other_1.csv", order_row("1003"))
        until(lambda: orders(sandbox)["1003"])
        assert (project.path / "inbox" / "orders_2.csv").exists()  # waits; it is not refused
        mapping.write_text(good)
        until(lambda: orders(sandbox)["1002"])
        status = project.status()  # another command, beside the watch
        assert status["balanced"]
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=40)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, err
    assert set(orders(sandbox).values()) == {1}
    assert "Feed orders is stopped until that is right" in err
    assert "mony" in err
    assert "Stopped watching" in err
    assert "Traceback" not in err


def test_a_second_signal_ends_it_at_once_and_nothing_is_sent_twice(
    project: ProjectFolder, sandbox: SandboxServer
) -> None:
    sandbox.faults.add([Fault("stall", target="orderdesk", seconds=25, times=1)])
    project.drop("orders_1.csv", order_row("1001"))
    process = project.popen("watch")
    try:
        until(lambda: orders(sandbox)["1001"])  # the work is done there, and the answer does not come
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        for line in process.stderr:
            if "Once more to stop at once" in line:
                break
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGTERM
    assert time.monotonic() - begun < 15
    until(lambda: project.run().json()["accounts"][0]["waiting"] + project.status()["accounts"][0]["in_doubt"] == 0)
    assert orders(sandbox) == Counter({"1001": 1})


# --- days that pass in no time -----------------------------------------------------------------------------------


@pytest.mark.timeout(300)
def test_a_week_of_everything_loses_nothing_and_grows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drops, pickups, rejected rows, outages, a pause, a comparison each night, people who are told; a clock change.

    Bounds, from the second evening to the seventh: memory 600 kB, no handle, no thread; the ledger 12 kB for a
    working day of two files, and nothing at all for a day on which nothing happens.
    """
    monkeypatch.setattr("pipeline.watch.IDLE_PASS_SECONDS", 3 * HOUR)
    monkeypatch.setattr("pipeline.side_work.TELL_EVERY", 3 * HOUR)
    cupboard, week = Cupboard(), _Week()
    script: dict[float, Callable[[], object]] = {}
    start = datetime(2040, 3, 5, tzinfo=ZoneInfo("America/New_York")).timestamp()
    clock = FakeClock(start)
    desk = SimulatedOrderDesk(now=lambda: datetime.fromtimestamp(clock.time, UTC))
    with SandboxServer([desk]) as sandbox, misbehaving(cupboard) as server, http_hook() as hook:
        for name, value in (SECRETS | {"PARTNER_PASSWORD": "right", "HOOK": hook.address}).items():
            monkeypatch.setenv(name, value)
        nowhere = dict.fromkeys(("keap", "influencersoft", "kapture"), "http://127.0.0.1:1")
        project = ProjectFolder.make(tmp_path / "p", nowhere | sandbox.base_urls())
        poll_seconds(project, 3 * HOUR)
        pickup(project, server.settings(schedule="0 7 * * *", after="delete") + _TOLD_AND_COMPARED)
        for day in range(6):
            _working_day(script, day, project, sandbox, cupboard)
        for day in range(7):
            script[day * DAY + 20 * HOUR] = lambda: week.evening(project)
        try:
            heard, days = simulate(project, script, 7 * DAY, clock=clock, pool=Inline())
        finally:
            tracemalloc.stop()
        assert orders(sandbox) == Counter([f"10{day:02d}" for day in range(6)] + [f"20{day:02d}" for day in range(6)])
        assert not any(sandbox.duplicates().values())
        assert heard.text().count("Compared with shop") == 7
        print(heard.text())
        assert "no difference" in heard.text()
        assert sum("is paused" in one["message"] for one in hook.got) == 2  # and that it is settled
        assert sum("orders_bad" in one["message"] for one in hook.got) >= 6
    week.prove()
    assert days.rounds < 7 * (24 * 4)  # the regular looks, and a few per drop
    assert len(heard.lines) < 400


_TOLD_AND_COMPARED = """
[reconcile]
schedule = "0 5 * * *"
[alerts.channels.hook]
url = { env = "HOOK" }
"""


def _working_day(
    script: dict[float, Callable[[], object]],
    day: int,
    project: ProjectFolder,
    sandbox: SandboxServer,
    cupboard: Cupboard,
) -> None:
    """A file at six with weather, one that waits for the pickup at seven, rows that need a person, one bad key."""

    def at(hour: float, what: Callable[[], object]) -> None:
        script[day * DAY + hour * HOUR] = what

    date = f"03/{5 + day:02d}/2040"
    content = "\n".join((HEADER, order_row(f"20{day:02d}", date=date))) + "\n"
    at(5.5, lambda: cupboard.files.__setitem__(f"orders_p{day}.csv", content.encode()))
    at(5.9, lambda: sandbox.faults.add([Fault("throttle", target="orderdesk", times=2)]))
    at(6.0, lambda: project.drop(f"orders_{day}.csv", order_row(f"10{day:02d}", date=date)))
    at(9.0, lambda: project.drop(f"orders_bad{day}.csv", order_row(f"30{day:02d}", qty="two")))
    at(17.0, lambda: [path.unlink() for path in (project.path / "errors").iterdir()])
    if day == 3:
        at(5.95, lambda: os.environ.__setitem__("ORDERDESK_API_KEY", "wrong"))
        at(5.96, (project.path / "pipeline.toml").touch)
        at(8.0, lambda: os.environ.__setitem__("ORDERDESK_API_KEY", SECRETS["ORDERDESK_API_KEY"]))


class _Week:
    """What the process and the ledger hold, each evening."""

    def __init__(self) -> None:
        self.handles: list[int] = []
        self.threads: list[int] = []
        self.memory: list[int] = []
        self.ledger: list[int] = []

    def evening(self, project: ProjectFolder) -> None:
        gc.collect()
        if not tracemalloc.is_tracing():
            tracemalloc.start(1)  # all that is loaded once is loaded by now
        self.handles.append(_handles())
        self.threads.append(_threads())
        self.memory.append(_memory())
        self.ledger.append(_used(project.path / "var" / "ledger.db"))

    def prove(self) -> None:
        said = str(vars(self))
        assert self.handles[-1] <= self.handles[1] + 2, said
        assert self.threads[-1] <= self.threads[1], said
        # A leak grows day by day; one busy evening, with a call or a thread still under way, is none.
        assert min(self.memory[-2:]) - self.memory[1] < 600_000, said
        assert self.ledger[5] - self.ledger[1] < 4 * 3 * 12_000, said
        assert self.ledger[6] <= self.ledger[5], said


def _memory() -> int:
    """Bytes held by our code and its libraries since the first evening; the far side keeps all it was sent."""
    found = tracemalloc.take_snapshot().statistics("filename")
    ours = (one for one in found if "site-packages" in (name := one.traceback[0].filename) or "/pipeline/" in name)
    return sum(one.size for one in ours if "/sandbox/" not in one.traceback[0].filename)


def _used(ledger: Path) -> int:
    """Bytes of the ledger that hold something, also those that have not left the log of the database yet."""
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
    return int((pages - free) * size)


def _handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0


def _threads() -> int:
    return threading.active_count()


def test_a_paused_account_is_asked_ever_less_often(
    project: ProjectFolder, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERDESK_API_KEY", "wrong")
    poll_seconds(project, 120)
    project.drop("orders_1.csv", order_row("1001"))
    heard, _ = simulate(project, {}, 3 * HOUR)
    asked = [call for call in sandbox.calls if call.target == "orderdesk"]
    assert 3 <= len(asked) <= 60, len(asked)
    assert sum("is paused:" in line for line in heard.lines) == 1, heard.text()  # said once
    assert sum(line == "Reading orders_1.csv" for line in heard.lines) == 1, heard.text()


def test_an_unreachable_target_is_tried_again_when_due(project: ProjectFolder, sandbox: SandboxServer) -> None:
    sandbox.faults.add([Fault("throttle", target="orderdesk", times=12)])
    poll_seconds(project, 120)
    project.drop("orders_1.csv", order_row("1001"))
    simulate(project, {}, 3 * HOUR)
    assert orders(sandbox) == Counter({"1001": 1})


def test_what_never_arrived_is_sent_again_though_the_settle_time_is_longer_than_a_spell_of_sending(
    project: ProjectFolder, sandbox: SandboxServer
) -> None:
    settings = project.path / "pipeline.toml"
    settings.write_text(settings.read_text().replace("settle_seconds = 0.5", "settle_seconds = 90"))
    sandbox.faults.add([Fault("drop_before", target="orderdesk", times=1, only_writes=True)])
    project.drop("orders_1.csv", order_row("1001"))
    simulate(project, {}, HOUR)
    assert orders(sandbox) == Counter({"1001": 1})


def test_a_pickup_missed_while_nothing_watched_is_made_up_once(project: ProjectFolder, sandbox: SandboxServer) -> None:
    cupboard = Cupboard()
    start = datetime(2026, 1, 5, 20, tzinfo=UTC).timestamp()
    with misbehaving(cupboard) as server:
        pickup(project, server.settings(schedule="0 6 * * *", after="delete"))
        poll_seconds(project, 600)
        simulate(project, {}, HOUR, start=start)
        assert cupboard.connections == 0  # seen for the first time: nothing was missed
        cupboard.files["orders_1.csv"] = (project.drop("x.part", order_row("1001"))).read_bytes()
        heard, _ = simulate_until(
            project, start + 3 * DAY, lambda heard: orders(sandbox)["1001"] and "partner: 1 fetched" in heard.text()
        )
        assert orders(sandbox) == Counter({"1001": 1}), heard.text()
        assert heard.lines.count("Fetching from partner.") == 1, heard.text()  # three were missed
        assert cupboard.files == {}
        assert "partner: 1 fetched" in heard.text()


def simulate_until(project: ProjectFolder, start: float, what: Callable[[Heard], object]) -> tuple[Heard, FakeClock]:
    """Watch with a clock that moves a second per look, until something is true: a pickup has a thread of its own.

    How long that takes depends on the machine; the clock stands after five minutes, so that nothing else falls due.
    """
    heard, stop, clock, given_up = Heard(), threading.Event(), FakeClock(start), time.monotonic() + 100

    class Slowly(Bell):
        def wait(self, seconds: float, stop: threading.Event) -> None:
            super().wait(min(seconds, 0.1), stop)
            clock.time = min(clock.time + 1, start + 300)
            if what(heard) or time.monotonic() > given_up:
                stop.set()

    watch(project.path, stop, heard, bell=Slowly(), clock_of=lambda: clock)
    return heard, clock


def test_a_pickup_that_fails_does_not_hold_up_the_inbox(project: ProjectFolder, sandbox: SandboxServer) -> None:
    cupboard = Cupboard()
    start = datetime(2026, 1, 5, 20, tzinfo=UTC).timestamp()
    with misbehaving(cupboard) as server:
        port, server.port = server.port, 1
        pickup(project, server.settings(schedule="@hourly"))
        simulate(project, {}, HOUR / 2, start=start)
        project.drop("orders_1.csv", order_row("1001"))
        heard, _ = simulate_until(project, start + DAY, lambda _: orders(sandbox)["1001"])
        assert "cannot be reached" in heard.text() or "Fetching from partner" in heard.text()
        assert orders(sandbox)["1001"] == 1
        assert port != 1


def test_a_pickup_whose_disk_goes_away_ends_itself_and_not_the_watch(
    project: ProjectFolder, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("pipeline.side_work.fetch", gone)
    start = datetime(2040, 1, 5, 20, tzinfo=UTC).timestamp()
    key = "SHA256:" + "x" * 43
    pickup(project, Server(1, "partner", key, "/out", password="right").settings(schedule="@hourly"))
    poll_seconds(project, 600)
    script: dict[float, Callable[[], object]] = {2 * HOUR: lambda: project.drop("orders_1.csv", order_row("1001"))}
    heard, _ = simulate(project, script, 3 * HOUR, start=start, pool=Inline())
    assert orders(sandbox)["1001"] == 1
    assert "Pickup partner: [Errno 5] Input/output error It is tried again" in heard.text()
    assert heard.text().count("Fetching from partner") < 20  # it rests ever longer


def test_wrong_settings_leave_the_old_ones_in_force(project: ProjectFolder, sandbox: SandboxServer) -> None:
    path = project.path / "pipeline.toml"
    good = path.read_text()
    script: dict[float, Callable[[], object]] = {
        60: lambda: path.write_text(good + "\n[nonsense]\n"),
        120: lambda: project.drop("orders_1.csv", order_row("1001")),
        180: lambda: path.write_text(good),
        240: lambda: project.drop("orders_2.csv", order_row("1002")),
    }
    heard, _ = simulate(project, script, 600)
    assert orders(sandbox) == Counter({"1001": 1, "1002": 1})
    assert "Going on with the settings from before" in heard.text()


def test_a_wrong_schema_stops_its_feed_only(project: ProjectFolder, sandbox: SandboxServer) -> None:
    schema = project.path / "schemas" / "order.py"
    script: dict[float, Callable[[], object]] = {
        60: lambda: (schema.parent.mkdir(), schema.write_text("this is no Python")),
        120: lambda: project.drop("orders_1.csv", order_row("1001")),
    }
    heard, _ = simulate(project, script, 300)
    assert orders(sandbox) == Counter()
    assert (project.path / "inbox" / "orders_1.csv").exists()
    assert "Feed orders is stopped" in heard.text()
    schema.unlink()
    simulate(project, {}, 300)
    assert orders(sandbox) == Counter({"1001": 1})


def test_an_inbox_that_is_gone_for_a_while_is_no_end(project: ProjectFolder, sandbox: SandboxServer) -> None:
    inbox, away = project.path / "inbox", project.path / "away"
    script: dict[float, Callable[[], object]] = {
        60: lambda: (inbox.rename(away), inbox.write_text("not a folder")),
        900: lambda: (inbox.unlink(), away.rename(inbox), project.drop("orders_1.csv", order_row("1001"))),
    }
    poll_seconds(project, 120)
    simulate(project, script, 2 * HOUR)
    assert orders(sandbox) == Counter({"1001": 1})


def test_without_the_ledger_nothing_goes_on(project: ProjectFolder, sandbox: SandboxServer) -> None:
    ledger = project.path / "var" / "ledger.db"

    def damage() -> None:
        ledger.write_bytes(b"no database at all" * 1000)
        for rest in ledger.parent.glob("ledger.db-*"):
            rest.unlink()

    project.drop("orders_1.csv", order_row("1001"))
    simulate(project, {}, 60)
    damage()
    with pytest.raises(LedgerError):
        simulate(project, {}, 60)
