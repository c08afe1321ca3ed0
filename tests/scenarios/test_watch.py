"""The watch: as a process a person starts and stops, and through days of simulated time."""

from __future__ import annotations

import gc
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from project import ORDERS_YAML, SECRETS, ProjectFolder, order_row
from sftp_servers import Cupboard, misbehaving
from shelf import FakeClock

from pipeline.errors import LedgerError
from pipeline.events import Event
from pipeline.intake.bell import Bell
from pipeline.sandbox import all_targets
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.server import SandboxServer
from pipeline.watch import watch

HOUR, DAY = 3600.0, 86400.0


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    for name, value in (SECRETS | {"PARTNER_PASSWORD": "right"}).items():
        monkeypatch.setenv(name, value)
    return ProjectFolder.make(tmp_path / "p", sandbox.base_urls())


def orders(sandbox: SandboxServer) -> Counter[str]:
    return Counter(order["source_id"] for order in sandbox.truth()["orderdesk"]["orders"])


def until(what: Callable[[], object], seconds: float = 40) -> None:
    """Wait for something to become true: the watch is another process, or another thread."""
    end, tick = time.monotonic() + seconds, threading.Event()
    while not what():
        assert time.monotonic() < end, "it did not happen"
        tick.wait(0.05)


class Heard:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str, event: Event, **facts: object) -> None:
        self.lines.append(text)

    def note(self, event: Event, **facts: object) -> None:
        pass

    def advance(self) -> None:
        pass

    def text(self) -> str:
        return "\n".join(self.lines)


class Days(Bell):
    """Time that passes while the watch waits; ``script`` is played at its times, and the end stops the watch."""

    def __init__(self, clock: FakeClock, stop: threading.Event, script: dict[float, Callable[[], object]], end: float):
        super().__init__()
        self.clock = clock
        self.stop = stop
        self.script = sorted(script.items())
        self.start = clock.time
        self.end = end
        self.rounds = 0

    def wait(self, seconds: float, stop: threading.Event) -> None:
        self.rounds += 1
        assert seconds > 0
        self.clock.time += seconds
        while self.script and self.clock.time - self.start >= self.script[0][0]:
            self.script.pop(0)[1]()
        if self.clock.time - self.start >= self.end:
            self.stop.set()


def simulate(
    project: ProjectFolder,
    script: dict[float, Callable[[], object]],
    end: float,
    start: float | None = None,
    stop: threading.Event | None = None,
) -> tuple[Heard, Days]:
    """Watch for ``end`` seconds that pass in no time."""
    heard, stop = Heard(), stop or threading.Event()
    clock = FakeClock(start if start is not None else time.time() + DAY)
    days = Days(clock, stop, script, end)
    watch(project.path, stop, heard, bell=days, clock_of=lambda: clock)
    return heard, days


def pickup(project: ProjectFolder, settings: str) -> None:
    path = project.path / "pipeline.toml"
    path.write_text(path.read_text() + settings + "\n")


def poll_seconds(project: ProjectFolder, seconds: float) -> None:
    path = project.path / "pipeline.toml"
    path.write_text(path.read_text().replace("settle_seconds = 0\n", f"settle_seconds = 0\npoll_seconds = {seconds}\n"))


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


# --- days that pass in no time -----------------------------------------------------------------------------------


def test_a_week_with_drops_and_outages_loses_nothing_and_grows_nothing(
    project: ProjectFolder, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.watch.IDLE_PASS_SECONDS", HOUR)
    poll_seconds(project, HOUR)
    script: dict[float, Callable[[], object]] = {}
    handles: list[int] = []
    threads: list[int] = []
    for day in range(7):
        name, number = f"orders_{day}.csv", f"10{day:02d}"
        script[day * DAY + 6 * HOUR] = lambda n=name, o=number: project.drop(n, order_row(o))  # type: ignore[misc]
        script[day * DAY + 6 * HOUR - 1] = lambda: sandbox.faults.add([Fault("throttle", target="orderdesk", times=2)])
        script[day * DAY + 20 * HOUR] = lambda: (gc.collect(), handles.append(_handles()), threads.append(_threads()))
    heard, days = simulate(project, script, 7 * DAY)
    assert orders(sandbox) == Counter(f"10{day:02d}" for day in range(7))
    assert not any(sandbox.duplicates().values())
    assert handles[-1] <= handles[0] + 2, handles
    assert threads[-1] <= threads[0], threads
    assert days.rounds < 7 * (24 + 20)  # a round per hour, and a few per drop
    assert len(heard.lines) < 100
    assert (project.path / "var" / "ledger.db").stat().st_size < 1_000_000


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


def test_a_pickup_missed_while_nothing_watched_is_made_up_once(project: ProjectFolder, sandbox: SandboxServer) -> None:
    cupboard = Cupboard()
    start = datetime(2026, 1, 5, 20, tzinfo=UTC).timestamp()
    with misbehaving(cupboard) as server:
        pickup(project, server.settings(schedule="0 6 * * *", after="delete"))
        poll_seconds(project, 600)
        simulate(project, {}, HOUR, start=start)
        assert cupboard.connections == 0  # seen for the first time: nothing was missed
        cupboard.files["orders_1.csv"] = (project.drop("x.part", order_row("1001"))).read_bytes()
        heard, _ = simulate_until(project, start + 3 * DAY, lambda: orders(sandbox)["1001"])
        assert cupboard.connections == 1, heard.text()  # three were missed
        assert cupboard.files == {}
        assert "partner: 1 fetched" in heard.text()


def simulate_until(project: ProjectFolder, start: float, what: Callable[[], object]) -> tuple[Heard, FakeClock]:
    """Watch with a clock that moves a second per look, until something is true: a pickup has a thread of its own."""
    heard, stop, clock = Heard(), threading.Event(), FakeClock(start)

    class Slowly(Bell):
        def wait(self, seconds: float, stop: threading.Event) -> None:
            super().wait(min(seconds, 0.1), stop)
            clock.time += 1
            if what() or clock.time > start + 300:
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
        heard, _ = simulate_until(project, start + DAY, lambda: orders(sandbox)["1001"])
        assert "cannot be reached" in heard.text() or "Fetching from partner" in heard.text()
        assert orders(sandbox)["1001"] == 1
        assert port != 1


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
