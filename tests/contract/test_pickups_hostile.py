"""A server that breaks off, lies, refuses, or calls its files what no file is called."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
import sqlalchemy as sa
from filelock import FileLock
from pickup_place import ORDERS, Place, make_project
from project import SECRETS
from sftp_servers import Cupboard, misbehaving

from pipeline.errors import TargetError
from pipeline.intake.sftp import Arriving, Interrupted, Unwritable
from pipeline.intake.sftp_login import _sftp_channel
from pipeline.ledger.tables import pickups
from pipeline.progress import Quiet

MEGABYTE = 1 << 20


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name, value in (SECRETS | {"PARTNER_PASSWORD": "right"}).items():
        monkeypatch.setenv(name, value)
    cupboard = Cupboard()
    with misbehaving(cupboard) as server:
        yield Place(server, make_project(tmp_path / "p"), cupboard)


def cupboard_of(place: Place) -> Cupboard:
    assert place.cupboard is not None
    return place.cupboard


def test_a_broken_connection_is_made_anew_and_the_file_goes_on_where_it_stopped(place: Place) -> None:
    cupboard, broken = cupboard_of(place), threading.Event()
    content = "".join(f"{n:07d}\n" for n in range(500_000))  # 4 MB

    def weather(_name: str, offset: int) -> str:
        if offset >= 3 * MEGABYTE and not broken.is_set():
            broken.set()
            return "drop"
        return ""

    cupboard.on_read = weather
    place.lay("orders_1.csv", content)
    assert place.fetch().files == ["inbox/orders_1.csv"]
    assert place.inbox() == {"orders_1.csv": content}
    assert cupboard.connections == 2
    assert [offset for _, offset in cupboard.reads].count(0) == 1  # what had arrived was not read again


def test_a_file_that_never_comes_whole_leaves_nothing_half(place: Place) -> None:
    cupboard_of(place).on_read = lambda name, offset: "drop" if offset >= 65536 else ""
    place.lay("orders_1.csv", "x" * MEGABYTE)
    told = place.fetch()
    assert isinstance(told.problem, TargetError)
    assert told.exit_code == 3
    assert place.inbox() == {}
    # A visit that brought a piece more before it broke does not count as idle; how many do is a matter of timing.
    assert 2 <= cupboard_of(place).connections <= 8


def test_a_server_that_falls_silent_is_not_waited_for_for_ever(place: Place) -> None:
    place.settings(timeout_seconds=0.5)
    cupboard_of(place).on_read = lambda name, offset: "stall"
    place.lay("orders_1.csv")
    told = place.fetch()
    assert told.exit_code == 3
    assert "no answer in time" in str(told.problem)
    assert place.inbox() == {}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("silent_at", ["subsystem", "version"])
def test_a_server_that_lets_in_and_then_says_nothing(place: Place, silent_at: str) -> None:
    place.settings(timeout_seconds=0.5)
    cupboard_of(place).silent_at = silent_at
    told = place.fetch()
    assert told.exit_code == 3
    assert "no answer in time" in str(told.problem)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("said", [EOFError(), OSError("broken pipe"), paramiko.SSHException("closed")])
def test_a_server_that_goes_just_as_it_is_given_up_is_told_as_one_that_is_silent(said: Exception) -> None:
    given_up = threading.Event()

    class Gone(paramiko.Channel):
        def __init__(self) -> None:
            """Nothing is opened."""

        def __del__(self) -> None:
            """Nothing is closed."""

        def close(self) -> None:
            given_up.set()
            raise said

        def invoke_subsystem(self, subsystem: str) -> None:
            assert given_up.wait(20)
            raise paramiko.SSHException("Channel closed.")

    class Transport(paramiko.Transport):
        def __init__(self) -> None:
            """Nothing is connected."""

        def open_session(self, *_options: object, **_more: object) -> paramiko.Channel:
            return Gone()

    with pytest.raises(TimeoutError):
        _sftp_channel(Transport(), 0.05)


@pytest.mark.timeout(30)
def test_a_server_that_answers_byte_by_byte_is_given_up(place: Place) -> None:
    place.settings(timeout_seconds=0.2)
    place.lay("orders_1.csv")
    cupboard_of(place).trickles = True
    told = place.fetch()
    assert told.exit_code == 3
    assert "no answer in time" in str(told.problem)


@pytest.mark.timeout(30)
def test_a_list_that_never_ends_and_names_nothing_is_an_empty_one(place: Place) -> None:
    cupboard_of(place).lists_nothing_for_ever = True
    assert place.fetch().exit_code == 0


@pytest.mark.parametrize("told_size", [10, 5 * MEGABYTE, 1 << 60])
def test_a_file_that_is_not_as_long_as_the_server_says_is_not_taken(place: Place, told_size: int) -> None:
    cupboard_of(place).sizes_told["orders_1.csv"] = told_size
    place.settings(after="delete")
    place.lay("orders_1.csv")
    place.lay("orders_2.csv", ORDERS + "\n")
    told = place.fetch()
    assert told.files == ["inbox/orders_2.csv"]
    assert set(place.inbox()) == {"orders_2.csv"}
    assert cupboard_of(place).removed == ["orders_2.csv"]
    said = told.remarks + told.troubles
    assert len(said) == 1
    assert "changed while it was read" in said[0] or "do not fit on this disk" in said[0]


def test_a_file_that_grows_while_it_is_read_is_left_for_the_next_time(place: Place) -> None:
    cupboard = cupboard_of(place)

    def grow(name: str, _offset: int) -> str:
        cupboard.times[name] = 1_700_000_001
        return ""

    cupboard.on_read = grow
    place.lay("orders_1.csv")
    assert place.fetch().files == []
    assert place.fetch().files == ["inbox/orders_1.csv"]


def test_names_stay_in_the_inbox_whatever_they_are(place: Place) -> None:
    cupboard = cupboard_of(place)
    names = [
        "../../evil.csv", "up\\..\\evil.csv", "a\x07\x1b[31mb.csv", "CON.csv", "nul", "x" * 300 + ".csv", "..",
        "\N{BEAR FACE}" * 90 + ".csv", "Same.csv", "same.csv", "dots.csv. .", "C:\\up.csv", "=cmd|x.csv",
        "y" * 2000 + ".csv",
    ]  # fmt: skip
    for number, name in enumerate(names):
        cupboard.files[name] = f"{number}".encode()
    place.settings(remote=["/out/*"])
    told = place.fetch()
    outside = [p for p in place.project.path.parent.rglob("*evil*") if "inbox" not in p.parts]
    assert outside == []
    assert told.exit_code == 1  # the longest name is told
    came = sorted(place.inbox())
    assert len(came) == len(names) - 3, (came, told)
    assert all(len(name.encode()) <= 200 and name.isprintable() for name in came)
    assert not {"CON.csv", "nul"} & set(came)
    assert all("/" not in name and "\\" not in name and ":" not in name and "|" not in name for name in came)
    again = place.fetch()
    assert (again.files, again.known) == ([], len(came))
    assert any("is called inbox/x_CON.csv here" in remark for remark in told.remarks)


def test_one_file_that_may_not_be_read_does_not_hold_up_the_others(place: Place) -> None:
    cupboard_of(place).on_read = lambda name, offset: "denied" if name == "orders_1.csv" else ""
    place.lay("orders_1.csv")
    place.lay("orders_2.csv", ORDERS + "\n")
    told = place.fetch()
    assert (told.files, told.exit_code, told.problem) == (["inbox/orders_2.csv"], 1, None)
    assert "orders_1.csv: the server says" in told.troubles[0]
    assert set(place.inbox()) == {"orders_2.csv"}


def test_what_cannot_be_put_away_is_told_and_not_fetched_twice(place: Place) -> None:
    cupboard = cupboard_of(place)
    cupboard.on_put_away = paramiko.SFTP_PERMISSION_DENIED
    place.settings(after="delete")
    place.lay("orders_1.csv")
    first, second = place.fetch(), place.fetch()
    assert (first.files, second.files) == (["inbox/orders_1.csv"], [])
    assert (first.exit_code, second.exit_code) == (1, 1)
    cupboard.on_put_away = paramiko.SFTP_OK
    assert place.fetch().exit_code == 0
    assert cupboard.removed == ["orders_1.csv"]


def test_asked_to_stop_it_leaves_nothing_half_and_what_was_due_stays_due(place: Place) -> None:
    stop = threading.Event()

    def ask(_name: str, offset: int) -> str:
        if offset >= MEGABYTE:
            stop.set()
        return ""

    cupboard_of(place).on_read = ask
    place.lay("orders_1.csv", "x" * 5 * MEGABYTE)
    told = place.fetch(stop)
    assert isinstance(told.problem, Interrupted)
    assert place.inbox() == {}
    engine = sa.create_engine(f"sqlite:///{place.project.path / 'var' / 'ledger.db'}")
    with engine.connect() as connection:
        assert connection.execute(sa.select(pickups)).all() == []
    engine.dispose()


def test_a_long_download_tells_how_far_it_is(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    class Heard(Quiet):
        said: list[str] = []  # noqa: RUF012 - one test

        def say(self, text: str, event: object, **facts: object) -> None:
            self.said.append(text)

    monkeypatch.setattr("pipeline.visit._TOLD_EVERY", 0.0)
    place.lay("orders_1.csv", "x" * MEGABYTE)
    place.fetch(progress=Heard())
    assert Heard.said[0] == "Fetching /out/orders_1.csv (1048576 bytes)"
    assert Heard.said[-1].endswith("100 %")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full here")
def test_a_full_disk_is_told_as_what_it_is() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(Unwritable, match="No space left"):
        Arriving(full).add(b"x")  # type: ignore[arg-type]


def test_no_thread_and_no_connection_is_left_behind(place: Place) -> None:
    place.lay("orders_1.csv")
    place.fetch()
    before = threading.active_count()
    cupboard_of(place).on_read = lambda name, offset: "drop" if offset >= 65536 else ""
    place.lay("orders_2.csv", "x" * 9 * MEGABYTE)
    for _ in range(3):
        place.fetch()
    waiting = threading.Event()
    for _ in range(100):
        if threading.active_count() <= before:
            break
        waiting.wait(0.1)
    assert threading.active_count() <= before


def test_a_second_fetch_waits_and_can_be_stopped_meanwhile(place: Place) -> None:
    place.lay("orders_1.csv")
    place.fetch()
    stop, said = threading.Event(), []

    class Heard(Quiet):
        def say(self, text: str, event: object, **facts: object) -> None:
            said.append(text)
            stop.set()

    with FileLock(place.project.path / "var" / "fetch.lock"):
        told = place.fetch(stop, Heard())
    assert isinstance(told.problem, Interrupted)
    assert "Another fetch is at work" in said[0]
