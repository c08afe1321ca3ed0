"""A preview of a long file looks at its first rows and says so; all of it only on request."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from project import ProjectFolder, order_row

from pipeline import preview as room
from pipeline.cli import cli
from pipeline.preview import preview
from pipeline.project import load_plan

URLS = dict.fromkeys(("orderdesk", "keap", "influencersoft", "kapture"), "http://127.0.0.1:9")
ROWS = [order_row(str(n), qty="two" if n % 2 else "1") for n in range(1, 9)]


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    return ProjectFolder.make(tmp_path / "p", URLS)


def test_of_a_long_file_the_first_rows_are_looked_at(project: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_ROWS", 5)
    file, plan = project.drop("orders_1.csv", *ROWS), load_plan(project.path, secrets=False)
    first = preview(plan, file, None)
    assert first["partial"]
    assert first["rows"] == {"read": 5, "accepted": 2, "rejected": 3, "skipped": 0}
    assert [r["row"] for r in first["rejections"]] == [2, 4, 6]
    assert {r["key"] for r in first["requests"]} == {"2", "4"}
    assert "Only the first 5 rows were looked at" in first["notes"][-1]
    whole = preview(plan, file, None, whole=True)
    assert not whole["partial"]
    assert whole["rows"] == {"read": 8, "accepted": 4, "rejected": 4, "skipped": 0}
    assert not any("Only the first" in note for note in whole["notes"])


def test_a_file_of_just_so_many_rows_is_looked_at_whole(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_ROWS", 8)
    told = preview(load_plan(project.path, secrets=False), project.drop("orders_1.csv", *ROWS), None)
    assert (told["partial"], told["rows"]["read"]) == (False, 8)
    assert told["beyond"] == {"rejections": 0, "records": 0}


def test_what_is_beyond_the_most_that_is_told_is_counted(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_TOLD", 2)
    file = project.drop("orders_1.csv", *ROWS)
    told = preview(load_plan(project.path, secrets=False), file, None)
    assert [r["row"] for r in told["rejections"]] == [2, 4]
    assert len(told["requests"]) >= 2
    assert told["beyond"]["rejections"] == 2
    assert len({r["key"] for r in told["requests"]}) + told["beyond"]["records"] == 4
    said = CliRunner().invoke(cli, ["preview", str(file), "--project", str(project.path)]).output
    assert "… and 2 more rejections." in said
