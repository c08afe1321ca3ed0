"""Which encoding a text file is in: byte-order marks, valid UTF-8, UTF-16 by its zero bytes, else a guess."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from pipeline.errors import FileRefused
from pipeline.reading.legacy import guess, is_single_byte
from pipeline.reading.refusals import not_a_table
from pipeline.reading.runs import FEW, Runs, runs_of
from pipeline.reading.utf8 import Utf8

CHUNK = 1 << 20
_SAMPLE = 1 << 16
_CONTROLS = re.compile(rb"[\x01-\x08\x0b\x0e-\x1f\x7f]")
# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FEW = 200  # at most one zero byte in so many
_WIDE = ("utf-16", "utf-32", "utf_16", "utf_32", "u16", "u32", "utf16", "utf32")


class Encoding(Struct, frozen=True):
    """A Python codec name; ``note`` is a sentence for people when it was guessed, or some of the letters are damaged.

    ``errors`` is ``replace`` where a few bytes are no letters: what stands for them never leaves a cell unnoticed.
    """

    name: str
    note: str | None = None
    errors: str = "strict"


@dataclass(slots=True)
class _Survey:
    """What one pass over all bytes tells. ``foreign`` are some of the lines with bytes beyond ASCII.

    ``is_cut``: all of it is UTF-8 but for a letter that ends with the file before it is complete.
    """

    head: bytes = b""
    size: int = 0
    zeros: int = 0
    is_utf8: bool = True
    is_cut: bool = False
    foreign: bytearray | None = None


def find_encoding(path: Path, hint: str | None = None) -> Encoding:
    """The encoding of a text file; every byte is looked at, because one late ``é`` decides.

    ``FileRefused``: ``not_a_table`` for binary content, ``undecodable`` for an unknown hint or a mixture.
    """
    if hint:
        return _named(path, hint)
    survey = _survey(path)
    for mark, name in _MARKS:
        if survey.head.startswith(mark):
            is_whole = name != "utf-8" or survey.is_utf8 or survey.is_cut
            return Encoding(name) if is_whole else _damaged(runs_of(path), is_marked=True) or Encoding(name)
    few = 0 < survey.zeros * _FEW <= survey.size
    if survey.zeros and not few:
        return _wide(path, survey.head)
    if len(_CONTROLS.findall(survey.head)) > max(2, len(survey.head) // 50):
        raise not_a_table(path, "binary content")
    if survey.is_cut:
        raise _cut_amid_a_letter(path)
    found = _found(path, survey)
    return _with_zeros(found) if few else found


def _found(path: Path, survey: _Survey) -> Encoding:
    """UTF-8, UTF-8 that was damaged on the way, or an older encoding; two of them equally likely are refused."""
    foreign = bytes(survey.foreign or b"")
    if survey.is_utf8:
        if foreign and (other := _other_reading(foreign)) is not None:
            raise _two_readings(path, "utf-8", other, foreign)
        return Encoding("utf-8")
    runs = runs_of(path)
    return _damaged(runs) or _guessed(path, foreign, runs)


def _damaged(runs: Runs, *, is_marked: bool = False) -> Encoding | None:
    """UTF-8 with a few bytes that are no letters in it, ``None`` for what is none."""
    if not (runs.is_damaged_utf8 or (is_marked and runs.none <= FEW)):
        return None
    places = "1 place" if runs.none == 1 else f"{runs.none:,} places"
    note = (
        f"The file is UTF-8, but in {places} (the first in line {runs.line['none']}) its bytes are no letters; a row "
        "with one in a cell that is asked for comes back."
    )
    return Encoding("utf-8", note, "replace")


def _with_zeros(found: Encoding) -> Encoding:
    """Some programs leave a zero byte in an empty cell, some disks in a damaged one: nobody knows which it was."""
    told = "The file holds zero bytes, which are no letters; a row with one in a cell that is asked for comes back."
    return replace(found, note=f"{found.note} {told}" if found.note else told)


def _named(path: Path, hint: str) -> Encoding:
    try:
        "a".encode(hint)
    except LookupError:
        raise FileRefused(
            "undecodable",
            f"{path.name} cannot be read: the mapping names the encoding '{hint}', which nobody knows.",
            "Correct `files: {encoding: …}` in the mapping (say, utf-8 or cp1252), or leave it out.",
        ) from None
    head = _head(path)
    if not hint.casefold().startswith(_WIDE) and head.count(0) * _FEW > len(head):
        raise not_a_table(path, "binary content")
    named = _with_order(path, hint)
    if (runs := garbled_by(path, named.name)) is not None:
        raise _named_wrongly(path, hint, runs)
    if codecs.lookup(named.name).name in {"utf-8", "utf-8-sig"} and not decodes_whole(path, named.name):
        return _damaged(runs_of(path)) or named
    return named


def garbled_by(path: Path, name: str) -> Runs | None:
    """The letters of a file that are whole in UTF-8 only, where the named encoding would make each of them several."""
    if len("ü".encode().decode(name, "replace")) < 2 or not decodes_whole(path, "utf-8"):
        return None
    runs = runs_of(path)
    return runs if runs.letters and not runs.accidents else None


def _with_order(path: Path, hint: str) -> Encoding:
    """A hint of plain ``utf-16`` leaves the byte order to the mark; so does this."""
    head = _head(path)
    for mark, name in _MARKS:
        if head.startswith(mark) and name.startswith(hint.casefold().replace("_", "-")):
            return Encoding(name)
    return Encoding(hint)


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_SAMPLE)


def _survey(path: Path) -> _Survey:
    survey, utf8 = _Survey(foreign=bytearray()), Utf8()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            survey.head = survey.head or chunk[:_SAMPLE]
            survey.size += len(chunk)
            survey.zeros += chunk.count(0) if 0 in chunk else 0
            utf8.look(chunk)
            _keep_foreign_lines(survey, chunk)
    survey.is_cut = utf8.is_cut
    survey.is_utf8 = utf8.is_valid and not utf8.is_cut
    return survey


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _keep_foreign_lines(survey: _Survey, chunk: bytes) -> None:
    """Lines that are no UTF-8 are worth more than those that are: some of the first, few of the second."""
    if survey.foreign is None or len(survey.foreign) > _SAMPLE or chunk.isascii():
        return
    allowance = _SAMPLE // 4
    for line in (whole[:4096] for whole in chunk.splitlines() if not whole.isascii()):
        valid = _is_utf8(line)
        allowance -= len(line) if valid else 0
        if not valid or allowance > 0:
            survey.foreign += line + b"\n"
        if len(survey.foreign) > _SAMPLE:
            return


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _wide(path: Path, head: bytes) -> Encoding:
    """UTF-16 or UTF-32 without a mark, told by where the zero bytes of its delimiters and digits stand."""
    zeros = [head[start::4].count(0) / max(1, len(head[start::4])) for start in range(4)]
    if min(zeros[2:]) > 0.95 and zeros[0] < 0.1:
        return _proved(path, "utf-32-le", head)
    if min(zeros[:2]) > 0.95 and zeros[3] < 0.1:
        return _proved(path, "utf-32-be", head)
    even, odd = (zeros[0] + zeros[2]) / 2, (zeros[1] + zeros[3]) / 2
    if odd > 0.1 and even < 0.02:
        return _proved(path, "utf-16-le", head)
    if even > 0.1 and odd < 0.02:
        return _proved(path, "utf-16-be", head)
    raise not_a_table(path, "binary content")


def _proved(path: Path, name: str, head: bytes) -> Encoding:
    text = head[: len(head) // 4 * 4].decode(name, "replace")
    odd = sum(1 for char in text if not char.isprintable() and char not in "\r\n\t")
    if odd > len(text) // 50 or not decodes_whole(path, name):
        raise not_a_table(path, "binary content")
    return Encoding(name, f"Read as {name} (found by its zero bytes; the file has no byte-order mark).")


def _guessed(path: Path, foreign: bytes, runs: Runs) -> Encoding:
    found = guess(foreign)
    name = found.name
    if runs.letters if is_single_byte(name) else runs.has_wide:
        raise _mixture(path, runs, name)
    if found.is_noise:
        raise _no_words(path, runs.line["none"])
    if found.rivals:
        raise _two_readings(path, name, found.rivals[0], foreign)
    return Encoding(
        name,
        f"The file is not UTF-8; its letters were read as {name}. If names look wrong, name the encoding in "
        "the mapping: `files: {encoding: …}`.",
    )


def decodes_whole(path: Path, name: str) -> bool:
    """Whether every byte of the file is valid in the encoding."""
    decoder = codecs.getincrementaldecoder(name)()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            if not _decodes(decoder, chunk):
                return False
    return _decodes(decoder, b"", final=True)


def _cut_amid_a_letter(path: Path) -> FileRefused:
    return FileRefused(
        "undecodable",
        f"{path.name} ends in the middle of a letter: either it is UTF-8 and was cut short on the way, or its last "
        "letter is in an older encoding.",
        "Send it again whole; if it is complete, name its encoding in the mapping: `files: {encoding: cp1252}`.",
    )


def _mixture(path: Path, runs: Runs, name: str) -> FileRefused:
    """UTF-8 beside letters that are none: any one encoding would garble some names silently."""
    return FileRefused(
        "undecodable",
        f"{path.name} mixes encodings: line {runs.line['letters']} is UTF-8, line {runs.line['none']} is not (perhaps "
        f"{name}).",
        "Save the whole file in one encoding (in Excel: CSV UTF-8) and drop it again, or name one in the "
        "mapping: `files: {encoding: …}`.",
    )


def _no_words(path: Path, line: int) -> FileRefused:
    return FileRefused(
        "undecodable",
        f"{path.name} is not UTF-8, and none of the older encodings makes words of its letters (the first in line "
        f"{line}).",
        "Save the file as CSV UTF-8 and drop it again, or name its encoding in the mapping: `files: {encoding: …}`.",
    )


def _named_wrongly(path: Path, hint: str, runs: Runs) -> FileRefused:
    """A pin of one letter per byte for a file whose letters are all UTF-8: ``JÃ¼rgen`` would be sent."""
    return FileRefused(
        "undecodable",
        f"{path.name} is UTF-8 (its letters, from line {runs.line['letters']} on, are whole only in it), but the "
        f"mapping names the encoding '{hint}'.",
        "Take `files: {encoding: …}` out of the mapping, so that it is found, or write utf-8 there; then drop the file "
        "again.",
    )


def _other_reading(foreign: bytes) -> str | None:
    """The older encoding that gives words where UTF-8 gives letters of a script amid another; else ``None``."""
    runs = Runs()
    runs.count(foreign)
    if runs.letters or not runs.accidents:
        return None
    other = guess(foreign)
    return None if other.is_noise else other.name


def _two_readings(path: Path, one: str, other: str, foreign: bytes) -> FileRefused:
    """Two encodings that are equally likely; the first word in which they differ shows it."""
    words = [word for word in re.split(rb"[\x00-\x20,;|\"]+", foreign) if not word.isascii()]
    readings = ((word.decode(one, "replace"), word.decode(other, "replace")) for word in words)
    first, second = next((pair for pair in readings if pair[0] != pair[1]), ("", ""))
    return FileRefused(
        "ambiguous_encoding",
        f"{path.name} can be read in two encodings that are equally likely: “{first}” in {one}, “{second}” in {other}.",
        f"Name the right one in the mapping, for example `files: {{encoding: {one}}}`, or save the file as UTF-8.",
    )
