"""What a watch shows of itself: metrics, health, word to systemd. Driven as a process, as a service manager does."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from project import ProjectFolder, order_row
from prometheus_client.parser import text_string_to_metric_families

from pipeline.events import Event
from pipeline.monitor.systemd import told
from pipeline.monitor.vitals import STALLED_AFTER, Vitals
from pipeline.sandbox import all_targets
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.server import SandboxServer
from pipeline.settings import Supervisor, supervisor

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer) -> ProjectFolder:
    made = ProjectFolder.make(tmp_path / "p", sandbox.base_urls())
    settings = made.path / "pipeline.toml"
    settings.write_text('[monitor]\nlisten = "127.0.0.1:0"\n' + settings.read_text())
    settings.write_text(
        settings.read_text().replace("settle_seconds = 0\n", "settle_seconds = 0\npoll_seconds = 0.5\n")
    )
    return made


class Watched:
    """A watch under way, and what it said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        assert process.stderr is not None
        self._reader = threading.Thread(target=lambda: self.said.extend(process.stderr or ()), daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Once it has ended."""
        self.process.wait()
        self._reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    @property
    def url(self) -> str:
        until(lambda: "Metrics and health" in "".join(self.said))
        return re.findall(r"(http://[^/]+)/metrics", "".join(self.said))[0]

    def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        request = urllib.request.Request(self.url + path, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def metrics(self) -> dict[str, float]:
        """By name and labels, as ``name{account=shop,state=delivered}``."""
        status, text = self.get("/metrics")
        assert status == 200
        found = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
                found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
        return found


@contextmanager
def watching(project: ProjectFolder) -> Iterator[Watched]:
    process = project.popen("watch")
    watched = Watched(process)
    try:
        yield watched
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=40) == 0
    finally:
        process.kill()
        watched.close()


def until(what: Callable[[], object], seconds: float = 40) -> None:
    """Wait for something to become true: the watch is another process."""
    end, tick = time.monotonic() + seconds, threading.Event()
    while not what():
        assert time.monotonic() < end, "it did not happen"
        tick.wait(0.1)


def test_metrics_tell_of_successes_first_then_of_what_waits(project: ProjectFolder, sandbox: SandboxServer) -> None:
    sandbox.faults.add([Fault("unauthorized", target="orderdesk", times=1, only_writes=True)])
    project.drop("orders_1.csv", order_row("1001"))
    begun = time.time() - 1
    with watching(project) as watch:
        until(lambda: watch.metrics()["orderdrop_account_paused{account=shop}"] == 1)
        project.drop("orders_2.csv", order_row("1002", qty="two"))  # the new file ends the account's rest
        (project.path / "pipeline.toml").touch()
        until(lambda: watch.metrics()["orderdrop_deliveries{account=shop,state=delivered}"] == 1)
        until(lambda: watch.metrics()["orderdrop_workbooks_waiting"] == 1)
        told = watch.metrics()
        names = list(told)
        assert names[:3] == [f"orderdrop_last_{what}_timestamp_seconds" for what in ("file_taken", "delivery", "pass")]
        assert all(begun < told[name] <= time.time() for name in names[:3])
        assert told["orderdrop_account_paused{account=shop}"] == 0
        assert told["orderdrop_doubts{account=shop}"] == 0
        assert told["orderdrop_call_seconds_count{account=shop}"] >= 2
        assert told["orderdrop_files{state=closed}"] == 2
        assert told["orderdrop_ledger_readable"] == 1
        page = watch.get("/metrics")[1]
    documented = (ROOT / "docs" / "operating.md").read_text()
    families = {family.name for family in text_string_to_metric_families(page) if family.name.startswith("orderdrop")}
    assert [name for name in families if f"`{name}" not in documented] == []
    assert "anna" not in page
    assert "1001" not in page


def test_a_doubt_has_an_age_and_metrics_outlive_a_restart(project: ProjectFolder, sandbox: SandboxServer) -> None:
    settings = project.path / "pipeline.toml"
    project.drop("orders_1.csv", order_row("1001"))
    project.run()
    settings.write_text(settings.read_text().replace("settle_seconds = 0.5", "settle_seconds = 3600"))
    sandbox.faults.add([Fault("drop_before", target="orderdesk", times=1, only_writes=True)])
    project.drop("orders_2.csv", order_row("1002"))
    with watching(project) as watch:
        until(lambda: watch.metrics().get("orderdrop_doubts{account=shop}") == 1)
        told = watch.metrics()
    assert 0 < told["orderdrop_oldest_doubt_seconds{account=shop}"] < 600
    assert told["orderdrop_last_delivery_timestamp_seconds"] > time.time() - 600


def test_ready_says_why_not(project: ProjectFolder) -> None:
    settings = project.path / "pipeline.toml"
    with watching(project) as watch:
        assert watch.get("/ping") == (200, "alive\n")
        until(lambda: watch.get("/ready") == (200, "ready\n"))
        good = settings.read_text()
        settings.write_text(good.replace("store_id", "stor_id"))
        until(lambda: watch.get("/ready")[0] == 503)
        assert "stor_id" in watch.get("/ready")[1]
        settings.write_text(good)
        until(lambda: watch.get("/ready") == (200, "ready\n"))


def test_only_three_pages_can_be_got_and_nothing_be_done(project: ProjectFolder) -> None:
    with watching(project) as watch:
        for path in ("/", "/pipeline.toml", "/../pipeline.toml", "/metrics/..%2f..%2fetc/passwd", "/ready/"):
            assert watch.get(path)[0] == 404
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "HEAD"):
            assert watch.get("/metrics", method)[0] == 501
        host, port = watch.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as rude:
            rude.sendall(b"GET /" + b"x" * 100_000 + b" HTTP/1.0\r\n\r\n")
            assert b" 414 " in rude.recv(100)
        crowd = [socket.create_connection((host, int(port)), timeout=20) for _ in range(40)]
        until(lambda: any(_closed(one) for one in crowd))  # the seventeenth visitor at once is turned away
        for one in crowd:
            one.close()
        until(lambda: _got(watch))


def _closed(visitor: socket.socket) -> bool:
    visitor.settimeout(0.01)
    try:
        return visitor.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def _got(watch: Watched) -> bool:
    try:
        return watch.get("/ping")[0] == 200
    except OSError:
        return False


@pytest.mark.parametrize("listen", ["9464", "localhost:9464", "127.0.0.1:99999", "127.0.0.1:"])
def test_an_address_that_is_none_is_refused(project: ProjectFolder, listen: str) -> None:
    settings = project.path / "pipeline.toml"
    settings.write_text(settings.read_text().replace("127.0.0.1:0", listen))
    called = project.call("watch")
    assert (called.code, "[monitor] listen" in called.err) == (2, True), called.err


def test_an_address_that_is_taken_is_told(project: ProjectFolder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = project.path / "pipeline.toml"
        settings.write_text(settings.read_text().replace("127.0.0.1:0", f"127.0.0.1:{other.getsockname()[1]}"))
        called = project.call("watch")
    assert (called.code, "cannot be listened on" in called.err) == (2, True), called.err


# --- systemd -----------------------------------------------------------------------------------------------------


@pytest.fixture
def notified(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(40)
        yield listener


def test_systemd_hears_ready_alive_and_stopping(project: ProjectFolder, notified: socket.socket) -> None:
    project.secrets = {**project.secrets, "NOTIFY_SOCKET": notified.getsockname(), "WATCHDOG_USEC": "400000"}
    process = project.popen("watch")
    try:
        heard = notified.recv(1000)
        while heard == b"WATCHDOG=1":
            heard = notified.recv(1000)
        assert heard.startswith(b"READY=1\n")
        assert notified.recv(1000) == b"WATCHDOG=1"
        process.send_signal(signal.SIGTERM)
        while heard != b"STOPPING=1\nSTATUS=Stopping":
            heard = notified.recv(1000)
        assert process.wait(timeout=40) == 0
    finally:
        process.kill()
        process.communicate()


def test_a_watch_that_is_stuck_is_not_told_alive(notified: socket.socket) -> None:
    now = [0.0]
    vitals = Vitals(lambda: now[0])
    with told(Supervisor(notified.getsockname(), 0.1), vitals, threading.Event()):
        assert notified.recv(100) == b"WATCHDOG=1"
        now[0] = STALLED_AFTER + 1
        assert vitals.stalled
        notified.settimeout(0.05)
        _left(notified)
        with pytest.raises(TimeoutError):
            notified.recv(100)
        notified.settimeout(20)
        vitals.note(Event.ROUND)
        assert notified.recv(100) == b"WATCHDOG=1"


def _left(notified: socket.socket) -> None:
    """Hear what was under way."""
    with suppress(TimeoutError):
        for _ in range(3):
            notified.recv(100)


def test_what_systemd_asks_for() -> None:
    assert supervisor({}) == Supervisor()
    assert supervisor({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "3000000"}) == Supervisor("@x", 3.0)
    assert supervisor({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}) == Supervisor("@x")
