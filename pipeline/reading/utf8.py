"""Whether bytes are UTF-8, told in pieces of any length: Arrow looks at many at once and makes no text of them."""

from __future__ import annotations

import pyarrow as pa

_LONGEST = 4
"""Bytes of one letter."""


class Utf8:
    """Looks at one piece of a file after another."""

    def __init__(self) -> None:
        self._rest = b""
        self.is_valid = True
        """Whether all pieces so far are UTF-8, but for a letter that the last one has only begun."""

    def look(self, piece: bytes) -> None:
        """The next piece."""
        if not self.is_valid:
            return
        text = self._rest + piece if self._rest else piece
        whole = len(text) - _begun(text)
        self._rest = text[whole:]
        self.is_valid = _is_valid(memoryview(text)[:whole]) and _may_go_on(self._rest)

    @property
    def is_cut(self) -> bool:
        """Whether the last piece ended amid a letter."""
        return self.is_valid and bool(self._rest)


def _is_valid(text: memoryview) -> bool:
    bounds = pa.array([0, len(text)], pa.int64()).buffers()[1]
    try:
        pa.LargeStringArray.from_buffers(1, bounds, pa.py_buffer(text)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _begun(text: bytes) -> int:
    """How many bytes at the end may be those of a letter that goes on in the next piece."""
    for back in range(1, min(_LONGEST, len(text) + 1)):
        byte = text[-back]
        if byte < 0x80:
            return 0
        if byte >= 0xC0:
            return back if back < _length(byte) else 0
    return 0


def _length(first: int) -> int:
    """How many bytes a letter has that begins with this one."""
    if first < 0xE0:
        return 2
    return 3 if first < 0xF0 else _LONGEST


def _may_go_on(rest: bytes) -> bool:
    """Whether these bytes can be completed to a letter."""
    if not rest:
        return True
    try:
        rest.decode()
    except UnicodeDecodeError as problem:
        return problem.reason == "unexpected end of data"
    return True
