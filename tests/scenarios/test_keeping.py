"""The ledger is backed up, put back with care, and forgets who people are; each by the command itself."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from filelock import FileLock
from project import SECRETS, ProjectFolder, order_row

from pipeline.cli import cli
from pipeline.sandbox import all_targets
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.server import SandboxServer


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return ProjectFolder.make(tmp_path / "p", sandbox.base_urls(), to=("shop", "school"))


def call(project: ProjectFolder, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--project", str(project.path)])


def run(project: ProjectFolder, code: int = 0) -> Result:
    ended = call(project, "run")
    assert ended.exit_code == code, ended.output
    return ended


def row(key: str) -> str:
    return order_row(key, sku="course-basic")


def age(project: ProjectFolder, days: float) -> None:
    """As if everything in the ledger had ended that long ago."""
    with sqlite3.connect(project.path / "var" / "ledger.db") as connection:
        connection.execute("UPDATE batches SET closed_at = closed_at - ?", (days * 86_400,))
    connection.close()


def test_a_backup_put_back_asks_before_it_sends_and_doubles_nothing(
    project: ProjectFolder, sandbox: SandboxServer, tmp_path: Path
) -> None:
    # At the time of the backup 1001 is delivered, and 1002 waits because nobody can be reached.
    project.drop("orders_1.csv", row("1001"))
    run(project)
    sandbox.faults.add([Fault("throttle", seconds=60, only_writes=True)])
    project.drop("orders_2.csv", row("1002"))
    run(project, 3)
    saved = tmp_path / "saved.db"
    told = call(project, "backup", str(saved))
    assert told.exit_code == 0, told.output
    # After it 1002 and 1003 go out; then the machine's disk is gone.
    sandbox.faults.clear()
    with sqlite3.connect(project.path / "var" / "ledger.db") as connection:
        connection.execute("UPDATE deliveries SET due_at = 0 WHERE state = 'waiting'")
    connection.close()
    third = project.drop("orders_3.csv", row("1003"))
    kept = shutil.copy(third, tmp_path / "orders_3.csv")
    run(project)
    (project.path / "var" / "ledger.db").write_bytes(b"broken")
    assert call(project, "run").exit_code == 4
    told = call(project, "restore", str(saved))
    assert told.exit_code == 0, told.output
    assert "ATTENTION" in told.output
    assert "orders_3.csv" in told.output
    with sqlite3.connect(project.path / "var" / "ledger.db") as connection:
        connection.execute("UPDATE deliveries SET due_at = 0 WHERE state = 'waiting'")
    connection.close()
    # The same file again, and one that is new; Order Desk can be asked, InfluencerSoft without its secret cannot.
    shutil.copy(kept, project.path / "inbox" / "orders_3.csv")
    project.drop("orders_4.csv", row("1004"))
    run(project, 1)
    truth = sandbox.truth()
    assert sorted(o["source_id"] for o in truth["orderdesk"]["orders"]) == ["1001", "1002", "1003", "1004"]
    assert sorted(o["tag"] for o in truth["influencersoft"]["orders"]) == ["1001", "1002", "1003", "1004"]
    doubts = json.loads(call(project, "doubt", "--json").output)["in_doubt"]
    assert [(d["account"], d["key"]) for d in doubts] == [("school", "1002"), ("school", "1003")]
    assert "restored from a backup" in doubts[0]["last_look"]
    for found in doubts:
        assert call(project, "doubt", "settle", str(found["id"]), "--as", "delivered").exit_code == 0
    assert call(project, "restore", "--done").exit_code == 0
    project.drop("orders_5.csv", row("1005"))
    run(project)
    assert not any(sandbox.duplicates().values())


def test_a_doubt_after_a_restore_can_be_sent_again(
    project: ProjectFolder, sandbox: SandboxServer, tmp_path: Path
) -> None:
    sandbox.faults.add([Fault("throttle", seconds=60)])
    project.drop("orders_1.csv", row("1001"))
    run(project, 3)
    assert call(project, "backup", str(tmp_path / "b.db")).exit_code == 0
    assert call(project, "restore", str(tmp_path / "b.db")).exit_code == 0
    sandbox.faults.clear()
    with sqlite3.connect(project.path / "var" / "ledger.db") as connection:
        connection.execute("UPDATE deliveries SET due_at = 0")
    connection.close()
    run(project, 1)
    (found,) = json.loads(call(project, "doubt", "--json").output)["in_doubt"]
    assert call(project, "doubt", "settle", str(found["id"]), "--as", "resend").exit_code == 0
    run(project)
    assert len(sandbox.truth()["influencersoft"]["orders"]) == 1


def test_a_backup_is_one_whole_ledger_and_never_overwrites(project: ProjectFolder, tmp_path: Path) -> None:
    assert call(project, "backup", str(tmp_path / "b.db")).exit_code == 2
    project.drop("orders_1.csv", row("1001"))
    run(project)
    with sqlite3.connect(project.path / "var" / "ledger.db") as writer:  # somebody writes meanwhile
        writer.execute("UPDATE batches SET notes = '[\"not committed\"]'")
        told = call(project, "backup", str(tmp_path / "b.db"))
        writer.rollback()
    writer.close()
    assert told.exit_code == 0, told.output
    with sqlite3.connect(tmp_path / "b.db") as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT notes FROM batches").fetchone() == ("[]",)
    copy.close()
    assert [p.name for p in tmp_path.glob("*b.db*")] == ["b.db"]
    again = call(project, "backup", str(tmp_path / "b.db"))
    assert again.exit_code == 2
    assert "exists already" in again.output


@pytest.mark.parametrize("kind", ["text", "empty", "missing", "cut", "middle", "other", "newer"])
def test_what_is_no_whole_ledger_is_not_put_back(project: ProjectFolder, tmp_path: Path, kind: str) -> None:
    project.drop("orders_1.csv", *(row(f"1{n:03}") for n in range(60)))
    run(project)
    ledger, bad = project.path / "var" / "ledger.db", tmp_path / "b.db"
    assert call(project, "backup", str(bad)).exit_code == 0
    content = bad.read_bytes()
    match kind:
        case "text":
            bad.write_bytes(b"no database at all " * 300)
        case "empty":
            bad.write_bytes(b"")
        case "missing":
            bad.unlink()
        case "cut":
            bad.write_bytes(content[: len(content) // 2])
        case "middle":
            pages = len(content) // 4096
            bad.write_bytes(content[: 4096 * (pages // 2)] + b"\xff" * 4096 + content[4096 * (pages // 2 + 1) :])
        case "other":
            bad.unlink()
            with sqlite3.connect(bad) as connection:
                connection.execute("CREATE TABLE t (a)")
            connection.close()
        case _:
            with sqlite3.connect(bad) as connection:
                connection.execute("UPDATE alembic_version SET version_num = '9999'")
            connection.close()
    told = call(project, "restore", str(bad))
    assert told.exit_code == 4, told.output
    assert str(bad) in told.output
    assert call(project, "find", "1001").exit_code == 0, "the ledger is as it was"
    assert not list(ledger.parent.glob("*restor*"))


def test_nothing_is_put_back_while_others_are_at_work(project: ProjectFolder, tmp_path: Path) -> None:
    project.drop("orders_1.csv", row("1001"))
    run(project)
    assert call(project, "backup", str(tmp_path / "b.db")).exit_code == 0
    with FileLock(project.path / "var" / "run.lock"):
        told = call(project, "restore", str(tmp_path / "b.db"))
    assert (told.exit_code, "run is at work" in told.output) == (1, True)
    reader = sqlite3.connect(project.path / "var" / "ledger.db")  # as the watch between two passes
    reader.execute("SELECT count(*) FROM batches").fetchone()
    told = call(project, "restore", str(tmp_path / "b.db"))
    reader.close()
    assert (told.exit_code, "orderdrop watch" in told.output) == (1, True)
    assert not list((project.path / "var").glob("*restor*"))


def test_the_replaced_ledger_is_kept(project: ProjectFolder, tmp_path: Path) -> None:
    project.drop("orders_1.csv", row("1001"))
    run(project)
    assert call(project, "backup", str(tmp_path / "b.db")).exit_code == 0
    project.drop("orders_2.csv", row("1002"))
    run(project)
    told = call(project, "restore", str(tmp_path / "b.db"))
    (kept,) = (project.path / "var").glob("ledger.db.before-restore-*")
    assert str(kept) in told.output.replace("\n", "")
    with sqlite3.connect(kept) as connection:
        assert connection.execute("SELECT count(*) FROM batches").fetchone() == (2,)
    connection.close()
    assert len(project.status()["files"]) == 1


def test_a_purge_takes_the_people_and_leaves_the_proof(project: ProjectFolder, sandbox: SandboxServer) -> None:
    dropped = project.drop("orders_1.csv", order_row("1001", sku="course-basic", email="zoe.quill@example.com"))
    same = dropped.read_text()
    run(project)
    age(project, 40)
    project.drop("orders_2.csv", order_row("1002", sku="course-basic", email="still.needed@example.com"))
    run(project)
    assert "1 files would be purged" in call(project, "purge", "--older-than", "30", "--dry-run").output
    assert call(project, "purge").exit_code == 2
    before = project.status()["files"][0]
    told = call(project, "purge", "--older-than", "30")
    assert told.exit_code == 0, told.output
    assert "Purged 1 files and 2 deliveries" in told.output
    everything = b"".join(p.read_bytes() for p in (project.path / "var").rglob("*") if p.is_file())
    assert b"zoe.quill" not in everything
    assert b"still.needed" in everything
    assert project.status()["files"][0] == before, "states and counts stay"
    (found, _) = json.loads(call(project, "find", "1001", "--json").output)["deliveries"]
    assert (found["state"], bool(found["remote_id"])) == ("delivered", True)
    project.drop("orders_1.csv").write_text(same + "\n")
    run(project)
    counts = project.status()["files"][-1]["deliveries"]
    assert (counts["unchanged"], counts["delivered"]) == (2, 0)
    assert call(project, "reconcile").exit_code == 0
    assert not any(sandbox.duplicates().values())


def test_what_was_purged_cannot_be_changed_or_replayed(project: ProjectFolder, sandbox: SandboxServer) -> None:
    project.drop("orders_1.csv", row("1001"))
    project.drop("orders_2.csv", order_row("1002", sku="no-such-course"))
    run(project, 1)
    for workbook in project.workbooks():
        workbook.unlink()  # nobody wants it corrected
    run(project)
    age(project, 40)
    assert call(project, "purge", "--older-than", "30").exit_code == 0
    project.drop("orders_3.csv", order_row("1001", sku="course-basic", qty="2"))
    run(project, 1)
    found = json.loads(call(project, "find", "1001", "--json").output)["deliveries"][-2:]
    assert {one["state"] for one in found} == {"refused"}
    assert "purged" in found[0]["problems"][0]["message"]
    refused = json.loads(call(project, "find", "1002", "--json").output)["deliveries"][-1]
    told = call(project, "replay", str(refused["id"]))
    assert (told.exit_code, "purged" in told.output) == (1, True)
    assert len(sandbox.truth()["orderdesk"]["orders"]) == 2


def test_files_that_wait_for_a_person_are_not_purged(project: ProjectFolder, sandbox: SandboxServer) -> None:
    sandbox.faults.add([Fault("drop_after", target="influencersoft", times=1)])
    project.drop("orders_1.csv", row("1001"))
    project.drop("orders_2.csv", order_row("1002", qty="two"))
    run(project, 1)
    age(project, 400)
    assert "Purged 0 files" in call(project, "purge", "--older-than", "30").output
    assert call(project, "doubt").exit_code == 1


def test_a_run_purges_once_a_day_as_the_settings_say(project: ProjectFolder) -> None:
    settings = project.path / "pipeline.toml"
    settings.write_text("[ledger]\nkeep_personal_data_days = 30\n" + settings.read_text())
    project.drop("orders_1.csv", row("1001"))
    run(project)
    age(project, 40)
    assert "purged" not in run(project).output, "once a day"
    with sqlite3.connect(project.path / "var" / "ledger.db") as connection:
        connection.execute("UPDATE moments SET at = ? WHERE name = 'purged'", (time.time() - 90_000,))
    connection.close()
    assert "Personal data of 1 files" in run(project).output
    settings.write_text(settings.read_text().replace("days = 30", "days = 0"))
    assert call(project, "run").exit_code == 2
