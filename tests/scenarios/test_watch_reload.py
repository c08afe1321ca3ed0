"""What changes under a running watch: secrets stay hidden, and what takes a restart is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from project import SECRETS, ProjectFolder, order_row
from watched import HOUR, orders, simulate

from pipeline.events import Event
from pipeline.log_file import NAME, LogFile
from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer
from pipeline.secret import Secret
from pipeline.trail import LogChoice, Trail


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return ProjectFolder.make(tmp_path / "p", sandbox.base_urls())


def test_a_secret_changed_under_a_running_watch_is_hidden_in_its_log_and_the_old_one_stays_so(
    project: ProjectFolder, tmp_path: Path
) -> None:
    settings, key = project.path / "pipeline.toml", project.path / "key"
    key.write_text("first-Zq7w")
    settings.write_text(settings.read_text().replace('{ env = "ORDERDESK_API_KEY" }', '{ file = "key" }'))
    known = [Secret("first-Zq7w", "a test")]
    trail = Trail(LogChoice("json", "info", known, LogFile(tmp_path)), aloud=False)
    script: dict[float, Callable[[], object]] = {
        HOUR: lambda: (key.write_text("second/Xk9v"), settings.write_text(settings.read_text() + "\n"))
    }
    simulate(project, script, 2 * HOUR, secrets=known)
    trail.say("first-Zq7w, second/Xk9v, second%2FXk9v", Event.REMARK)
    (line,) = (tmp_path / NAME).read_text().splitlines()
    assert json.loads(line)["message"] == "***, ***, ***"


def test_a_changed_address_of_the_monitor_is_said_to_take_a_restart(
    project: ProjectFolder, sandbox: SandboxServer
) -> None:
    settings = project.path / "pipeline.toml"
    script: dict[float, Callable[[], object]] = {
        HOUR: lambda: settings.write_text(settings.read_text() + '[monitor]\nlisten = "127.0.0.1:9464"\n'),
        2 * HOUR: lambda: project.drop("orders_1.csv", order_row("1001")),
    }
    heard, _ = simulate(project, script, 3 * HOUR)
    assert heard.text().count("[monitor] has changed: that takes a restart") == 1
    assert orders(sandbox) == {"1001": 1}
