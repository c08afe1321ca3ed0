"""Orders in one file and their lines in another, through the command line: they wait for each other, are taken, known
again and archived together, and the workbook that comes back needs no partner.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from project import ProjectFolder

from pipeline.intake.claim import claim
from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer

SHAPES = Path(__file__).parents[1] / "feeds" / "shapes"
LINES, HEADS = "two_files_lines.csv", "two_files_heads.csv"


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer) -> ProjectFolder:
    made = ProjectFolder.make(tmp_path / "p", sandbox.base_urls())
    shutil.copy(SHAPES / "two_files_lines.yaml", made.path / "mappings")
    return made


def drop(project: ProjectFolder, name: str, into: str = "inbox") -> Path:
    (project.path / into).mkdir(exist_ok=True)
    return Path(shutil.copy(SHAPES / name, project.path / into))


def orders(sandbox: SandboxServer) -> list[str]:
    return sorted(order["source_id"] for order in sandbox.truth()["orderdesk"]["orders"])


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (LINES, HEADS, "two_files_lines.csv waits for its partner, two_files_heads"),
        (HEADS, LINES, "two_files_heads.csv waits for its lines, two_files_lines"),
    ],
)
def test_each_waits_for_the_other_and_both_end_in_the_archive(
    project: ProjectFolder, sandbox: SandboxServer, first: str, second: str, said: str
) -> None:
    waiting = drop(project, first)
    alone = project.run()
    assert said in alone.err + alone.out
    assert waiting.exists()
    assert alone.json()["files"] == []

    drop(project, second)
    both = project.run()
    assert both.code == 1, both.err
    (entry,) = both.json()["files"]
    assert entry["file"] == LINES
    assert entry["rows"] == {"read": 6, "accepted": 3, "rejected": 3, "skipped": 0}
    assert orders(sandbox) == ["R-1", "R-2"]
    assert [path.name for path in (project.path / "inbox").iterdir() if path.suffix == ".csv"] == []
    assert sorted(path.name for path in (project.path / "var" / "archive").rglob("*.csv")) == [HEADS, LINES]
    assert not list((project.path / "var" / "work").rglob("*.csv"))


def test_the_same_two_files_are_known_again_and_a_new_partner_is_new(
    project: ProjectFolder, sandbox: SandboxServer
) -> None:
    for _ in range(2):
        drop(project, LINES), drop(project, HEADS)
        done = project.run()
    assert [entry["state"] for entry in done.json()["files"]] == ["closed", "duplicate"]
    drop(project, LINES)
    heads = drop(project, HEADS)
    heads.write_text(heads.read_text() + "R-3,2026-01-07,Eva Lind\n")
    project.run()
    assert orders(sandbox) == ["R-1", "R-2", "R-3"]


def test_the_workbook_carries_the_joined_columns_and_comes_back_alone(
    project: ProjectFolder, sandbox: SandboxServer
) -> None:
    drop(project, LINES), drop(project, HEADS)
    (entry,) = project.run().json()["files"]
    book = openpyxl.load_workbook(project.path / entry["workbook"])
    sheet = book["Fix these rows"]
    assert [cell.value for cell in sheet[1]][:6] == ["receipt", "article", "pieces", "price", "date", "buyer"]
    assert [cell.value for cell in sheet[3]][:6] == ["R-4", "POT", "x", "18.50", "2026-01-06", "Mara Silva"]
    sheet["C3"] = "3"
    sheet["E2"], sheet["F2"] = "2026-01-06", "Flo Marsh"
    (project.path / entry["workbook"]).unlink()
    book.save(project.path / "inbox" / "two_files_lines.errors.xlsx")
    again = project.run()
    back = next(each for each in again.json()["files"] if each["file"].endswith("xlsx"))
    assert back["rows"] == {"read": 3, "accepted": 2, "rejected": 1, "skipped": 0}, again.err
    assert orders(sandbox) == ["R-1", "R-2", "R-3", "R-4"]


def test_a_crash_between_the_two_claims_loses_neither(project: ProjectFolder, sandbox: SandboxServer) -> None:
    lines = drop(project, LINES)
    drop(project, HEADS)
    assert claim(lines, None, project.path / "var" / "work") is not None
    done = project.run()
    assert orders(sandbox) == ["R-1", "R-2"], done.err


def test_a_partner_that_is_gone_by_then_refuses_the_lines_in_words(project: ProjectFolder) -> None:
    claim(drop(project, LINES), None, project.path / "var" / "work")
    (entry,) = project.run().json()["files"]
    assert entry["state"] == "refused"
    told = openpyxl.load_workbook(project.path / entry["workbook"])
    assert "two_files_heads" in str([cell.value for sheet in told for row in sheet for cell in row])


def test_a_refused_pair_is_replayed_as_a_pair(project: ProjectFolder, sandbox: SandboxServer) -> None:
    drop(project, LINES)
    heads = drop(project, HEADS)
    heads.write_text(heads.read_text() + "R-9,2026-01-07,Eva Lind\n")
    (entry,) = project.run().json()["files"]
    assert entry["state"] == "refused"
    mapping = project.path / "mappings" / "two_files_lines.yaml"
    mapping.write_text(mapping.read_text().replace("on: {receipt: no}", "on: {receipt: no}, without_lines: ignore"))
    assert project.call("replay", "--file", LINES).code == 0
    assert project.run().code == 1
    assert orders(sandbox) == ["R-1", "R-2"]


def test_both_may_come_in_one_archive(project: ProjectFolder, sandbox: SandboxServer) -> None:
    for drops in (1, 2):
        with zipfile.ZipFile(project.path / "inbox" / "day.zip", "w") as archive:
            for name in (LINES, HEADS):
                archive.write(SHAPES / name, f"till/{name}")
        told = project.run()
        states = {entry["file"]: entry["state"] for entry in told.json()["files"]}
        assert states.get(LINES) == ("closed" if drops == 1 else "duplicate"), told.err
        assert orders(sandbox) == sorted(set(orders(sandbox)))
        assert orders(sandbox)
    assert project.status()["balanced"]
    assert not list((project.path / "var" / "work").iterdir())


def test_half_a_pair_in_an_archive_is_refused_or_waits_in_words(project: ProjectFolder, sandbox: SandboxServer) -> None:
    with zipfile.ZipFile(project.path / "inbox" / "day.zip", "w") as archive:
        archive.write(SHAPES / LINES, LINES)
    told = project.run()
    assert orders(sandbox) == []
    assert HEADS.removesuffix(".csv") in told.err + told.out, told.out + told.err


def test_preview_finds_the_partner_beside_the_file(project: ProjectFolder, tmp_path: Path) -> None:
    shutil.copy(SHAPES / LINES, tmp_path)
    assert "two_files_heads" in project.call("preview", str(tmp_path / LINES)).err
    shutil.copy(SHAPES / HEADS, tmp_path)
    shown = project.call("preview", "--json", str(tmp_path / LINES))
    assert shown.json()["rows"]["accepted"] == 3


def test_a_pair_in_a_feed_s_own_folder(project: ProjectFolder, sandbox: SandboxServer) -> None:
    drop(project, LINES, "inbox/two_files"), drop(project, HEADS, "inbox/two_files")
    project.run()
    assert orders(sandbox) == ["R-1", "R-2"]
