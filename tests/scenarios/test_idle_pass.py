"""A pass with nothing to do costs the same however long the ledger is: no question of it looks at a whole table."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from inline import Inline
from listeners import http_hook
from project import SECRETS, ProjectFolder, order_row
from shelf import FakeClock

from pipeline.intake.bell import Bell
from pipeline.progress import Quiet
from pipeline.project import load_good_plan, opened
from pipeline.run import one_pass
from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer
from pipeline.side_work import SideWork
from pipeline.tell import look, tell

_GROWING = ("batches", "deliveries", "rejections", "steps", "attempts", "fetched")
_PARTIAL = ("batches_with_workbook", "batches_not_put_away", "deliveries_unsettled", "steps_intended")
_SCAN = re.compile(rf"SCAN (?:{'|'.join(_GROWING)})\b(?! USING (?:COVERING )?INDEX (?:{'|'.join(_PARTIAL)}))")
_BACKWARDS = ("ORDER BY steps.id DESC", "ORDER BY attempts.id DESC")
"""Walks back from the newest send, and stops at the first that did something."""
_ANY_FILE = re.compile(r"SELECT batches\.id\s+FROM batches\s+LIMIT \S+ OFFSET \S+")
"""Whether the ledger knows of any file: the first row answers."""
PICKUP = """
[pickups.partner]
host = "127.0.0.1"
username = "u"
agent = true
remote = "/out/*.csv"
expect_by = "08:00"
"""


def test_no_question_of_an_idle_pass_looks_at_a_whole_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SandboxServer(all_targets()) as sandbox, http_hook() as hook:
        for name, value in (SECRETS | {"HOOK": hook.address}).items():
            monkeypatch.setenv(name, value)
        folder = ProjectFolder.make(tmp_path / "p", sandbox.base_urls())
        settings = folder.path / "pipeline.toml"
        more = "\n[alerts]\nnothing_delivered_hours = 1\n[alerts.channels.hook]\nurl = { env = 'HOOK' }\n"
        settings.write_text(settings.read_text() + PICKUP + more)
        folder.drop("orders_1.csv", order_row("1001"), order_row("1002", qty="two"))
        plan, _ = load_good_plan(folder.path)
        with opened(plan, FakeClock(2e9)) as project:
            stop = threading.Event()
            one_pass(project, stop, Quiet())
            tell(project, stop, Quiet(), {})
            asked = _listen(project.engine)
            one_pass(project, stop, Quiet())
            aside = SideWork(stop, Quiet(), None, Inline(), Bell())  # type: ignore[arg-type]
            aside.take_over(plan, {}, Quiet())
            aside.attend(project)
            aside.moments(project)
            assert len(hook.got) == 1
            assert look(project, {})
            plans = {text: _plan(project.engine, text, values) for text, values in list(asked.items())}
    assert len(plans) > 15
    scans = {
        text: steps
        for text, steps in plans.items()
        if _SCAN.search(steps) and not any(one in text for one in _BACKWARDS) and not _ANY_FILE.fullmatch(text.strip())
    }
    assert scans == {}


def _listen(engine: sa.Engine) -> dict[str, object]:
    asked: dict[str, object] = {}

    def heard(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE")):
            asked.setdefault(statement, parameters)

    sa.event.listen(engine, "before_cursor_execute", heard)
    return asked


def _plan(engine: sa.Engine, statement: str, parameters: object) -> str:
    with engine.connect() as connection:
        rows = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
    return "\n".join(row[3] for row in rows)
