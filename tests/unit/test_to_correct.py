"""What waits for a person is read in slices, beside the original in blocks: the cut never shows in the workbook."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
import sqlalchemy as sa
from project import HEADER, ProjectFolder, order_row

from pipeline import to_correct
from pipeline.closing import passing, workbook
from pipeline.closing.sheet import SheetRow
from pipeline.hand_back import hand_back
from pipeline.intake.claim import claim
from pipeline.ledger import batches as files
from pipeline.ledger import unsettled
from pipeline.ledger.batches import Batch
from pipeline.ledger.tables import deliveries, rejections
from pipeline.project import Project, load_plan, opened
from pipeline.take_in import take_in
from pipeline.to_correct import RowsToCorrect, digest

URLS = dict.fromkeys(("orderdesk", "keap", "influencersoft", "kapture"), "http://127.0.0.1:9")
ROWS = [order_row(str(n // 2), qty="two" if n % 3 == 0 else "1") for n in range(40)]


@pytest.fixture
def project(tmp_path: Path, ledger_url: str) -> Iterator[Project]:
    folder = ProjectFolder.make(tmp_path / "p", URLS)
    settings = folder.path / "pipeline.toml"
    settings.write_text(f'{settings.read_text()}\n[ledger]\nurl = "{ledger_url}"\n')
    with opened(load_plan(folder.path, secrets=False)) as found:
        yield found


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every slice and block so small that this file has many."""
    monkeypatch.setattr(unsettled, "_SLICE", 3)
    monkeypatch.setattr(to_correct, "_BLOCK_ROWS", 4)
    monkeypatch.setattr(to_correct, "_TOGETHER", 2)
    monkeypatch.setattr(passing, "_CELLS_IN_HAND", 5)


def taken(project: Project, rows: list[str]) -> Batch:
    """A file in the ledger whose accepted orders an account has all refused."""
    path = project.folder / "inbox" / "orders.csv"
    path.write_text("\n".join((HEADER, *rows)) + "\n")
    claimed = claim(path, None, project.plan.settings.var / "work")
    assert claimed is not None
    batch = take_in(project, claimed)
    problems = [{"code": "no", "message": "Not this one.", "advice": "Ask.", "field": "sku"}]
    refused = sa.update(deliveries).values(state="refused", due_at=None, problems=problems)
    project.writer.write(lambda c: c.execute(refused) and None)
    return batch


def rows_of(project: Project, batch: Batch) -> list[SheetRow]:
    return list(RowsToCorrect(project, batch, project.folder / batch.path))


def test_rejected_and_refused_rows_come_in_the_order_of_the_file(project: Project) -> None:
    rows = rows_of(project, taken(project, ROWS))
    assert [row.number for row in rows] == list(range(2, 42))
    bad, held, refused, along = (rows[at] for at in (0, 1, 4, 5))
    assert [(p.column, p.held) for p in bad.problems] == [(10, False)]
    assert [p.held for p in held.problems] == [True]
    assert [(p.column, p.message, p.advice) for p in refused.problems] == [
        (8, "shop refused it: Not this one.", "Ask.")
    ]
    assert [p.message for p in along.problems] == ["This row belongs to 2: see row 6."]
    assert rows[5].cells[:2] == ("2", "01/05/2026")


@pytest.mark.usefixtures("small")
def test_slices_and_blocks_do_not_show(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = taken(project, ROWS)
    sliced, seen = rows_of(project, batch), digest(project, batch, ())
    monkeypatch.undo()
    assert sliced == rows_of(project, batch)
    assert seen == digest(project, batch, ())


def test_the_digest_is_of_all_problems_in_their_order(project: Project) -> None:
    batch = taken(project, ROWS)
    with project.engine.connect() as connection:
        told = connection.execute(sa.select(rejections).order_by(rejections.c.row, rejections.c.id)).all()
        refused = connection.execute(sa.select(deliveries).order_by(deliveries.c.id)).all()
    wrong = [[r.row, r.column, r.code, r.message] for r in told] + [[d.id, d.problems] for d in refused]
    assert digest(project, batch, ()) == hashlib.sha256(json.dumps(wrong).encode()).hexdigest()
    project.writer.write(lambda c: files.resolve_rows(c, batch.id, range(2, 42), batch.id))
    assert digest(project, batch, ()) is None


@pytest.mark.usefixtures("small")
def test_a_file_that_is_wrong_in_every_row_comes_back_in_parts_and_each_leads_back(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "ROWS_PER_WORKBOOK", 15)
    batch = taken(project, [order_row(str(n), qty="two") for n in range(40)])
    assert hand_back(project).unwritten == ()
    errors = project.plan.settings.errors
    names = ["orders.errors.part2.xlsx", "orders.errors.part3.xlsx", "orders.errors.xlsx"]
    assert sorted(path.name for path in errors.iterdir()) == names
    books = [openpyxl.load_workbook(errors / name) for name in (names[2], names[0], names[1])]
    assert [book["Fix these rows"].max_row - 1 for book in books] == [15, 15, 10]
    told = ["\n".join(str(c.value) for line in book["Summary"].iter_rows() for c in line) for book in books]
    assert [("Drop all parts back" in text) for text in told] == [True, True, False]
    assert "they go on in orders.errors.part2.xlsx" in told[0]

    project.writer.write(lambda c: files.resolve_rows(c, batch.id, range(2, 30), batch.id))
    assert hand_back(project).unwritten == ()
    assert [path.name for path in errors.iterdir()] == ["orders.errors.xlsx"]
    kept = sorted(path.name for path in (project.folder / "var" / "archive").glob("*/*/*.xlsx"))
    assert kept == names[:2]  # somebody may have worked in them


def test_a_part_left_behind_keeps_its_name(project: Project) -> None:
    errors = project.plan.settings.errors
    errors.mkdir(exist_ok=True)
    (errors / "orders.errors.part2.xlsx").write_bytes(b"of another file")
    taken(project, ROWS)
    assert hand_back(project).unwritten == ()
    assert sorted(path.name for path in errors.iterdir()) == ["orders.errors (2).xlsx", "orders.errors.part2.xlsx"]
