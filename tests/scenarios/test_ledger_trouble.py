"""A ledger that cannot be read, written or trusted: the run stops, says what to do, and nothing is lost or doubled."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from project import SECRETS, ProjectFolder, order_row

from pipeline.cli import cli
from pipeline.ledger import engine
from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return ProjectFolder.make(tmp_path / "p", sandbox.base_urls(), to=("shop",))


@pytest.fixture
def disk(project: ProjectFolder) -> Iterator[Callable[[str], None]]:
    """``var`` on a disk of its own; called with mount options it changes that disk."""
    var = project.path / "var"
    var.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", var], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("only root may mount a small disk to fill")
    try:
        yield lambda options: subprocess.run(["mount", "-o", f"remount,{options}", var], check=True) and None
    finally:
        subprocess.run(["umount", "-l", var], check=True)


def call(project: ProjectFolder, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--project", str(project.path)])


def keys(sandbox: SandboxServer) -> list[str]:
    return sorted(order["source_id"] for order in sandbox.truth()["orderdesk"]["orders"])


def test_a_full_disk_stops_the_run_and_room_lets_it_go_on(
    project: ProjectFolder, sandbox: SandboxServer, disk: Callable[[str], None]
) -> None:
    wanted = [f"1{n:03}" for n in range(150)]
    project.drop("orders_1.csv", order_row("1"))
    assert call(project, "run").exit_code == 0
    project.drop("orders_2.csv", *map(order_row, wanted))
    filler = project.path / "var" / "filler"
    free = os.statvfs(filler.parent)
    filler.write_bytes(b"\0" * max(0, free.f_bavail * free.f_frsize - 150_000))
    told = call(project, "run")
    assert told.exit_code in {3, 4}, told.output
    assert "Make room on the disk" in told.output
    assert "Traceback" not in told.output
    assert sandbox.duplicates()["orderdesk"] == {}
    filler.unlink()
    disk("size=8m")
    assert call(project, "run").exit_code == 0
    assert keys(sandbox) == ["1", *wanted]


def test_a_read_only_disk_stops_the_run_before_anything_is_taken(
    project: ProjectFolder, sandbox: SandboxServer, disk: Callable[[str], None]
) -> None:
    project.drop("orders_1.csv", order_row("1001"))
    assert call(project, "run").exit_code == 0
    project.drop("orders_2.csv", order_row("1002"))
    disk("ro")
    told = call(project, "run")
    assert told.exit_code == 4, told.output
    assert "writable" in told.output
    assert keys(sandbox) == ["1001"]
    assert (project.path / "inbox" / "orders_2.csv").is_file()
    disk("rw")
    assert call(project, "run").exit_code == 0
    assert keys(sandbox) == ["1001", "1002"]


def test_a_file_another_program_holds(
    project: ProjectFolder, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.drop("orders_1.csv", order_row("1001"))
    assert call(project, "run").exit_code == 0
    project.drop("orders_2.csv", order_row("1002"))
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.1)
    holder = sqlite3.connect(project.path / "var" / "ledger.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    told = call(project, "run")
    holder.execute("ROLLBACK")
    holder.close()
    assert told.exit_code == 4, told.output
    assert "Another program holds the file; close it" in told.output
    assert keys(sandbox) == ["1001"]
    assert call(project, "run").exit_code == 0
    assert keys(sandbox) == ["1001", "1002"]


def _header(content: bytes) -> bytes:
    return b"SQLite is not what this is" + content[26:]


def _middle(content: bytes) -> bytes:
    """Every page but the first ones, so that the run is sure to meet one."""
    return content[: 4096 * 3] + os.urandom(len(content) - 4096 * 3)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(_header, id="header"),
        pytest.param(_middle, id="middle pages"),
        pytest.param(lambda content: content[: len(content) // 2], id="cut short"),
        pytest.param(lambda _content: b"", id="zero-length"),
        pytest.param(lambda _content: b"Dear orderdrop, " * 5000, id="not a database"),
    ],
)
def test_a_damaged_file_stops_everything_until_a_backup_is_put_back(
    project: ProjectFolder, sandbox: SandboxServer, spoil: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    rows = [order_row(f"1{n:03}") for n in range(40)]
    kept = tmp_path / "orders_1.csv"
    shutil.copy(project.drop("orders_1.csv", *rows), kept)
    assert call(project, "run").exit_code == 0
    assert call(project, "backup", str(tmp_path / "b.db")).exit_code == 0
    ledger = project.path / "var" / "ledger.db"
    for log in ("-wal", "-shm"):
        Path(f"{ledger}{log}").unlink(missing_ok=True)
    ledger.write_bytes(spoil(ledger.read_bytes()))
    spoiled = ledger.read_bytes()
    shutil.copy(kept, project.path / "inbox" / "orders_1.csv")
    project.drop("orders_2.csv", order_row("2001"))
    told = call(project, "run")
    assert told.exit_code == 4, told.output
    assert "orderdrop restore FILE" in told.output
    assert len(keys(sandbox)) == 40, "nothing was sent"
    assert len(list((project.path / "inbox").iterdir()) + list((project.path / "var").glob("work/*/*"))) == 2
    if spoil is not _middle:
        assert ledger.read_bytes() == spoiled, "what is left of it is not touched"
    told = call(project, "restore", str(tmp_path / "b.db"))
    assert told.exit_code == 0, told.output
    assert call(project, "run").exit_code == 0
    assert keys(sandbox) == sorted([*(f"1{n:03}" for n in range(40)), "2001"])


def test_a_ledger_that_is_gone_beside_a_full_archive(project: ProjectFolder, sandbox: SandboxServer) -> None:
    dropped = project.drop("orders_1.csv", order_row("1001"))
    content = dropped.read_text()
    assert call(project, "run").exit_code == 0
    (project.path / "var" / "ledger.db").unlink()
    dropped.write_text(content)
    told = call(project, "run")
    assert told.exit_code == 4
    assert "is gone" in told.output
    assert keys(sandbox) == ["1001"]
    shutil.move(project.path / "var" / "archive", project.path / "var" / "archive-before")
    assert call(project, "run").exit_code == 0, "begun anew, knowingly; Order Desk is asked first all the same"
    assert keys(sandbox) == ["1001"]


def test_a_ledger_from_a_newer_version_is_left_alone(project: ProjectFolder) -> None:
    project.drop("orders_1.csv", order_row("1001"))
    assert call(project, "run").exit_code == 0
    with sqlite3.connect(project.path / "var" / "ledger.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    told = call(project, "run")
    assert told.exit_code == 4
    assert "newer orderdrop" in told.output


def test_two_runs_at_once_share_the_work(project: ProjectFolder, sandbox: SandboxServer) -> None:
    wanted = [f"1{n:03}" for n in range(60)]
    project.drop("orders_1.csv", *map(order_row, wanted[:30]))
    project.drop("orders_2.csv", *map(order_row, wanted[15:]))
    runs = [project.popen("run") for _ in range(3)]
    ended = [(process.communicate(timeout=100), process.returncode) for process in runs]
    assert [code for _, code in ended] == [0, 0, 0], ended
    assert keys(sandbox) == wanted
    assert project.status()["balanced"]
