"""Files arrive: which are settled, which are left alone, and that a claim is one rename."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.intake.claim import claim, clean_name, fingerprint, put_away, unfinished
from pipeline.intake.folder import look
from pipeline.intake.settle import Sight, is_left_alone, is_settled


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


LEFT_ALONE = """~$orders.xlsx .~lock.orders.csv# orders.csv.part orders.csv.crdownload orders.tmp orders.csv.filepart
Thumbs.db desktop.ini .DS_Store README.txt .hidden.csv orders.csv~ ~WRL0001.xlsx"""


@pytest.mark.parametrize("name", LEFT_ALONE.split())
def test_office_locks_and_half_copied_files_are_left_alone(name: str) -> None:
    assert is_left_alone(name)


@pytest.mark.parametrize("name", ["orders.csv", "ACME_orders_0105.xlsx", "part.csv", "tmp.xlsx", "~orders.csv"])
def test_other_names_are_not(name: str) -> None:
    assert not is_left_alone(name)


@pytest.mark.parametrize(
    ("first", "latest", "settled"),
    [
        (Sight(10, 100, 106), Sight(10, 100, 106), True),  # untouched for 6 seconds
        (Sight(10, 100, 102), Sight(10, 100, 102), False),  # touched 2 seconds ago
        (Sight(10, 100, 102), Sight(10, 100, 107), True),  # two looks 5 seconds apart
        (Sight(10, 100, 102), Sight(11, 103, 107), False),  # it grew in between
        (Sight(10, 100, 200), Sight(11, 100, 210), False),  # it grew, its time was set back
        (Sight(10, 900, 102), Sight(10, 900, 104), False),  # a clock that runs ahead proves nothing
        (Sight(10, 900, 102), Sight(10, 900, 107), True),  # but two looks do
    ],
)
def test_a_file_is_settled_when_size_and_time_have_stood_still(first: Sight, latest: Sight, settled: bool) -> None:
    assert is_settled(first, latest, 5.0) is settled


def test_files_of_the_inbox_and_of_feed_folders_are_seen_and_others_named(inbox: Path) -> None:
    (inbox / "a.csv").write_text("x")
    (inbox / "acme").mkdir()
    (inbox / "acme" / "b.csv").write_text("x")
    (inbox / "elsewhere").mkdir()
    (inbox / "elsewhere" / "c.csv").write_text("x")
    (inbox / "link.csv").symlink_to(inbox / "a.csv")
    listing = look(inbox, ["Acme"], {}, 0.0, now=inbox.stat().st_mtime + 100)
    assert sorted((d.path.name, d.subfolder) for d in listing.settled) == [("a.csv", None), ("b.csv", "Acme")]
    assert any("elsewhere" in remark for remark in listing.remarks)
    assert any("link.csv" in remark for remark in listing.remarks)


def test_a_file_still_growing_between_two_looks_is_left(inbox: Path) -> None:
    path = inbox / "a.csv"
    path.write_text("x")
    now = path.stat().st_ctime + 1
    first = look(inbox, [], {}, 5.0, now)
    assert first.unsettled == (path,)
    path.write_text("xx")
    assert look(inbox, [], first.sights, 5.0, now + 4).settled == ()
    later = look(inbox, [], look(inbox, [], first.sights, 5.0, now + 4).sights, 5.0, now + 20)
    assert [d.path for d in later.settled] == [path]


def test_older_files_come_first(inbox: Path) -> None:
    for name in ("b.csv", "a.csv"):
        (inbox / name).write_text("x")
    os.utime(inbox / "a.csv", (4_000_000_000, 4_000_000_000))
    listing = look(inbox, [], {}, 0.0, now=5_000_000_000.0)
    assert [d.path.name for d in listing.settled] == ["b.csv", "a.csv"]


def test_a_claim_moves_the_file_and_can_be_found_again(inbox: Path, tmp_path: Path) -> None:
    (inbox / "a.csv").write_text("x")
    work = tmp_path / "var" / "work"
    taken = claim(inbox / "a.csv", "acme", work)
    assert taken is not None
    assert not (inbox / "a.csv").exists()
    assert taken.path.read_text() == "x"
    assert unfinished(work) == [taken]
    assert claim(inbox / "a.csv", None, work) is None  # somebody was quicker
    assert unfinished(work) == [taken]


def test_leftovers_of_a_crash_are_cleared(tmp_path: Path) -> None:
    work = tmp_path / "work"
    (work / "empty").mkdir(parents=True)
    (work / "half").mkdir()
    (work / "half" / ".copying-a.csv").write_text("x")
    assert unfinished(work) == []
    assert list(work.iterdir()) == []


def test_a_file_called_like_the_folder_of_another_is_found_again_after_a_crash(inbox: Path, tmp_path: Path) -> None:
    (inbox / "partner").write_text("x")
    taken = claim(inbox / "partner", None, tmp_path / "work")
    assert taken is not None
    assert unfinished(tmp_path / "work") == [taken]
    assert taken.path.read_text() == "x"


def test_putting_away_twice_is_harmless(tmp_path: Path) -> None:
    path = tmp_path / "work" / "l1" / "a.csv"
    path.parent.mkdir(parents=True)
    path.write_text("x")
    target = tmp_path / "archive" / "l1" / "a.csv"
    put_away(path, target)
    put_away(path, target)
    put_away(target, target)
    assert target.read_text() == "x"
    assert not path.parent.exists()


def test_between_file_systems_the_claim_copies_and_removes(
    inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (inbox / "a.csv").write_text("x" * 100_000)
    plain = Path.rename

    def across(self: Path, target: Path) -> Path:
        if self.parent != Path(target).parent:
            raise OSError(18, "Invalid cross-device link")
        return plain(self, target)

    monkeypatch.setattr(Path, "rename", across)
    taken = claim(inbox / "a.csv", None, tmp_path / "work")
    assert taken is not None
    assert taken.path.stat().st_size == 100_000
    assert list(inbox.iterdir()) == []
    assert [p.name for p in taken.path.parent.iterdir()] == ["a.csv"]


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("orders.csv", "orders.csv"),
        ("or\nders.csv", "or_ders.csv"),
        ("caf\udce9.csv", "caf_.csv"),
        ("Ünïcode ✓.csv", "Ünïcode ✓.csv"),
    ],
)
def test_names_become_text_that_can_be_shown(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_long_names_keep_their_ending() -> None:
    assert clean_name("x" * 250 + ".xlsx") == "x" * 150 + ".xlsx"


def test_the_fingerprint_is_sha256_and_size(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    digest, size = fingerprint(tmp_path / "a")
    assert digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert size == 3
