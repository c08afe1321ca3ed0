"""The binary records of ``.xlsb`` parts ([MS-XLSB] §2.1.4), each taken apart by hand; sizes are bounded."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO

_CHUNK = 1 << 16
_LONGEST = 1 << 24
Record = tuple[int, bytes]


def records(stream: IO[bytes]) -> Iterator[Record]:
    """Number and content of each record; ``ValueError`` where the part ends amid one."""
    ahead, at = b"", 0
    while True:
        if len(ahead) - at < 6:
            ahead, at = ahead[at:] + stream.read(_CHUNK), 0
        if at == len(ahead):
            return
        number, at = _number(ahead, at, 2)
        size, at = _number(ahead, at, 4)
        if size > _LONGEST:
            raise ValueError("a record longer than any cell holds")
        while len(ahead) - at < size:
            more = stream.read(max(_CHUNK, size))
            if not more:
                raise ValueError("a record is cut short")
            ahead, at = ahead[at:] + more, 0
        yield number, ahead[at : at + size]
        at += size


def _number(data: bytes, at: int, most: int) -> tuple[int, int]:
    """Seven bits a byte, the highest bit says that another follows."""
    value = 0
    for place in range(most):
        if at >= len(data):
            raise ValueError("a record is cut short")
        value |= (data[at] & 0x7F) << 7 * place
        at += 1
        if not data[at - 1] & 0x80:
            break
    return value, at


def wide_text(body: bytes, at: int) -> tuple[str, int]:
    """A counted text and where the next thing stands; a null text is empty."""
    (count,) = struct.unpack_from("<I", body, at)
    at += 4
    if count == 0xFFFFFFFF:
        return "", at
    end = at + 2 * count
    if end > len(body):
        raise ValueError("a text is cut short")
    return body[at:end].decode("utf-16-le", "replace"), end


def rk_number(packed: int) -> float:
    """A number packed into four bytes ([MS-XLSB] §2.5.122): whole or the upper half of a double, perhaps times 100."""
    if packed & 2:
        whole = packed >> 2
        value = float(whole - (1 << 30) if whole >= 1 << 29 else whole)
    else:
        (value,) = struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))
    return value / 100 if packed & 1 else value
