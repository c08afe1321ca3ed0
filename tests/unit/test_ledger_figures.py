"""The figures of the balance: the same whoever asks for them, and there without loading what a run needs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from pipeline.closing.balance import balance
from pipeline.errors import LedgerError
from pipeline.ledger import batches as files
from pipeline.ledger import deliveries as book
from pipeline.ledger.batches import Accepted
from pipeline.ledger.engine import open_engine
from pipeline.ledger.figures import Figures, figures, quick_figures
from pipeline.ledger.migrate import _config
from pipeline.ledger.tables import deliveries
from pipeline.model import DeliverTo, Record
from pipeline.status import read_status

HEAVY = (
    "pandas",
    "numpy",
    "pandera",
    "pyarrow",
    "sqlalchemy",
    "alembic",
    "httpx",
    "yaml",
    "rich",
    "openpyxl",
    "defusedxml",
)
SETTINGS = """
[accounts.shop]
target = "orderdesk"
store_id = "1"
api_key = { env = "NOBODY_SET_THIS" }
[accounts.crm]
target = "keap"
api_key = { env = "NOBODY_SET_THIS" }
"""
NOW = 1_767_600_000.0


def filled(url: str) -> None:
    """Two files: one with three deliveries, one refused; an account paused."""
    engine = open_engine(url)
    with engine.begin() as connection:
        taken, refused = (_begin(connection, name) for name in ("a.csv", "ü.csv"))
        records = [Record("order", key, {"order_id": key}) for key in "123"]
        accepted = Accepted(
            "acme", "f", {}, ("Order",), (DeliverTo("shop", "order"),), "update", records, (), 4, 3, 0, 1, ("a note",)
        )
        files.accept(connection, taken, accepted, NOW)
        book.move(connection, 2, "in_doubt", NOW)
        files.refuse(connection, refused, {"reason_code": "no_feed", "reason": "None fits.", "advice": "Rename it."})
        book.pause(connection, "shop", "bad_key", "The key is wrong.", NOW)
    engine.dispose()


def _begin(connection: sa.Connection, name: str) -> files.Batch:
    return files.begin(
        connection,
        {"link": name, "file_name": name, "sha256": "0", "size": 1, "received_at": NOW, "path": f"var/work/{name}"},
    )


def test_the_figures_are_what_the_ledger_holds(ledger_url: str) -> None:
    filled(ledger_url)
    engine = open_engine(ledger_url)
    with engine.connect() as connection:
        found = figures(connection)
        batches, counts = files.listed(connection), book.counts(connection)
        assert dict(found.paused) == book.paused(connection)
    engine.dispose()
    assert Counter(found.deliveries) == Counter(counts)
    assert [(f.file_name, f.state, f.rows_read, list(f.notes), f.reason) for f in found.files] == [
        (b.file_name, b.state, b.rows_read, list(b.notes or ()), b.reason) for b in batches
    ]
    told = balance(found, {"shop": "orderdesk"})
    assert told["balanced"]
    assert told["files"][0]["deliveries"] | {"waiting": 2, "in_doubt": 1} == told["files"][0]["deliveries"]


def test_tallies_follow_whatever_moves_comes_or_goes(ledger_url: str) -> None:
    filled(ledger_url)
    engine = open_engine(ledger_url)
    with engine.begin() as connection:
        ids = connection.execute(sa.select(deliveries.c.id).order_by(deliveries.c.id)).scalars().all()
        book.move(connection, ids[0], "delivered", NOW)
        book.move(connection, ids[0], "delivered", NOW, tries=2)  # the same state again is no move
        connection.execute(sa.update(deliveries).where(deliveries.c.id.in_(ids[:2])).values(state="refused"))
        connection.execute(sa.delete(deliveries).where(deliveries.c.id == ids[1]))
    with engine.connect() as connection:
        assert Counter(figures(connection, recount=True).deliveries) == Counter(book.counts(connection))
    with engine.connect() as connection:
        book.move(connection, ids[0], "waiting", NOW)
        connection.rollback()
    with engine.connect() as connection:
        assert Counter(figures(connection, recount=True).deliveries) == Counter(book.counts(connection))
    engine.dispose()


def test_a_tally_that_is_wrong_is_found_by_a_recount(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    filled(url)
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE tallies SET number = number + 1 WHERE state = 'waiting'"))
    engine.dispose()
    quick_figures(url)
    with pytest.raises(LedgerError, match="does not add up"):
        quick_figures(url, recount=True)


def test_a_ledger_from_before_the_tallies_is_counted_once(ledger_url: str) -> None:
    filled(ledger_url)
    engine = open_engine(ledger_url)
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0003")
    assert "tallies" not in sa.inspect(engine).get_table_names()
    engine.dispose()
    engine = open_engine(ledger_url)
    with engine.connect() as connection:
        assert figures(connection, recount=True).deliveries
    engine.dispose()


def test_both_ways_of_asking_get_the_same_answer(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a folder #1' / 'ledger.db'}"
    filled(url)
    engine = open_engine(url)
    with engine.connect() as connection:
        asked = figures(connection)
    engine.dispose()
    assert quick_figures(url) == asked


def test_a_ledger_that_is_not_there_has_no_figures_and_is_not_made(tmp_path: Path) -> None:
    assert quick_figures(f"sqlite:///{tmp_path / 'none.db'}") == Figures()
    assert not (tmp_path / "none.db").exists()


def test_a_file_in_the_place_of_its_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("no folder")
    with pytest.raises(LedgerError, match="Not a directory"):
        quick_figures(f"sqlite:///{tmp_path / 'var' / 'ledger.db'}")


def test_what_only_sqlalchemy_can_read_is_left_to_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    open_engine(url).dispose()
    assert quick_figures("postgresql+psycopg://user@host/db") is None
    assert quick_figures(f"{url}?timeout=5") is None
    (tmp_path / "ledger.db").write_bytes(b"")
    assert quick_figures(url) is None


def test_a_damaged_ledger_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"no database at all, only text" * 100)
    with pytest.raises(LedgerError, match="damaged"):
        quick_figures(f"sqlite:///{tmp_path / 'ledger.db'}")


def test_status_makes_or_migrates_a_ledger_that_is_not_up_to_date(tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").write_text(SETTINGS)
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "ledger.db").write_bytes(b"")
    told, code = read_status(tmp_path)
    assert (told["files"], told["accounts"][0]["target"], code) == ([], "orderdesk", 0)
    assert quick_figures(f"sqlite:///{tmp_path / 'var' / 'ledger.db'}") == Figures([], [], [])


def test_status_is_told_without_loading_what_a_run_needs(tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").write_text(SETTINGS)
    filled(f"sqlite:///{tmp_path / 'var' / 'ledger.db'}")
    program = (
        "import sys\nfrom pipeline.cli import cli\n"
        f"code = cli.main(['status', '--project', {str(tmp_path)!r}, '--json'], standalone_mode=False)\n"
        f"print(code, sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "3 []"
    assert [entry["state"] for entry in json.loads(done.stdout)["files"]] == ["delivering", "refused"]
