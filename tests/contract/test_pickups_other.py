"""The server of another house (asyncssh) in its bad moods, and what only a real OpenSSH can show."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from asyncssh_server import Mood, independent
from pickup_place import ORDERS, Place, make_project
from project import SECRETS
from sftp_servers import SSHD, openssh

from pipeline.errors import SetupError, TargetError
from pipeline.visit import Fetched

MEGABYTE = 1 << 20
needs_openssh = pytest.mark.skipif(
    SSHD is None, reason="no OpenSSH server on this machine (Debian: apt-get install openssh-server)"
)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (SECRETS | {"PARTNER_PASSWORD": "right"}).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def mood() -> Mood:
    return Mood()


@pytest.fixture
def place(tmp_path: Path, mood: Mood, secrets: None) -> Iterator[Place]:
    with independent(tmp_path / "server", mood) as server:
        yield Place(server, make_project(tmp_path / "p"), None)


@pytest.fixture
def real(tmp_path: Path, secrets: None) -> Iterator[Place]:
    (tmp_path / "server").mkdir()
    with openssh(tmp_path / "server") as server:
        yield Place(server, make_project(tmp_path / "p"), None)


# --- bad moods ---------------------------------------------------------------------------------------------------


def test_broken_off_again_and_again_a_file_arrives_whole_and_nothing_is_read_twice(place: Place, mood: Mood) -> None:
    content = "".join(f"{n:07d}\n" for n in range(1_000_000))  # 8 MB
    broken: set[int] = set()

    def weather(_path: str, offset: int) -> str:
        step = offset // (2 * MEGABYTE)
        if step and step not in broken:
            broken.add(step)
            return "drop"
        return ""

    mood.on_read = weather
    place.lay("orders_1.csv", content)
    assert place.fetch().files == ["inbox/orders_1.csv"]
    assert place.inbox() == {"orders_1.csv": content}
    assert len(mood.connections) == 4
    assert [offset for _, offset in mood.reads].count(0) == 1


def test_a_server_that_gives_little_at_a_time(place: Place, mood: Mood) -> None:
    mood.on_read = lambda _path, _offset: "short"
    content = "0123456789" * 12_345
    place.lay("orders_1.csv", content)
    assert place.fetch().files == ["inbox/orders_1.csv"]
    assert place.inbox() == {"orders_1.csv": content}


def test_a_server_that_gives_more_than_was_asked_for_is_not_believed(place: Place, mood: Mood) -> None:
    mood.on_read = lambda path, _offset: "long" if path.endswith("_1.csv") else ""
    place.lay("orders_1.csv", "x" * 100_000)
    told = place.fetch()
    assert told.files == []
    assert isinstance(told.problem, TargetError)
    assert place.inbox() == {}


def test_a_file_that_shrinks_is_replaced_or_vanishes_between_list_and_read(place: Place, mood: Mood) -> None:
    seen: dict[str, int] = {}
    outgoing = Path(place.server.outgoing)

    def change(path: str, told: asyncssh.SFTPAttrs) -> asyncssh.SFTPAttrs:
        name = Path(path).name
        seen[name] = seen.get(name, 0) + 1
        if name == "orders_1.csv" and seen[name] > 1:
            told.size = 3
        if name == "orders_2.csv" and seen[name] > 1:
            told.mtime = 1_800_000_000
        if name == "orders_3.csv" and seen[name] == 1:
            (outgoing / name).unlink()
        return told

    mood.attributes = change
    for number in (1, 2, 3, 4):
        place.lay(f"orders_{number}.csv")
    told = place.fetch()
    assert told.files == ["inbox/orders_4.csv"]
    assert told.problem is None
    assert all("still being written" in remark for remark in told.remarks)
    assert len(told.remarks) == 3


def test_a_server_without_times_and_one_without_sizes(place: Place, mood: Mood) -> None:
    def bare(path: str, told: asyncssh.SFTPAttrs) -> asyncssh.SFTPAttrs:
        told.mtime = told.atime = None
        if path.endswith("_2.csv"):
            told.size = None
        return told

    mood.attributes = bare
    place.lay("orders_1.csv")
    place.lay("orders_2.csv")
    told = place.fetch()
    assert told.files == ["inbox/orders_1.csv"]
    assert "the server does not tell its size" in told.troubles[0]
    again = place.fetch()
    assert (again.files, again.known) == ([], 1)


def test_a_list_that_breaks_takes_nothing_and_is_told(place: Place, mood: Mood) -> None:
    mood.breaks_in_list = True
    place.settings(after="delete")
    for number in range(5):
        place.lay(f"orders_{number}.csv")
    told = place.fetch()
    assert told.files == []
    assert told.exit_code == 3
    assert "the disk is old" in str(told.problem)
    assert len(place.there()) == 5


def test_names_that_point_elsewhere_are_only_names(place: Place, mood: Mood) -> None:
    mood.more_names = [b"../../evil.csv", b"/etc/passwd.csv", b"..", b"a\x00b.csv"]
    place.lay("orders_1.csv")
    told = place.fetch()
    assert told.files == ["inbox/orders_1.csv"]
    assert [path for path, _ in mood.reads if "orders_1" not in path] == []


def test_what_may_not_be_moved_stays_there_and_is_not_fetched_again(place: Place, mood: Mood) -> None:
    mood.refuses_rename = True
    place.settings(after="archive")
    place.lay("orders_1.csv")
    first, second = place.fetch(), place.fetch()
    assert (first.files, first.exit_code) == (["inbox/orders_1.csv"], 1)
    assert (second.files, second.exit_code) == ([], 1)
    mood.refuses_rename = False
    assert place.fetch().exit_code == 0
    assert place.there() == ["archive/orders_1.csv"]


def test_a_host_that_takes_the_call_and_says_nothing_costs_the_time_out(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place.server.port = silent.getsockname()[1]
        place.settings(timeout_seconds=0.5)
        told = place.fetch()
    assert told.exit_code == 3
    assert "127.0.0.1" in str(told.problem)


# --- servers that know only what is old --------------------------------------------------------------------------

_OLD = """
KexAlgorithms diffie-hellman-group14-sha1
HostKeyAlgorithms ssh-rsa
Ciphers aes128-cbc
MACs hmac-sha1
"""


@needs_openssh
def test_a_server_that_knows_only_sha1_is_talked_to_when_the_settings_say_so(tmp_path: Path, secrets: None) -> None:
    (tmp_path / "server").mkdir()
    with openssh(tmp_path / "server", kind="rsa", more=_OLD) as server:
        place = Place(server, make_project(tmp_path / "p"), None)
        place.lay("orders_1.csv")
        refused = place.fetch()
        assert isinstance(refused.problem, SetupError)
        assert "old_algorithms may open it: diffie-hellman-group14-sha1" in str(refused.problem)
        place.settings(old_algorithms=["diffie-hellman-group14-sha1", "ssh-rsa"])
        told = place.fetch()
        assert told.files == ["inbox/orders_1.csv"], told
        place.settings(old_algorithms=["diffie-hellman-group14-sha1", "ssh-rsa"], host_key="SHA256:" + "x" * 43)
        assert "has changed" in str(place.fetch().problem)  # the key is proved in the old way too
        place.settings(old_algorithms=["ssh-rsb"])
        with pytest.raises(SetupError, match="Did you mean 'ssh-rsa'"):
            place.fetch()


def test_a_server_that_shares_no_way_to_talk_is_told_as_such(tmp_path: Path, secrets: None) -> None:
    options = {"kex_algs": ["ecdh-sha2-nistp521"], "encryption_algs": ["aes256-ctr"]}
    with independent(tmp_path / "server", Mood(options=options)) as server:
        place = Place(server, make_project(tmp_path / "p"), None)
        path = place.project.path / "pipeline.toml"
        path.write_text(path.read_text() + 'disable_algorithms = { kex = ["ecdh-sha2-nistp521"] }\n')
        told = place.fetch()
    assert isinstance(told.problem, SetupError)
    assert "share no secure way to talk" in str(told.problem)


# --- OpenSSH -----------------------------------------------------------------------------------------------------


@needs_openssh
def test_several_patterns_in_several_folders(real: Place) -> None:
    other = Path(real.server.outgoing).parent / "other"
    other.mkdir()
    (other / "stock_1.csv").write_text("a")
    (other / "stock_2.txt").write_text("b")
    real.lay("orders_1.csv")
    real.lay("orders_2.csv")
    outgoing = real.server.outgoing
    real.settings(remote=[f"{outgoing}/*_1.csv", f"{outgoing}/orders_*", f"{other}/*.txt", f"{other}/stock_1.???"])
    told = real.fetch()
    assert sorted(told.files) == [f"inbox/{n}" for n in ("orders_1.csv", "orders_2.csv", "stock_1.csv", "stock_2.txt")]


@needs_openssh
@pytest.mark.skipif(shutil.which("ssh-agent") is None, reason="no ssh-agent on this machine")
def test_a_key_of_the_agent_opens_and_none_does_not(real: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    key, real.server.key_file = real.server.key_file, None
    assert key is not None
    path = real.project.path / "pipeline.toml"
    real.settings()
    path.write_text(path.read_text().replace('password = { env = "PARTNER_PASSWORD" }', "agent = true"))
    real.lay("orders_1.csv")
    with subprocess.Popen(["ssh-agent", "-D"], stdout=subprocess.PIPE, text=True) as agent:
        try:
            assert agent.stdout is not None
            where = agent.stdout.readline().split("=", 1)[1].split(";")[0]
            monkeypatch.setenv("SSH_AUTH_SOCK", where)
            locked_out = real.fetch()
            assert isinstance(locked_out.problem, SetupError)
            assert "The agent holds none" in str(locked_out.problem)
            subprocess.run(["ssh-add", "-q", key], check=True, env={**os.environ, "SSH_AUTH_SOCK": where})
            assert real.fetch().files == ["inbox/orders_1.csv"]
        finally:
            agent.terminate()


@needs_openssh
def test_a_server_that_is_killed_during_a_file_and_comes_back(real: Place) -> None:
    """The session's own process dies under the download, as when the machine there is restarted."""
    content = "".join(f"{n:09d}\n" for n in range(3_000_000))  # 30 MB
    real.lay("orders_1.csv", content)
    killed: list[int] = []

    class Killer:
        def say(self, text: str, *_: object, **__: object) -> None:
            if not killed and "%" in text:
                sessions = _children(real.server.pid)
                for pid in sessions:
                    os.kill(pid, 9)
                killed.extend(sessions)

        def note(self, *_: object, **__: object) -> None:
            pass

        def advance(self) -> None:
            pass

    told = _often_told(real, Killer())
    assert killed
    assert told.files == ["inbox/orders_1.csv"]
    assert real.inbox() == {"orders_1.csv": content}


def _often_told(real: Place, progress: object) -> Fetched:
    import pipeline.visit

    before, pipeline.visit._TOLD_EVERY = pipeline.visit._TOLD_EVERY, 0.0
    try:
        return real.fetch(threading.Event(), progress)  # type: ignore[arg-type]
    finally:
        pipeline.visit._TOLD_EVERY = before


def _children(pid: int) -> list[int]:
    """The processes of a server's sessions, the servers of which are its children."""
    found = [
        int(stat.parent.name)
        for stat in Path("/proc").glob("[0-9]*/stat")
        if (text := _read(stat)) and int(text.rpartition(")")[2].split()[1]) == pid
    ]
    return [child for one in found for child in (*_children(one), one)]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


@needs_openssh
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_five_thousand_files_come_once(real: Place) -> None:
    for number in range(5_000):
        real.lay(f"orders_{number:04d}.csv", ORDERS, time=1_700_000_000 + number)
    assert len(real.fetch().files) == 5_000
    again = real.fetch()
    assert (again.files, again.known, again.problem) == ([], 5_000, None)
    real.settings(after="archive")
    assert real.fetch().exit_code == 0
    assert len([name for name in real.there() if name.startswith("archive/")]) == 5_000


@needs_openssh
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_gigabyte_and_a_half_comes_whole_in_bounded_memory(real: Place) -> None:
    """No more than 100 MB beyond what the process held before, whatever the file holds."""
    import hashlib
    import resource

    path, digest = Path(real.server.outgoing) / "orders_big.csv", hashlib.sha256()
    with path.open("wb") as file:
        for number in range(1_536):
            piece = bytes([number % 251]) * MEGABYTE
            digest.update(piece)
            file.write(piece)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert real.fetch().files == ["inbox/orders_big.csv"]
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) < 100 * 1024
    with (real.project.path / "inbox" / "orders_big.csv").open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == digest.hexdigest()
