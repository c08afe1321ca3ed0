"""Which encoding a text file is in: byte-order marks, valid UTF-8, UTF-16 by its zero bytes, else a guess."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import FileRefused
from pipeline.reading.legacy import best_guess, is_single_byte
from pipeline.reading.refusals import not_a_table

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


@dataclass(frozen=True, slots=True)
class Encoding:
    """A Python codec name; ``note`` is a sentence for people when it was guessed."""

    name: str
    note: str | None = None


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
            return Encoding(name)
    few = 0 < survey.zeros * _FEW <= survey.size
    if survey.zeros and not few:
        return _wide(path, survey.head)
    if len(_CONTROLS.findall(survey.head)) > max(2, len(survey.head) // 50):
        raise not_a_table(path, "binary content")
    if survey.is_cut:
        raise _cut_amid_a_letter(path)
    found = Encoding("utf-8") if survey.is_utf8 else _guessed(path, bytes(survey.foreign or b""))
    return _with_zeros(found) if few else found


def _with_zeros(found: Encoding) -> Encoding:
    """Some programs leave a zero byte in an empty cell, some disks in a damaged one: nobody knows which it was."""
    told = "The file holds zero bytes, which are no letters; a row with one in a cell that is asked for comes back."
    return Encoding(found.name, f"{found.note} {told}" if found.note else told)


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
    return _with_order(path, hint)


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
    survey = _Survey(foreign=bytearray())
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            survey.head = survey.head or chunk[:_SAMPLE]
            survey.size += len(chunk)
            survey.zeros += chunk.count(0)
            survey.is_utf8 = survey.is_utf8 and _decodes(decoder, chunk)
            _keep_foreign_lines(survey, chunk)
    survey.is_cut = survey.is_utf8 and not _decodes(decoder, b"", final=True)
    survey.is_utf8 = survey.is_utf8 and not survey.is_cut
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


def _guessed(path: Path, foreign: bytes) -> Encoding:
    name = best_guess(foreign)
    if is_single_byte(name):
        _refuse_mixture(path, foreign, name)
    elif not decodes_whole(path, name):
        name = best_guess(foreign, single_only=True)
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


def _refuse_mixture(path: Path, foreign: bytes, name: str) -> None:
    """Lines of valid UTF-8 beside lines that are not: any one encoding would garble some names silently."""
    valid = sum(1 for line in foreign.splitlines() if _is_utf8(line))
    if not valid:
        return
    raise FileRefused(
        "undecodable",
        f"{path.name} mixes encodings: some lines are UTF-8, others are not (perhaps {name}).",
        "Save the whole file in one encoding (in Excel: CSV UTF-8) and drop it again, or name one in the "
        "mapping: `files: {encoding: …}`.",
    )
