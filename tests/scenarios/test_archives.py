"""Archives dropped into the inbox: opened safely, each file in them taken as if it had been dropped itself."""

from __future__ import annotations

import gzip
import io
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import openpyxl
import pytest
from project import HEADER, ProjectFolder, order_row

from pipeline.errors import FileRefused
from pipeline.intake.archives import archive_kind, unpack
from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer) -> ProjectFolder:
    return ProjectFolder.make(tmp_path / "p", sandbox.base_urls())


def rows(*numbers: str, **odd: str) -> bytes:
    return "\n".join((HEADER, *(order_row(number, **odd) for number in numbers), "")).encode()


def zipped(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def created(sandbox: SandboxServer, prefix: str) -> Counter[str]:
    seen = (order["source_id"] for order in sandbox.truth()["orderdesk"]["orders"])
    return Counter(number for number in seen if number.startswith(prefix))


def test_each_file_of_a_zip_is_a_file_of_its_own(project: ProjectFolder, sandbox: SandboxServer) -> None:
    two = {"orders_1.csv": rows("Z1"), "deep/orders_2.csv": rows("Z2", qty="two")}
    zipped(project.path / "inbox/daily.zip", two | {"__MACOSX/._orders_1.csv": b"x"})
    first = project.run()
    assert first.code == 1, first.err
    told = {entry["file"]: entry for entry in first.json()["files"]}
    assert set(told) == {"daily.zip", "orders_1.csv", "orders_2.csv"}
    assert told["daily.zip"]["notes"] == ["Unpacked: orders_1.csv, orders_2.csv."]
    assert (told["daily.zip"]["state"], told["orders_1.csv"]["state"]) == ("closed", "closed")
    assert created(sandbox, "Z") == {"Z1": 1}
    assert sorted(path.name for path in (project.path / "var/archive").rglob("*.*")) == sorted(told)
    assert not list((project.path / "var/work").iterdir())

    book = openpyxl.load_workbook(project.path / told["orders_2.csv"]["workbook"])
    sheet = book["Fix these rows"]
    sheet.cell(2, HEADER.split(",").index("Qty") + 1).value = "2"
    book.save(project.path / "fixed.xlsx")
    zipped(project.path / "inbox/back.zip", {"orders_2.errors.xlsx": (project.path / "fixed.xlsx").read_bytes()})
    second = project.run()
    assert (second.code, created(sandbox, "Z")) == (0, {"Z1": 1, "Z2": 1}), second.err
    assert project.status()["balanced"]


def test_a_gz_is_the_file_in_it_and_comes_only_once(project: ProjectFolder, sandbox: SandboxServer) -> None:
    packed = gzip.compress(rows("G1"), mtime=0)
    for _ in range(2):
        (project.path / "inbox/orders_7.csv.gz").write_bytes(packed)
        assert project.run().code == 0
    states = Counter((entry["file"], entry["state"]) for entry in project.status()["files"])
    assert states == {("orders_7.csv.gz", "closed"): 2, ("orders_7.csv", "closed"): 1, ("orders_7.csv", "duplicate"): 1}
    assert created(sandbox, "G") == {"G1": 1}


def test_a_feed_folder_counts_for_what_is_in_the_archive(project: ProjectFolder, sandbox: SandboxServer) -> None:
    (project.path / "inbox/orders").mkdir()
    zipped(project.path / "inbox/orders/any.zip", {"whatever.csv": rows("F1")})
    assert project.run().code == 0
    assert created(sandbox, "F") == {"F1": 1}


def test_an_archive_that_is_refused_comes_back_as_a_workbook(project: ProjectFolder) -> None:
    zipped(
        project.path / "inbox/bad.zip", {"inner.zip": zipped(project.path / "i.zip", {"a.csv": b"a,b"}).read_bytes()}
    )
    told = project.run()
    (entry,) = told.json()["files"]
    assert (told.code, entry["state"], entry["code"]) == (1, "refused", "nested_archive")
    assert (project.path / entry["workbook"]).is_file()
    assert [path.name for path in (project.path / "var/archive").rglob("bad.zip")] == ["bad.zip"]


def test_a_preview_looks_into_an_archive_with_one_file(project: ProjectFolder, tmp_path: Path) -> None:
    told = project.call("preview", str(zipped(tmp_path / "one.zip", {"orders_9.csv": rows("P1")})), "--json")
    assert (told.code, told.json()["file"]) == (0, "one.zip/orders_9.csv")
    several = project.call("preview", str(zipped(tmp_path / "two.zip", {"a.csv": rows("P1"), "b.csv": rows("P2")})))
    assert several.code == 1
    assert "holds 2 files" in several.err
    assert not list((project.path / "inbox").iterdir())


# --- what is never opened --------------------------------------------------------------------------------------------


def raw(path: Path, make: Callable[[zipfile.ZipFile], None]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        make(archive)
    return path


def refusal(path: Path, tmp_path: Path) -> str:
    kind = archive_kind(path)
    assert kind is not None
    with pytest.raises(FileRefused) as caught:
        unpack(path, kind, tmp_path / "out")
    assert path.name in caught.value.message
    return caught.value.code


@pytest.mark.parametrize("name", ["../evil.csv", "a/../../evil.csv", "/etc/evil.csv", "C:\\evil.csv", "..\\evil.csv"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    path = raw(tmp_path / "x.zip", lambda archive: archive.writestr(zipfile.ZipInfo(name), "a,b\n"))
    assert refusal(path, tmp_path) == "unsafe_archive"
    assert not list(tmp_path.rglob("evil*"))


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert refusal(raw(tmp_path / "x.zip", lambda a: a.writestr(link, "/etc/passwd")), tmp_path) == "unsafe_archive"


def test_encrypted_archives_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"a.csv": b"a,b\n1,2\n"})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert refusal(path, tmp_path) == "password_protected"


def test_bombs_stop_early(tmp_path: Path) -> None:
    zeros = io.BytesIO()
    with gzip.GzipFile(fileobj=zeros, mode="wb", mtime=0) as packed:
        for _ in range(120):
            packed.write(b"0" * (1 << 20))
    bomb = tmp_path / "bomb.csv.gz"
    bomb.write_bytes(zeros.getvalue())
    assert refusal(bomb, tmp_path) == "too_large_inside"
    assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) < 60_000_000


@pytest.mark.parametrize("cut", [30, 200])
def test_cut_archives_are_damaged(tmp_path: Path, cut: int) -> None:
    whole = zipped(tmp_path / "x.zip", {"a.csv": rows("1", "2", "3")}).read_bytes()
    (tmp_path / "x.zip").write_bytes(whole[:-cut])
    assert refusal(tmp_path / "x.zip", tmp_path) == "damaged_archive"


def test_a_list_of_parts_that_points_nowhere_is_damage(tmp_path: Path) -> None:
    content = bytearray(zipped(tmp_path / "x.zip", {"a.csv": rows("1")}).read_bytes())
    end = content.index(b"PK\x05\x06")
    content[end + 16 : end + 20] = (int.from_bytes(content[end + 16 : end + 20], "little") + 5000).to_bytes(4, "little")
    (tmp_path / "x.zip").write_bytes(content)
    assert refusal(tmp_path / "x.zip", tmp_path) == "damaged_archive"


def test_a_tar_inside_is_an_archive_inside_and_no_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(b"a.csv".ljust(257, b"\0") + b"ustar" + b"\0" * 250))
    assert refusal(tmp_path / "x.tar.gz", tmp_path) == "nested_archive"
    assert refusal(raw(tmp_path / "y.zip", lambda _: None), tmp_path / "2") == "empty_archive"
    many = raw(tmp_path / "z.zip", lambda a: [a.writestr(f"{n}.csv", "") for n in range(1001)] and None)
    assert refusal(many, tmp_path / "3") == "unsafe_archive"


def test_workbooks_are_no_archives(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "x.xlsx")
    (tmp_path / "t.zip").write_text("PK,but,text\n")
    assert archive_kind(tmp_path / "x.xlsx") is None
    assert archive_kind(tmp_path / "t.zip") is None
