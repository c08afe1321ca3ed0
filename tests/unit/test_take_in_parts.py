"""A long file goes into the ledger part by part, and nobody sees a part before all of it is there."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from project import HEADER, ProjectFolder, order_row

from pipeline import judging, take_in
from pipeline.errors import LedgerError
from pipeline.events import Event
from pipeline.intake.claim import Claim, claim, unfinished
from pipeline.ledger import batches as files
from pipeline.ledger import deliveries as book
from pipeline.ledger import standing
from pipeline.ledger.figures import figures
from pipeline.ledger.tables import deliveries, rejections
from pipeline.model import DeliverTo, Encoded, Record, Rejection, encoded_records
from pipeline.progress import Quiet
from pipeline.project import Project, load_plan, opened
from pipeline.reading.table import Found, Table
from pipeline.reshaping import unfolding
from pipeline.run import run
from pipeline.staged import clear_unfinished

NOW = 1_767_600_000.0
URLS = dict.fromkeys(("orderdesk", "keap", "influencersoft", "kapture"), "http://127.0.0.1:9")
BAD = Rejection(3, "Qty", "two", "bad_number", "no number", "write one", "quantity", "7")


@pytest.fixture
def project(tmp_path: Path, ledger_url: str) -> Iterator[Project]:
    folder = ProjectFolder.make(tmp_path / "p", URLS)
    settings = folder.path / "pipeline.toml"
    settings.write_text(f'{settings.read_text()}\n[ledger]\nurl = "{ledger_url}"\n')
    with opened(load_plan(folder.path, secrets=False)) as found:
        yield found


def dropped(project: Project, rows: list[str], name: str = "orders.csv") -> Claim:
    path = project.folder / "inbox" / name
    path.write_text("\n".join((HEADER, *rows)) + "\n")
    claimed = claim(path, None, project.plan.settings.var / "work")
    assert claimed is not None
    return claimed


def held(project: Project) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """What the ledger holds, but for ids and times: deliveries, rejections."""
    columns, told = deliveries.c, rejections.c
    with project.engine.connect() as connection:
        kept = connection.execute(sa.select(columns.record_key, columns.fingerprint, columns.record, columns.state))
        named = connection.execute(sa.select(told.row, told.column, told.code, told.message, told.record_key))
        return (
            sorted((k, f, json.dumps(r, sort_keys=True), s) for k, f, r, s in kept),
            sorted(tuple(map(str, row)) for row in named),
        )


def staged(project: Project) -> files.Batch:
    batch = project.writer.write(
        lambda c: files.begin(
            c, {"link": "k", "file_name": "k.csv", "sha256": "0", "size": 1, "received_at": NOW, "path": "var/work/k"}
        )
    )
    record = Record("order", "7", {"order_id": "7"})
    to = (DeliverTo("shop", "order"),)
    project.writer.write(lambda c: files.stage(c, batch.id, to, encoded_records([record]), [BAD], NOW))
    return batch


def test_a_part_is_seen_by_nobody_before_the_whole_is_there(project: Project) -> None:
    batch = staged(project)

    def seen() -> list[object]:
        with project.engine.connect() as connection:
            told = figures(connection)
            found = [
                book.due(connection, "shop", NOW, 9), book.next_due(connection, "shop"), book.by_key(connection, "7"),
                book.in_states(connection, "waiting"), book.counts(connection), told.deliveries,
                files.rejections_of_key(connection, "7"), standing.operations_of(connection, "shop"),
                standing.known_at(connection, "shop", {"order": frozenset({"order"})}).standings,
                standing.first_at(connection, "shop"),
            ]  # fmt: skip
        return [bool(one) for one in found]

    assert not any(seen())
    accepted = files.Accepted("orders", "f", {}, ("Qty",), (), "update", (), (), 2, 1, 1, 0)
    project.writer.write(lambda c: files.finish(c, batch, accepted))
    assert all(seen())


def test_a_start_takes_away_what_a_killed_run_left_of_a_file(project: Project) -> None:
    batch = staged(project)
    clear_unfinished(project)
    with project.engine.connect() as connection:
        assert not files.has_staged(connection, batch.id)
        assert files.get(connection, batch.id).state == "claimed"


@pytest.mark.parametrize("policy", ["row", "order", "file"])
@pytest.mark.parametrize("good_only", [False, True])
def test_part_by_part_comes_to_what_one_go_comes_to(
    project: Project, monkeypatch: pytest.MonkeyPatch, policy: str, good_only: bool
) -> None:
    mapping = project.folder / "mappings" / "orders.yaml"
    mapping.write_text(mapping.read_text().replace("record: order\n", f"record: order\nreject: {policy}\n"))
    chance = random.Random(7)
    keys = [*(str(n // 2) for n in range(40)), *chance.sample([str(n) for n in range(20)], 9)]
    rows = [order_row(key, qty="two" if n % 7 == 0 and not good_only else "1") for n, key in enumerate(keys)]
    first = take_in.take_in(project, dropped(project, rows))
    whole = held(project)
    with project.engine.begin() as connection:
        for table in (deliveries, rejections):
            connection.execute(sa.delete(table))
        connection.execute(sa.update(files.batches).values(sha256="another"))
    monkeypatch.setattr(judging, "BLOCK_ROWS", 6)
    monkeypatch.setattr(judging, "BLOCKS_OF_A_SHORT_FILE", 1)
    monkeypatch.setattr(take_in, "TOGETHER", 2)
    second = take_in.take_in(project, dropped(project, rows))
    assert held(project) == whole
    counts = [(b.rows_read, b.rows_accepted, b.rows_rejected, b.rows_skipped) for b in (first, second)]
    assert counts[0] == counts[1]
    assert counts[0][0] == len(rows)


def test_rows_that_become_several_are_read_fewer_at_a_time(project: Project) -> None:
    header = ("Order #", *(f"{name} {n}" for n in range(1, 9) for name in ("SKU", "Qty")))
    plain = judging.Recognised(
        project.plan.mappings["orders"], Table(header, Found("csv"), lambda _rows: iter(())), False
    )
    numbered = unfolding({"SKU": ("SKU {n}",), "Qty": ("Qty {n}",)}, None, header, "orders")
    assert numbered is not None
    assert judging._block_rows(plain, None) == 8 * judging._block_rows(plain, numbered)


def test_what_ends_half_way_is_taken_away_and_the_file_read_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "BLOCK_ROWS", 6)
    monkeypatch.setattr(judging, "BLOCKS_OF_A_SHORT_FILE", 1)
    monkeypatch.setattr(take_in, "TOGETHER", 2)
    claimed = dropped(project, [order_row(str(n // 2)) for n in range(40)])
    stage = files.stage

    def full_disk(
        connection: sa.Connection, batch: int, deliver: object, records: list[Encoded], *rest: object
    ) -> None:
        stage(connection, batch, deliver, records, *rest)  # type: ignore[arg-type]
        if any(record.key == "7" for record in records):
            raise LedgerError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(files, "stage", full_disk)
        with pytest.raises(LedgerError, match="full"):
            take_in.take_in(project, claimed)
    deliveries_left, _ = held(project)
    assert 0 < len(deliveries_left) < 20
    assert take_in.take_in(project, claimed).rows_accepted == 40
    assert len(held(project)[0]) == 20


class StopAt(Quiet):
    """Asks for a stop once the file is so far."""

    def __init__(self, doing: str, rows: int) -> None:
        self.stop = threading.Event()
        self._until = doing, rows

    def say(self, text: str, event: Event, **facts: Any) -> None:
        if text.startswith(self._until[0]) and facts.get("rows", 0) >= self._until[1]:
            self.stop.set()


@pytest.mark.parametrize("at", [("Reading", 6), ("Checking", 6), ("Checking", 24)])
def test_a_stop_is_heeded_between_the_blocks_of_a_long_file_and_loses_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, at: tuple[str, int]
) -> None:
    monkeypatch.setattr(judging, "BLOCK_ROWS", 6)
    monkeypatch.setattr(judging, "BLOCKS_OF_A_SHORT_FILE", 1)
    monkeypatch.setattr(take_in, "TOGETHER", 2)
    path = project.folder / "inbox" / "orders.csv"
    path.write_text("\n".join((HEADER, *(order_row(str(n // 2)) for n in range(40)))) + "\n")
    asked = StopAt(*at)
    report = run(project, asked.stop, asked)
    assert asked.stop.is_set()
    assert report.batches == ()
    assert any("The next run reads it." in remark for remark in report.remarks)
    with project.engine.connect() as connection:
        assert [batch.state for batch in files.listed(connection)] == ["claimed"]
        assert book.counts(connection) == []
    (found,) = unfinished(project.plan.settings.var / "work")
    batch = take_in.take_in(project, found)
    assert (batch.state, batch.rows_accepted) == ("delivering", 40)
    assert len(held(project)[0]) == 20
