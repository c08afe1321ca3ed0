"""A run that a scheduler starts meets a mapping that is wrong: people hear of it once, then are reminded."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from listeners import Hook, http_hook
from project import ProjectFolder, order_row

from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer


@pytest.fixture
def hook() -> Iterator[Hook]:
    with http_hook() as hook:
        yield hook


@pytest.fixture
def project(tmp_path: Path, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProjectFolder]:
    monkeypatch.setenv("HOOK", hook.address)
    with SandboxServer(all_targets()) as sandbox:
        project = ProjectFolder.make(tmp_path / "p", sandbox.base_urls())
        settings = project.path / "pipeline.toml"
        settings.write_text(settings.read_text() + '[alerts.channels.hook]\nurl = { env = "HOOK" }\n')
        yield project


def told(hook: Hook) -> list[str]:
    return [one["message"] for one in hook.got if "Feed orders is stopped" in one["message"]]


def test_a_wrong_mapping_is_told_once_then_reminded_of_then_settled(project: ProjectFolder, hook: Hook) -> None:
    mapping = project.path / "mappings" / "orders.yaml"
    good = mapping.read_text()
    mapping.write_text(good.replace("parse: money", "parse: mony"))
    project.drop("orders_1.csv", order_row("1001"))
    for _ in range(2):
        called = project.run()
        assert called.code == 2
        assert "mony" in called.err
    assert len(told(hook)) == 1
    assert (project.path / "inbox" / "orders_1.csv").exists()
    with closing(sqlite3.connect(project.path / "var" / "ledger.db")) as ledger, ledger:
        ledger.execute("UPDATE alerts SET told_at = told_at - 90000")  # more than a day has passed
    assert project.run().code == 2
    assert len(told(hook)) == 2
    assert "Still open" in told(hook)[1]
    mapping.write_text(good)
    assert project.run().code == 0
    assert "Settled, nothing more to do" in hook.got[-1]["message"]


def test_a_wrong_schema_is_told_too(project: ProjectFolder, hook: Hook) -> None:
    (project.path / "schemas").mkdir()
    (project.path / "schemas" / "order.py").write_text("this is no Python")
    project.drop("orders_1.csv", order_row("1001"))
    assert project.run().code == 2
    assert len(told(hook)) == 1


def test_nothing_is_touched_where_nobody_is_to_be_told(project: ProjectFolder, hook: Hook) -> None:
    settings = project.path / "pipeline.toml"
    settings.write_text(settings.read_text().partition("[alerts")[0])
    mapping = project.path / "mappings" / "orders.yaml"
    mapping.write_text(mapping.read_text().replace("parse: money", "parse: mony"))
    assert project.run().code == 2
    assert not (project.path / "var").exists()
    assert hook.calls == 0
