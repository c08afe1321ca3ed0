"""``sharedStrings.xml``, piece by piece: in bulk where it is written the plain way, by the XML parser from there on."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import IO

import pyarrow as pa

from pipeline.reading.sax import fed
from pipeline.reading.xlsx_parts import SharedTextsPart
from pipeline.reading.xlsx_said import said_texts
from pipeline.reading.xlsx_tags import Grammar, Kind, NotPlain

_PIECE = 1 << 20
_LONGEST_TEXT = 1 << 24
_AT_ONCE = 20_000
_HEAD = re.compile(
    rb'(?:\xef\xbb\xbf)?(?:<\?xml version="1\.0" encoding="(?i:UTF-8)"(?: standalone="(?:yes|no)")?\s*\?>)?\s*'
    rb"<sst\b[^<>]*(?<!/)>"
)
_BEHIND_TEXT = (Kind.SI, Kind.EDGE)
_TEXTS = Grammar({
    Kind.EDGE: _BEHIND_TEXT, Kind.SI_END: _BEHIND_TEXT,
    Kind.SI: (Kind.T, Kind.T_EMPTY), Kind.T: (Kind.T_END,), Kind.T_END: (Kind.SI_END,), Kind.T_EMPTY: (Kind.SI_END,),
})  # fmt: skip
"""Texts without runs and phonetic guides."""


def shared_parts(archive: zipfile.ZipFile, name: str) -> Iterator[pa.LargeStringArray]:
    """The texts of the part in their order, some at a time."""
    given = 0
    try:
        with archive.open(name) as stream:
            for texts in _plain(stream):
                yield texts
                given += len(texts)
    except NotPlain:
        with archive.open(name) as stream:
            yield from _parsed(stream, given)


def _plain(stream: IO[bytes]) -> Iterator[pa.LargeStringArray]:
    rest = stream.read(_PIECE)
    head = _HEAD.match(rest)
    if head is None:
        raise NotPlain
    rest = rest[head.end() :]
    while chunk := stream.read(_PIECE):
        whole, ended, rest = (rest + chunk).rpartition(b"</si>")
        if whole:
            yield _texts(whole + ended)
        elif len(rest) > _LONGEST_TEXT:
            raise NotPlain
    whole, ended, _ = rest.rpartition(b"</sst>")
    if not ended or rest.rstrip() != whole + ended:
        raise NotPlain
    yield _texts(whole)


def _texts(content: bytes) -> pa.LargeStringArray:
    tags = _TEXTS.tags(content)
    at = tags.at(Kind.T, Kind.T_EMPTY)
    starts = tags.ends[at] + 1
    lengths = (tags.starts[at + 1] - starts) * (tags.kinds[at] == Kind.T)
    return said_texts(tags.piece.texts(starts, lengths), content)


def _parsed(stream: IO[bytes], after: int) -> Iterator[pa.LargeStringArray]:
    """The texts behind the first ``after`` ones as the XML parser finds them."""
    part = SharedTextsPart()
    for _ in fed(stream, part):
        if len(part.texts) >= after + _AT_ONCE:
            yield pa.array(part.texts[after:], type=pa.large_string())
            part.texts, after = [], 0
    if part.texts[after:]:
        yield pa.array(part.texts[after:], type=pa.large_string())
