"""kill -9 during a run, at many points; then run again. By the sandbox's own count nothing is lost, nothing twice."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from project import ProjectFolder, order_row

from pipeline.sandbox import all_targets
from pipeline.sandbox.contract import Call, Reply, SimulatedTarget
from pipeline.sandbox.server import SandboxServer

ORDERS = 4


class Assassin:
    """A target that kills the caller at its n-th call: before the work, or after it and before the answer."""

    def __init__(self, target: SimulatedTarget, at_call: int, moment: str) -> None:
        self.name = target.name
        self._target = target
        self._left = at_call
        self._moment = moment
        self.victim: subprocess.Popen[str] | None = None
        self.killed = threading.Event()

    def handle(self, call: Call) -> Reply:
        if self._moment == "before":
            self._strike()
        reply = self._target.handle(call)
        if self._moment == "after":
            self._strike()
        return reply

    def _strike(self) -> None:
        self._left -= 1
        if self._left == 0 and self.victim is not None:
            self.victim.send_signal(signal.SIGKILL)
            self.killed.set()

    def truth(self) -> dict[str, Any]:
        return self._target.truth()

    def writes(self, call: Call) -> bool:
        return self._target.writes(call)


def shop_and_others(assassin_at: int, moment: str) -> tuple[list[Any], Assassin]:
    shop, *others = all_targets()
    assassin = Assassin(shop, assassin_at, moment)
    return [assassin, *others], assassin


def run_to_the_end(project: ProjectFolder) -> None:
    for _ in range(4):
        called = project.run()
        assert "Traceback" not in called.err
        if called.code == 0:
            return
    raise AssertionError(f"the work was never finished: {called.err}\n{called.out}")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("at_call", range(1, 2 * ORDERS + 1))
def test_killed_at_each_call(tmp_path: Path, at_call: int, moment: str) -> None:
    targets, assassin = shop_and_others(at_call, moment)
    with SandboxServer(targets) as sandbox:
        project = ProjectFolder.make(tmp_path / "p", sandbox.base_urls(), settle=0.2)
        project.drop("orders_1.csv", *(order_row(str(n)) for n in range(ORDERS)))
        assassin.victim = project.popen("run")
        assassin.victim.communicate(timeout=60)
        assert assassin.killed.is_set()
        assert assassin.victim.returncode == -signal.SIGKILL
        assassin.victim = None
        run_to_the_end(project)
        truth = Counter(order["source_id"] for order in sandbox.truth()["orderdesk"]["orders"])
    assert truth == {str(n): 1 for n in range(ORDERS)}
    status = project.status()
    assert status["balanced"]
    assert sum(f["deliveries"]["delivered"] for f in status["files"]) == ORDERS


@pytest.mark.slow
@pytest.mark.parametrize("milliseconds", range(100, 3100, 60))
def test_killed_at_any_time(tmp_path: Path, milliseconds: int) -> None:
    with SandboxServer(all_targets()) as sandbox:
        project = ProjectFolder.make(tmp_path / "p", sandbox.base_urls(), settle=0.2)
        project.drop("orders_1.csv", *(order_row(str(n)) for n in range(30)), order_row("bad", qty="x"))
        for again in range(3):
            victim = project.popen("run")
            with contextlib.suppress(subprocess.TimeoutExpired):
                victim.communicate(timeout=(milliseconds + 37 * again) / 1000)
            if victim.poll() is None:
                os.kill(victim.pid, signal.SIGKILL)
                victim.communicate(timeout=60)
        for _ in range(4):
            if project.run().code == 1:  # the one bad row waits for a person
                break
        truth = Counter(order["source_id"] for order in sandbox.truth()["orderdesk"]["orders"])
    assert truth == {str(n): 1 for n in range(30)}
    assert len(project.workbooks()) == 1
    assert not list((project.path / "inbox").iterdir())
