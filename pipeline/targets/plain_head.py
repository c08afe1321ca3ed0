"""The heads of calls and answers as nearly all of them are: written and read without a parser for mail.

What is not as plain as that (pieces, folded lines, lengths told twice …) is ``None`` here, and read by the library.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

_STATUS = re.compile(rb"HTTP/1\.1 ([2-5][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*)?")
_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_METHOD = re.compile(r"[A-Z]+")
_LENGTH = re.compile(r"[0-9]{1,12}")
_WITHOUT_BODY = frozenset({204, 304})
_MOST_LINES = 100


@dataclass(frozen=True, slots=True)
class Head:
    """An answer whose body is of known length: ``begins`` is where it starts in what was read."""

    status: int
    headers: dict[str, str]
    begins: int
    length: int
    closes: bool


def read_head(read: bytes) -> Head | None:
    """The head that ``read`` begins with, if it is there as a whole and a plain one."""
    end = read.find(b"\r\n\r\n")
    first, *lines = read[: max(end, 0)].split(b"\r\n")
    status = _STATUS.fullmatch(first)
    if status is None or len(lines) > _MOST_LINES:
        return None
    headers: dict[str, str] = {}
    for line in lines:
        told = _field(line)
        if told is None:
            return None
        name, value = told
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    length = headers.get("content-length", "")
    number = int(status[1])
    if number in _WITHOUT_BODY or "transfer-encoding" in headers or _LENGTH.fullmatch(length) is None:
        return None
    return Head(number, headers, end + 4, int(length), "close" in headers.get("connection", "").lower())


@lru_cache(maxsize=512)
def _field(line: bytes) -> tuple[str, str] | None:
    """Name and value of a line, which as a rule came in the answer before, too."""
    told = _LINE.fullmatch(line)
    return told and (told[1].decode("latin-1").lower(), told[2].decode("latin-1").rstrip(" \t"))


def written_head(method: str, path: str, host: str, headers: Mapping[str, str]) -> bytes:
    """The head of a call; ``ValueError`` when a part of it cannot stand there."""
    if _METHOD.fullmatch(method) is None:
        raise ValueError("method")
    lines = [f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n"]
    for name, value in headers.items():
        if _NAME.fullmatch(name) is None or _VALUE.fullmatch(value) is None:
            raise ValueError("header")
        lines.append(f"{name}: {value}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("latin-1")
