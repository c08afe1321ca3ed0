"""The doctor finds what is wrong and says what to do; the bundle helps, and holds nobody's data and no secret."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from limits import read_only, small_disk
from project import HEADER, Called, ProjectFolder, order_row

from pipeline.sandbox import all_targets
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.server import SandboxServer


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer) -> ProjectFolder:
    return ProjectFolder.make(tmp_path / "p", sandbox.base_urls())


def found(called: Called) -> dict[str, dict[str, Any]]:
    """The lines by what they are about; of several about one thing the gravest."""
    assert "Traceback" not in called.err, called.err
    lines = sorted(called.json()["lines"], key=lambda line: ("ok", "warning", "problem").index(line["verdict"]))
    return {line["what"]: line for line in lines}


def test_a_healthy_project_is_called_healthy(project: ProjectFolder) -> None:
    project.drop("orders_1.csv", order_row("1001"))
    assert project.run().code == 0
    called = project.call("doctor", "--online", "--json")
    told = found(called)
    assert called.code == 0, called.out
    assert {line["verdict"] for line in told.values()} == {"ok"}
    assert told["ledger"]["message"].startswith("whole, version")
    assert told["last delivery"]["message"].endswith("seconds ago")
    assert told["watch"]["message"] == "`orderdrop watch` is not running"
    said = project.call("doctor")
    assert (said.code, "PROBLEM" in said.out) == (0, False)


def test_before_the_first_run_and_with_broken_settings_the_rest_is_still_told(project: ProjectFolder) -> None:
    assert "none yet" in found(project.call("doctor", "--json"))["ledger"]["message"]
    (project.path / "pipeline.toml").write_text("[accounts.shop\n")
    called = project.call("doctor", "--json")
    assert called.code == 2
    assert {"set-up", "folder inbox", "disk", "clock", "ledger"} <= set(found(called))
    assert not (project.path / "var").exists()  # it only looks


def test_what_waits_is_told_with_what_to_do(project: ProjectFolder, sandbox: SandboxServer) -> None:
    sandbox.faults.add([Fault("unauthorized", target="orderdesk", times=5, only_writes=True)])
    project.drop("orders_1.csv", order_row("1001"), order_row("1002", qty="two"))
    project.run()
    project.drop("orders_2.xlsx", order_row("1003"))
    (project.path / "inbox" / "~$orders_2.xlsx").write_bytes(b"x")
    with FileLock(project.path / "var" / "watch.lock"):
        called = project.call("doctor", "--json")
    told = found(called)
    assert called.code == 3
    assert "paused" in told["account shop"]["message"]
    assert "1 deliveries wait" in told["waiting"]["message"]
    assert "1 workbooks in errors/" in told["errors"]["message"]
    assert "open in another program" in told["inbox"]["message"]
    assert told["watch"]["message"] == "`orderdrop watch` is running"


def test_a_ledger_that_cannot_be_trusted_comes_first(project: ProjectFolder) -> None:
    project.drop("orders_1.csv", order_row("1001"))
    project.run()
    ledger = project.path / "var" / "ledger.db"
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    newer = project.call("doctor", "--json")
    assert (newer.code, "newer orderdrop" in found(newer)["ledger"]["message"]) == (4, True)
    held = bytearray(ledger.read_bytes())
    held[4096:12288] = b"\xff" * 8192
    ledger.write_bytes(held)
    damaged = project.call("doctor", "--json")
    assert damaged.code == 4
    assert found(damaged)["ledger"]["verdict"] == "problem"
    assert ledger.read_bytes() == held


def test_folders_and_disks_that_are_no_good(tmp_path: Path, project: ProjectFolder, sandbox: SandboxServer) -> None:
    with read_only(project.path / "inbox"):
        called = project.call("doctor", "--json")
        assert (called.code, "writable" in found(called)["folder inbox"]["message"]) == (1, True)
    (project.path / "inbox").rmdir()
    gone = project.call("doctor", "--json")
    assert (gone.code, "connect it" in found(gone)["folder inbox"]["message"]) == (1, True)
    with small_disk(tmp_path / "disk", "size=4m,nr_inodes=200") as disk:
        told = found(ProjectFolder.make(disk / "p", sandbox.base_urls()).call("doctor", "--json"))
        assert "Make room" in told["disk"]["message"]
        assert told["files on the disk"]["verdict"] == "problem"


def test_a_proxy_is_named_without_its_password(project: ProjectFolder) -> None:
    project.secrets = {**project.secrets, "HTTPS_PROXY": "http://me:pa55word@proxy.example:3128"}
    called = project.call("doctor", "--json")
    assert "http://proxy.example:3128" in found(called)["proxy"]["message"]
    assert "pa55word" not in called.out + called.err


PLANTED = ("s3cret/Zq7w", "pa55word", "Anna", "Berg", "anna@", "Main St", "02110", "Zq9-secret-note", "K-1001", "carol")


def test_the_bundle_holds_neither_secrets_nor_people(project: ProjectFolder, sandbox: SandboxServer) -> None:
    settings, mapping = project.path / "pipeline.toml", project.path / "mappings" / "orders.yaml"
    settings.write_text(
        settings.read_text() + '\n[pickups.partner]\nhost = "sftp.example.com"\nusername = "carol"\n'
        'remote = "/out/Anna Berg/*.csv"\npassword = { env = "PARTNER_PASSWORD" }\nhost_key = "SHA256:x"\n'
    )
    mapping.write_text(
        mapping.read_text().replace(
            'sku:        {column: "SKU"}', 'sku: {column: "SKU"}\n  note: {constant: "Zq9-secret-note"}'
        )
        + "# ask Anna Berg, anna@example.com\n"
    )
    project.secrets = {
        **dict.fromkeys(project.secrets, "s3cret/Zq7w"), "PARTNER_PASSWORD": "pa55word",
        "HTTPS_PROXY": "http://carol:pa55word@127.0.0.1:9",
    }  # fmt: skip
    sandbox.faults.add([Fault("refuse", target="orderdesk", times=9, message="s3cret/Zq7w Anna Berg anna@example.com")])
    project.drop("orders Anna Berg.csv", order_row("K-1001"), order_row("K-1002", qty="two"))
    project.drop("orders_2.csv", order_row("K-1004"), header="Anna Berg,anna@example.com," + HEADER.partition(",")[2])
    project.call("run", "--log-level", "debug")
    bundle = project.path / "bundle.zip"
    called = project.call("doctor", "--bundle", str(bundle))
    assert "Written" in called.out, called.err
    with zipfile.ZipFile(bundle) as opened:
        held = {name: opened.read(name).decode() for name in opened.namelist()}
    assert set(held) == {
        "doctor.json", "versions.json", "settings.json", "ledger.json", "log.json", "mappings/orders.json",
    }  # fmt: skip
    leaks = [(name, planted) for name, text in held.items() for planted in PLANTED if planted in text]
    assert leaks == []
    assert json.loads(held["ledger.json"])["files"]
    assert json.loads(held["settings.json"])["accounts"]["shop"]["api_key"] == {"env": "ORDERDESK_API_KEY"}
    assert any(line["event"] == "file_taken_in" for line in json.loads(held["log.json"]))
    assert "Order #" in held["mappings/orders.json"]
    again = project.call("doctor", "--bundle", str(bundle))
    assert (again.code, "there already" in again.err) == (2, True)
