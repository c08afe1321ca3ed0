"""What all SFTP servers have in common: a real OpenSSH, asyncssh, one of our own, by one set of expectations."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from asyncssh_server import Mood, independent
from pickup_place import ORDERS, Place, make_project
from project import SECRETS, order_row
from sftp_servers import SSHD, Cupboard, Server, misbehaving, openssh

from pipeline.errors import SetupError, TargetError


@contextmanager
def _server(kind: str, folder: Path) -> Iterator[tuple[Server, Cupboard | None]]:
    if kind == "openssh":
        if SSHD is None:
            pytest.skip("no OpenSSH server on this machine (Debian: apt-get install openssh-server)")
        folder.mkdir()
        with openssh(folder) as server:
            yield server, None
    elif kind == "asyncssh":
        with independent(folder, Mood()) as server:
            yield server, None
    else:
        cupboard = Cupboard()
        with misbehaving(cupboard) as server:
            yield server, cupboard


@pytest.fixture(params=["openssh", "asyncssh", "own"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name, value in (SECRETS | {"PARTNER_PASSWORD": "right"}).items():
        monkeypatch.setenv(name, value)
    project = make_project(tmp_path / "p")
    with _server(request.param, tmp_path / "server") as (server, cupboard):
        yield Place(server, project, cupboard)


def test_what_is_new_comes_once_and_what_changed_comes_again(place: Place) -> None:
    place.lay("orders_1.csv")
    place.lay("orders_2.csv", ORDERS.replace("1001", "1002"), time=1_600_000_000)
    place.lay("orders_3.csv.part")
    place.lay("~$orders_4.csv")
    place.lay("readme.md")
    told = place.fetch()
    assert (told.exit_code, told.files) == (0, ["inbox/orders_2.csv", "inbox/orders_1.csv"]), told  # oldest first
    assert place.inbox() == {"orders_1.csv": ORDERS, "orders_2.csv": ORDERS.replace("1001", "1002")}
    for path in (place.project.path / "inbox").iterdir():
        path.unlink()
    again = place.fetch()
    assert (again.files, again.known, place.inbox()) == ([], 2, {})
    place.lay("orders_1.csv", ORDERS, time=1_700_000_500)  # touched, not changed
    assert place.fetch().files == []
    place.lay("orders_1.csv", ORDERS + order_row("1003") + "\n", time=1_700_000_900)
    assert place.fetch().files == ["inbox/orders_1.csv"]
    assert {"orders_1.csv", "orders_2.csv"} <= set(place.there())


def test_a_file_is_deleted_there_only_when_it_is_here(place: Place) -> None:
    place.settings(after="delete", into="orders")
    place.lay("orders_1.csv")
    assert place.fetch().files == ["inbox/orders/orders_1.csv"]
    assert place.there() == []


def test_a_name_that_is_taken_is_never_written_over(place: Place) -> None:
    place.project.drop("orders_1.csv", order_row("1"))
    place.lay("orders_1.csv")
    assert place.fetch().files == ["inbox/orders/orders_1.csv"]
    place.lay("orders_1.csv", ORDERS.replace("1001", "1002"), time=1_700_000_900)
    assert place.fetch().files == ["inbox/orders/orders_1 (2).csv"]
    assert len(place.inbox()) == 3


def test_a_marker_tells_that_a_file_is_complete(place: Place) -> None:
    place.settings(done_marker=".done", after="delete")
    place.lay("orders_1.csv")
    told = place.fetch()
    assert (told.files, told.exit_code) == ([], 0)
    assert "waits for its .done marker" in told.remarks[0]
    place.lay("orders_1.csv.done", "")
    assert place.fetch().files == ["inbox/orders_1.csv"]
    assert place.there() == []


def test_an_unknown_host_key_is_refused_and_the_message_pins_it(place: Place) -> None:
    place.settings(host_key=None)
    place.lay("orders_1.csv")
    told = place.fetch()
    assert isinstance(told.problem, SetupError)
    said = str(told.problem)
    assert "not known yet" in said
    assert "SHA256:" in said
    assert f'host_key = "{place.server.host_key}"' in said
    assert place.inbox() == {}
    if place.cupboard is not None:
        assert place.cupboard.passwords == []
    fingerprint = next(word for word in said.split() if word.startswith("SHA256:")).rstrip(".")
    place.settings(host_key=fingerprint)
    pinned = place.fetch()
    assert pinned.files == ["inbox/orders_1.csv"], pinned
    assert "PARTNER" not in said
    assert "right" not in said


def test_a_changed_host_key_is_refused_and_known_hosts_is_read(place: Place) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ+5vXU7F3rm5Gn9fQ7u5d0o7nHvJt1wH0wXJmV9rJ1e"
    place.settings(host_key=other)
    told = place.fetch()
    assert isinstance(told.problem, SetupError)
    assert "has changed" in str(told.problem)
    known = place.project.path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{place.server.port} {place.server.host_key}\n")
    place.settings(host_key=None, known_hosts="known_hosts")
    told = place.fetch()
    assert told.problem is None, told


def test_a_name_that_is_no_text_is_a_name_all_the_same(place: Place) -> None:
    if place.cupboard is not None:
        pytest.skip("our own server knows only names that are text")
    place.settings(after="archive")
    Path(os.fsdecode(os.fsencode(place.server.outgoing) + b"/caf\xe9.csv")).write_text(ORDERS)
    assert place.fetch().files == ["inbox/caf_.csv"]
    assert [os.fsencode(p.name) for p in (Path(place.server.outgoing) / "archive").iterdir()] == [b"caf\xe9.csv"]


def test_who_is_not_let_in_is_told_without_the_secret(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARTNER_PASSWORD", "wrong-and-secret")
    if place.server.key_file:
        authorized = Path(place.server.key_file).parent / "authorized"
        authorized.write_text("")
    told = place.fetch()
    assert isinstance(told.problem, SetupError)
    assert "does not let user" in str(told.problem)
    assert "wrong-and-secret" not in str(told.problem)


def test_a_folder_that_is_not_there_is_the_settings_fault(place: Place) -> None:
    place.settings(remote=["/nowhere/*.csv"])
    told = place.fetch()
    assert isinstance(told.problem, SetupError)
    assert "/nowhere is not there" in str(told.problem)


def test_a_big_file_arrives_whole(place: Place) -> None:
    content = "0123456789abcdef" * 400_000  # 6.4 MB: several windows of reading ahead, and no round number
    place.lay("orders_big.csv", content + "x")
    assert place.fetch().files == ["inbox/orders_big.csv"]
    assert place.inbox()["orders_big.csv"] == content + "x"


def test_a_server_that_is_not_there(place: Place) -> None:
    place.server.port = 1
    place.settings()
    told = place.fetch()
    assert isinstance(told.problem, TargetError)
    assert told.exit_code == 3
    assert "cannot be reached" in str(told.problem)


def test_the_archive_is_a_folder_beside_the_file(place: Place) -> None:
    if place.cupboard is not None:
        pytest.skip("our own server has no folders to make")
    place.settings(after="archive")
    place.lay("orders_1.csv")
    place.fetch()
    assert place.there() == ["archive/orders_1.csv"]
    place.lay("orders_1.csv", ORDERS + "\n", time=1_700_000_900)
    place.fetch()
    assert sorted(p.name for p in (Path(place.server.outgoing) / "archive").iterdir()) == [
        "orders_1.csv",
        "orders_1.csv.1700000900",
    ]
