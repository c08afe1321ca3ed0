"""What a file is, by its content; its name is only a rumour."""

from __future__ import annotations

import json
import mmap
import re
import stat
import struct
import zipfile
import zlib
from pathlib import Path

from pipeline.errors import FileRefused
from pipeline.reading.refusals import (
    damaged,
    empty,
    not_a_table,
    password_protected,
    readable,
    too_large_inside,
    unsafe,
)

LARGEST_INSIDE = 1_500_000_000
LARGEST_WHOLE = 400_000_000
"""Bytes of a part that is held in memory."""
LARGEST_STREAMED = 4_000_000_000
"""Bytes of all parts of an ``.xlsx`` that are read as a stream: its sheets, and the texts they share."""
_STREAMED = re.compile(r"/worksheets/[^/]+\.xml$|/sharedstrings\.xml$", re.IGNORECASE)
LARGEST_RATIO = 200
RATIO_COUNTS_FROM = 50_000_000
BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    KeyError,
    ValueError,
)

_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Excel 2 to 4 wrote the records bare, without the OLE2 wrapping.
_BARE_XLS = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00")
_OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"II*\x00", "a picture (TIFF)"),
    (b"MM\x00*", "a picture (TIFF)"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"\x1f\x8b", "a compressed file (gzip)"),
    (b"7z\xbc\xaf\x27\x1c", "a compressed archive (7z)"),
    (b"Rar!", "a compressed archive (RAR)"),
    (b"BZh", "a compressed file (bzip2)"),
    (b"\xfd7zXZ", "a compressed file (xz)"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
)
_UNPACK = "Unpack it and drop the files inside, each on its own."
# Content types of the workbook part: ECMA-376 part 1 §15.2, and [MS-XLSB] §2.1.7.
_WORKBOOK_TYPES = (
    ("xlsx", "spreadsheetml.sheet.main+xml"),
    ("xlsx", "spreadsheetml.template.main+xml"),
    ("xlsm", "ms-excel.sheet.macroenabled.main+xml"),
    ("xlsm", "ms-excel.template.macroenabled.main+xml"),
    ("xlsb", "ms-excel.sheet.binary.macroenabled.main"),
)


def sniff_format(path: Path) -> str:
    """``csv``, ``html``, ``xml``, ``xlsx``, ``xlsm``, ``xlsb``, ``ods`` or ``xls`` by content, or ``FileRefused``."""
    with readable(path):
        if not stat.S_ISREG(path.stat().st_mode):
            raise FileRefused(
                "unreadable",
                f"{path.name} is not a file.",
                "Drop the files themselves, not a folder or a link to one.",
            )
        with path.open("rb") as stream:
            head = stream.read(8192)
        return _by_content(path, head)


def _by_content(path: Path, head: bytes) -> str:
    if not head:
        raise empty(path)
    if head.startswith(b"PK"):
        return _inside_zip(path)
    if head.startswith(_OLE2):
        return _inside_ole2(path)
    if head.startswith(_BARE_XLS):
        return "xls"
    for magic, what in _OTHERS:
        if head.startswith(magic):
            raise not_a_table(path, what, _UNPACK if "compressed" in what else _save_the_table(what))
    return _markup(path, head) or "csv"


def _save_the_table(what: str) -> str:
    return f"Ask the sender for the table itself, as CSV or as an Excel workbook; {what} cannot be taken in."


def _inside_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            _refuse_bomb(path, archive)
            if "mimetype" in names and b"opendocument.spreadsheet" in archive.read("mimetype")[:200]:
                return _open_ods(path, archive)
            types = _content_types(archive, names)
    except BROKEN_ZIP:
        # A text may well begin with the letters PK; a zip that does not list its parts is cut short.
        return _text_or_cut_zip(path)
    for name, content_type in _WORKBOOK_TYPES:
        if content_type in types:
            return name
    if any(word in types for word in ("wordprocessingml", "presentationml")):
        raise not_a_table(path, "a Word or PowerPoint document", _save_the_table("a document"))
    raise not_a_table(path, "a zip archive", _UNPACK)


def _text_or_cut_zip(path: Path) -> str:
    with path.open("rb") as stream:
        if stream.read(4) not in {b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"}:
            return "csv"
    raise damaged(path, "the end of the file is missing or its parts do not fit together")


def _content_types(archive: zipfile.ZipFile, names: set[str]) -> str:
    if "[Content_Types].xml" not in names:
        return ""
    return archive.read("[Content_Types].xml").decode("utf-8", "replace").casefold()


def _open_ods(path: Path, archive: zipfile.ZipFile) -> str:
    manifest = archive.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in archive.namelist() else b""
    if b"encryption-data" in manifest:
        raise password_protected(path)
    return "ods"


def _refuse_bomb(path: Path, archive: zipfile.ZipFile) -> None:
    """Sizes come from the archive's own list; reading stops at them, so a lie there gains nothing."""
    parts = archive.infolist()
    if any(part.flag_bits & 1 for part in parts):
        raise password_protected(path)
    swollen = [
        part
        for part in parts
        if part.file_size > RATIO_COUNTS_FROM and part.file_size > LARGEST_RATIO * max(part.compress_size, 1)
    ]
    streamed = [part.file_size for part in parts if _STREAMED.search(part.filename)]
    whole = [part.file_size for part in parts if not _STREAMED.search(part.filename)]
    if (
        swollen
        or max(whole, default=0) > LARGEST_WHOLE
        or sum(whole) > LARGEST_INSIDE
        or sum(streamed) > LARGEST_STREAMED
    ):
        raise too_large_inside(path)


def refuse_declarations(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse a workbook part that declares a document type or entities (billion laughs, file inclusion)."""
    for part in archive.infolist():
        if part.filename.casefold().endswith((".xml", ".rels")):
            with archive.open(part) as stream:
                head = stream.read(65536).replace(b"\x00", b"").upper()
            if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                raise unsafe(path, f"its part {part.filename} declares a document type, which no workbook needs")


def _inside_ole2(path: Path) -> str:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if _names(content, "EncryptionInfo"):
            raise password_protected(path)
        if _names(content, "Workbook") or _names(content, "Book"):
            return "xls"
        if _is_cut_short(content):
            raise damaged(path, "its end is missing")
        if _names(content, "WordDocument") or _names(content, "PowerPoint Document"):
            raise not_a_table(path, "a Word or PowerPoint document", _save_the_table("a document"))
    raise not_a_table(path, "an old Office file without a workbook inside", _save_the_table("this kind of file"))


def _is_cut_short(content: mmap.mmap) -> bool:
    """Whether the directory, at the sector the header names, lies beyond the end ([MS-CFB] §2.2)."""
    if len(content) < 512:
        return True
    (sector_power,) = struct.unpack_from("<H", content, 30)
    (directory,) = struct.unpack_from("<I", content, 48)
    return bool((directory + 2) << min(sector_power, 12) > len(content))


def _names(content: mmap.mmap, entry: str) -> bool:
    """Whether the directory of an OLE2 file names the entry (64 bytes of UTF-16, [MS-CFB] §2.6.1)."""
    return content.find(entry.encode("utf-16-le").ljust(2 * len(entry) + 2, b"\x00")) >= 0


SAVE_WEB_PAGE = "Open it in Excel, save it as .xlsx (or as CSV UTF-8) and drop that."
_WEB_ARCHIVE = re.compile(r"(?:[\w-]{1,40}:[^\n]{0,500}\n\s?){0,20}(?:mime-version:|content-type:\s*multipart/)")
_SPREADSHEET_ML = re.compile(r"""<(?:[\w-]+:)?workbook\b[^>]*["']urn:schemas-microsoft-com:office:spreadsheet["']""")
_FLAT_ODS = re.compile(r"<(?:[\w-]+:)?document\b[^>]*vnd\.oasis\.opendocument\.spreadsheet")
_PAGE = re.compile(r"<!doctype html|<html|<head|<body|<table|<meta|<style|<div|<center")
_MARKUP = re.compile(r"<[a-z!?]")
_PAGE_INSIDE = re.compile(r"<html|<table[\s>]")
_XML = re.compile(r"<\?xml|<!--|<[a-z:_]+[^<>]*xmlns")


def _markup(path: Path, head: bytes) -> str | None:
    """``html``, ``xml`` or ``ods`` for a table in markup, ``None`` for what is no markup; other markup is refused."""
    text = head.replace(b"\x00", b"").removeprefix(b"\xef\xbb\xbf").decode("latin-1").lstrip("\xff\xfe \t\r\n")
    start = text.casefold()
    if _WEB_ARCHIVE.match(start):
        raise not_a_table(path, "a web archive (MHTML)", SAVE_WEB_PAGE)
    if start.startswith("<") and _SPREADSHEET_ML.search(start):
        return "xml"
    if start.startswith("<") and _FLAT_ODS.search(start):
        return "ods"
    if _PAGE.match(start) or (_MARKUP.match(start) and _PAGE_INSIDE.search(start)):
        return "html"
    if _XML.match(start):
        raise not_a_table(path, "an XML document")
    if _is_json(text):
        raise not_a_table(path, "JSON", "Export the same rows as CSV or as an Excel workbook and drop that.")
    return None


def _is_json(text: str) -> bool:
    """Whether the text begins as JSON does: an object with a quoted name, or a list of such objects."""
    if re.match(r'\{\s*"[^"]*"\s*:|\[\s*\{\s*"[^"]*"\s*:', text):
        return True
    try:
        return isinstance(json.loads(text), (dict, list))
    except (ValueError, RecursionError):
        return False
