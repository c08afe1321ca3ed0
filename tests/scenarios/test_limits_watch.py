"""A share that goes and comes back under a running watch, clocks that are set, and the nights they change."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from limits import small_disk
from project import HEADER, SECRETS, Called, ProjectFolder, order_row
from shelf import FakeClock

from pipeline.events import Event
from pipeline.intake.bell import Bell
from pipeline.ledger import deliveries as book
from pipeline.ledger.engine import open_engine
from pipeline.ledger.tables import batches, deliveries, steps
from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer
from pipeline.watch import watch

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
needs_faketime = pytest.mark.skipif(
    FAKETIME is None, reason="no libfaketime here (Debian: apt-get install libfaketime)"
)


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer) -> ProjectFolder:
    made = ProjectFolder.make(tmp_path / "p", sandbox.base_urls())
    settings = made.path / "pipeline.toml"
    settings.write_text(
        settings.read_text().replace("settle_seconds = 0\n", "settle_seconds = 0\npoll_seconds = 0.5\n")
    )
    return made


def orders(sandbox: SandboxServer) -> Counter[str]:
    return Counter(order["source_id"] for order in sandbox.truth()["orderdesk"]["orders"])


def until(what: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something to become true: the watch is another process."""
    end, tick = time.monotonic() + seconds, threading.Event()
    while not what():
        assert time.monotonic() < end, "it did not happen"
        tick.wait(0.1)


@contextmanager
def watching(project: ProjectFolder) -> Iterator[list[str]]:
    """Yields what it says; in the end it is stopped, and has to end well."""
    process, said = project.popen("watch"), []
    reader = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    reader.start()
    try:
        yield said
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
        reader.join()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()


def test_a_share_that_goes_is_told_once_and_what_comes_back_with_it_is_taken(
    project: ProjectFolder, sandbox: SandboxServer
) -> None:
    inbox, away = project.path / "inbox", project.path / "away"
    project.drop("orders_1.csv", order_row("1001"))
    with watching(project) as said:
        until(lambda: orders(sandbox)["1001"])
        until(lambda: not list(inbox.iterdir()))
        inbox.rename(away)
        until(lambda: any("inbox/ cannot be listed" in line for line in said))
        threading.Event().wait(2)  # several looks: nothing must be made in its place, nothing told again
        assert not inbox.exists()
        (away / "orders_2.csv").write_text(f"{HEADER}\n{order_row('1002')}\n")
        away.rename(inbox)
        until(lambda: orders(sandbox)["1002"])
        until(lambda: any("inbox/ is back" in line for line in said))
        assert sum("inbox/ cannot be listed" in line for line in said) == 1
    assert orders(sandbox) == Counter(["1001", "1002"])
    assert project.status()["balanced"]


def test_a_disk_that_is_taken_away_and_mounted_again(project: ProjectFolder, sandbox: SandboxServer) -> None:
    inbox = project.path / "inbox"
    with watching(project) as said:
        until(lambda: any("Watching" in line for line in said))
        with small_disk(inbox, "size=4m"):
            project.drop("orders_1.csv", order_row("1001"))
            until(lambda: orders(sandbox)["1001"])  # another file system: copied, then removed there
        project.drop("orders_2.csv", order_row("1002"))
        until(lambda: orders(sandbox)["1002"])
    assert orders(sandbox) == Counter(["1001", "1002"])


def test_a_run_without_its_inbox_waits_and_makes_none(project: ProjectFolder, sandbox: SandboxServer) -> None:
    project.drop("orders_1.csv", order_row("1001"))
    assert project.run().code == 0
    (project.path / "inbox").rename(project.path / "away")
    called = project.call("run")
    assert (called.code, "If it is on a share, connect it" in called.err) == (3, True), called.err
    assert not (project.path / "inbox").exists()
    (project.path / "away").rename(project.path / "inbox")
    assert project.run().code == 0


# --- clocks ------------------------------------------------------------------------------------------------------


def at(project: ProjectFolder, moment: str, *arguments: str, zone: str = "UTC") -> Called:
    """The command as if it were ``moment`` (as of libfaketime: ``+1d``, or a time at which it starts)."""
    environment = {**project.environment(), "LD_PRELOAD": str(FAKETIME), "FAKETIME": moment, "TZ": zone}
    environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"  # waiting would never end
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", *arguments, "--project", str(project.path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    ) as process:  # fmt: skip
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return Called(process.returncode, out, err)


@needs_faketime
@pytest.mark.parametrize("ahead", ["+2d", "-2d"])
def test_work_put_off_by_a_clock_that_was_wrong_is_done_when_it_is_right(
    project: ProjectFolder, sandbox: SandboxServer, ahead: str
) -> None:
    settings = project.path / "pipeline.toml"
    good = settings.read_text()
    settings.write_text(
        good.replace(str(sandbox.base_urls()["orderdesk"]), "http://127.0.0.1:9").replace("= 3\n", "= 0\n")
    )
    project.drop("orders_1.csv", order_row("1001"))
    assert at(project, ahead, "run").code == 3
    settings.write_text(good)
    called = project.call("run")
    assert called.code == 0, called.err
    assert orders(sandbox) == Counter(["1001"])
    project.drop("orders_2.csv", order_row("1002"))
    assert at(project, ahead, "run").code == 0
    project.drop("orders_1.csv", order_row("1001"))  # the same bytes again, at another time
    assert project.run().code == 0
    assert orders(sandbox) == Counter(["1001", "1002"])
    assert project.status()["balanced"]


@needs_faketime
@pytest.mark.parametrize("night", ["@2026-03-08 06:59:58", "@2026-11-01 05:59:58", "@2026-12-31 23:59:58"])
def test_the_nights_the_clocks_change(project: ProjectFolder, sandbox: SandboxServer, night: str) -> None:
    project.drop("orders_1.csv", order_row("1001"), order_row("1002", qty="two"))
    called = at(project, night, "run", zone="America/New_York")
    assert called.code == 1, called.err
    project.drop("orders_2.csv", order_row("1003"))
    assert at(project, night, "run", zone="America/New_York").code == 1
    assert orders(sandbox) == Counter(["1001", "1003"])
    assert project.status()["balanced"]


class SetClock(FakeClock):
    """A clock that somebody sets."""

    offset = 0.0


class Looks(Bell):
    """Plays one step of a script after each look, and then stops."""

    def __init__(self, stop: threading.Event, script: list[Callable[[], object]]) -> None:
        super().__init__()
        self._stop = stop
        self._script = script

    def wait(self, seconds: float, stop: threading.Event) -> None:
        if self._script:
            self._script.pop(0)()
        else:
            self._stop.set()


def test_a_watch_notices_that_its_clock_was_set(project: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    told: list[tuple[Event, dict[str, object]]] = []

    class Heard:
        def say(self, text: str, event: Event, **facts: object) -> None:
            told.append((event, facts))

        def note(self, event: Event, **facts: object) -> None:
            pass

        def advance(self) -> None:
            pass

    clock, stop = SetClock(time.time()), threading.Event()
    script = [lambda: None, lambda: setattr(clock, "offset", 1.0), lambda: setattr(clock, "offset", -3600.0)]
    watch(project.path, stop, Heard(), bell=Looks(stop, script), clock_of=lambda: clock)
    assert [facts for event, facts in told if event is Event.CLOCK_WAS_SET] == [{"seconds": -3601.0}]


def test_doubts_count_anew_and_nothing_waits_for_the_future(ledger_url: str) -> None:
    engine, now = open_engine(ledger_url), 1_000_000.0
    day = now + 86400
    with engine.begin() as connection:
        connection.execute(sa.insert(batches).values(
            id=1, link="x", file_name="x", state="delivering", sha256="0", size=1, received_at=now, path="x"
        ))  # fmt: skip
        for number, (account, state, due, changed) in enumerate([
            ("shop", "waiting", day, day), ("shop", "waiting", now + 600, now - 5), ("shop", "in_doubt", day, day),
            ("shop", "delivered", None, day), ("crm", "waiting", day, day), ("shop", "in_doubt", None, day),
        ], start=1):  # fmt: skip
            connection.execute(sa.insert(deliveries).values(
                id=number, batch_id=1, account=account, operation="order", record_key=str(number), fingerprint="0",
                record={}, state=state, due_at=due, created_at=now, updated_at=changed,
            ))  # fmt: skip
        connection.execute(sa.insert(steps).values(
            id=1, delivery_id=3, name="order", state="intended", request={}, doubt_since=now - 7200
        ))  # fmt: skip
        book.not_from_the_future(connection, "shop", now)
        book.doubt_anew(connection, now)
        due = dict(connection.execute(sa.select(deliveries.c.id, deliveries.c.due_at)).all())
        assert due == {1: now, 2: now + 600, 3: now, 4: None, 5: day, 6: None}
        assert connection.execute(sa.select(steps.c.doubt_since)).scalar() == now
    engine.dispose()
