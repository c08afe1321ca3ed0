"""An error that nobody foresaw ends what it happened in, and nothing else: it is said, and people hear of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from inline import Inline
from listeners import Hook, http_hook
from project import HEADER, SECRETS, ProjectFolder, order_row
from sftp_servers import Server
from watched import HOUR, Heard, orders, pickup, poll_seconds, simulate

from pipeline.events import Event
from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer

START = datetime(2040, 1, 5, 20, tzinfo=UTC).timestamp()


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def hook() -> Iterator[Hook]:
    with http_hook() as hook:
        yield hook


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    for name, value in (SECRETS | {"PARTNER_PASSWORD": "right", "HOOK": hook.address}).items():
        monkeypatch.setenv(name, value)
    project = ProjectFolder.make(tmp_path / "p", sandbox.base_urls())
    poll_seconds(project, 600)
    pickup(project, '[alerts.channels.hook]\nurl = { env = "HOOK" }')
    return project


class Broken:
    """Stands in for a part of the program that has an error in it, for as long as ``times`` says."""

    def __init__(self, times: int, then: Callable[..., Any]) -> None:
        self.calls = 0
        self._times = times
        self._then = then

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        if self.calls <= self._times:
            raise KeyError("anna@example.com")
        return self._then(*args, **kwargs)


def told(hook: Hook) -> str:
    return "\n".join(one["message"] for one in hook.got)


def drops(project: ProjectFolder) -> dict[float, Callable[[], object]]:
    return {2 * HOUR: lambda: project.drop("orders_1.csv", order_row("1001"))}


def is_told_of(heard: Heard, hook: Hook, what: str) -> None:
    said = [line for line in heard.lines if line.startswith(f"{what}: an error in orderdrop itself (KeyError")]
    assert said, heard.text()
    assert "anna@example.com" not in heard.text()
    assert f"{what}: an error in orderdrop itself (KeyError" in told(hook)


def test_in_a_pickup(
    project: ProjectFolder, sandbox: SandboxServer, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Broken(10_000, lambda *_: None)
    monkeypatch.setattr("pipeline.side_work.fetch", broken)
    pickup(project, Server(1, "partner", "SHA256:" + "x" * 43, "/out", password="right").settings(schedule="@hourly"))
    heard, _ = simulate(project, drops(project), 4 * HOUR, start=START, pool=Inline())
    assert orders(sandbox) == {"1001": 1}
    is_told_of(heard, hook, "Pickup partner")
    assert "Pickup partner cannot fetch: an error in orderdrop itself" in told(hook)
    assert Event.FAULT in heard.events
    assert 4 <= broken.calls < 25  # it rests ever longer


def test_in_the_comparison(
    project: ProjectFolder, sandbox: SandboxServer, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.comparing import compare_now

    monkeypatch.setattr("pipeline.side_work.compare_now", Broken(3, compare_now))
    pickup(project, '[reconcile]\nschedule = "@hourly"')
    heard, _ = simulate(project, drops(project), 4 * HOUR, start=START, pool=Inline())
    assert orders(sandbox) == {"1001": 1}
    is_told_of(heard, hook, "The comparison with the targets")
    assert "Compared with shop" in heard.text()  # it was tried again
    assert "Settled, nothing more to do" in told(hook)


def test_in_telling_people(
    project: ProjectFolder, sandbox: SandboxServer, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.tell import tell

    broken = Broken(6, tell)
    monkeypatch.setattr("pipeline.side_work.tell", broken)
    heard, days = simulate(project, drops(project), 4 * HOUR, start=START, pool=Inline())
    assert orders(sandbox) == {"1001": 1}
    assert "Telling people: an error in orderdrop itself (KeyError" in heard.text()
    assert broken.calls > 6
    assert days.rounds < 600


def test_in_a_pass(project: ProjectFolder, sandbox: SandboxServer, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.hand_back import hand_back

    monkeypatch.setattr("pipeline.run.hand_back", Broken(4, hand_back))
    heard, _ = simulate(project, drops(project), 4 * HOUR, start=START, pool=Inline())
    assert orders(sandbox) == {"1001": 1}
    is_told_of(heard, hook, "A pass")
    assert "Settled, nothing more to do" in told(hook)


def test_in_one_file_of_many(
    project: ProjectFolder, sandbox: SandboxServer, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline import take_in
    from pipeline.judging import judge

    broken = Broken(10_000, judge)

    def stumbles(plan: Any, recognised: Any, *rest: Any) -> Any:
        return (judge if len(recognised.table.header) == 12 else broken)(plan, recognised, *rest)

    monkeypatch.setattr(take_in, "judge", stumbles)
    script = drops(project) | {
        1.9 * HOUR: lambda: project.drop("orders_0.csv", f"{order_row('1000')},x", header=f"{HEADER},Odd")
    }
    heard, _ = simulate(project, script, 2.4 * HOUR, start=START, pool=Inline())
    assert orders(sandbox) == {"1001": 1}
    is_told_of(heard, hook, "Reading orders_0.csv")
    monkeypatch.setattr(take_in, "judge", judge)  # as a new version would read it
    simulate(project, {}, HOUR, start=START + 3 * HOUR, pool=Inline())
    assert orders(sandbox) == {"1001": 1, "1000": 1}


def test_in_the_drain_of_an_account(
    project: ProjectFolder, sandbox: SandboxServer, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.delivery.deliver import Drain

    monkeypatch.setattr("pipeline.delivery.deliver.Drain", Broken(3, Drain))
    heard, _ = simulate(project, drops(project), 4 * HOUR, start=START, pool=Inline())
    assert orders(sandbox) == {"1001": 1}
    is_told_of(heard, hook, "A pass")


def test_in_a_look(project: ProjectFolder, sandbox: SandboxServer, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.intake.folder import look

    monkeypatch.setattr("pipeline.watch.look", Broken(3, look))
    heard, _ = simulate(project, drops(project), 4 * HOUR, start=START, pool=Inline())
    assert orders(sandbox) == {"1001": 1}
    assert "A look of the watch: an error in orderdrop itself (KeyError" in heard.text()


@pytest.mark.parametrize(
    ("instead", "says"),
    [
        (Path.mkdir, "mappings/ is empty, or cannot be listed. "),
        (partial(Path.write_text, data="no folder"), "mappings is a file and has to be a folder. "),
    ],
)
def test_an_unreadable_folder_of_mappings_is_no_reason_to_refuse_files(
    project: ProjectFolder, sandbox: SandboxServer, hook: Hook, instead: Callable[[Path], object], says: str
) -> None:
    mappings, away = project.path / "mappings", project.path / "elsewhere"
    script = drops(project) | {
        HOUR: lambda: (mappings.rename(away), instead(mappings)),
        3 * HOUR: lambda: (
            mappings.rename(away.with_name("gone")),
            away.rename(mappings),
            os.utime(away.parent / "pipeline.toml"),
        ),
    }
    heard, _ = simulate(project, script, 6 * HOUR, start=START, pool=Inline())
    assert orders(sandbox) == {"1001": 1}
    assert says in heard.text()
    assert "Going on with the settings from before." in heard.text()
