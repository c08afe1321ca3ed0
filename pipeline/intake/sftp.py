"""What is done at SFTP servers: list, read, put away. Nothing a server says is trusted.

Paths travel as bytes below this module's surface: a server's file names need not be UTF-8, and paramiko would give up
on a whole folder over one that is not. In ``RemoteFile.path`` such bytes are surrogate escapes, as in ``os.fsdecode``.
"""

from __future__ import annotations

import hashlib
import logging
import posixpath
import stat
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, BinaryIO

import paramiko
from paramiko.sftp import (
    CMD_CLOSE,
    CMD_DATA,
    CMD_HANDLE,
    CMD_NAME,
    CMD_OPENDIR,
    CMD_READ,
    CMD_READDIR,
    CMD_STATUS,
    int64,
)

from pipeline.errors import OrderdropError, SetupError, TargetError

_PIECE = 32 * 1024
"""What servers answer at most per request."""
_AHEAD = 64
"""Pieces asked for ahead: as many as OpenSSH asks for. Some servers break off when thousands are under way."""
_LONGEST_ANSWER = 4.0
"""Times ``timeout_seconds`` that one answer may take as a whole: that time itself counts for each byte anew."""
_MOST_NAMES = 200_000
"""A folder that never ends must not fill the memory; what lies beyond comes when the first ones are put away."""

# Its lines about broken connections would stand beside our sentences, with tracebacks.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class Unwritable(TargetError):
    """The inbox on this side takes no more; the server is not to blame."""


class FolderMissing(SetupError):
    """A folder of ``remote`` is not there, or may not be listed: wrong settings, or a partner tidies up."""


class Interrupted(OrderdropError):
    """A person asked to stop while a file was being read."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the server describes it: size in bytes, time in seconds since 1970 (0 where it tells none)."""

    path: str
    size: int
    mtime: int

    @property
    def name(self) -> str:
        """The last part of the path."""
        return posixpath.basename(self.path)


@dataclass(slots=True)
class Arriving:
    """A file under way into ``sink``; goes on where it stopped after a broken connection."""

    sink: BinaryIO
    offset: int = 0

    def __post_init__(self) -> None:
        self._digest = hashlib.sha256()

    _digest: Any = None

    def add(self, piece: bytes) -> None:
        """Write one more piece; ``Unwritable`` when there is no room for it on this side."""
        try:
            self.sink.write(piece)
        except OSError as problem:
            raise Unwritable(
                f"The inbox cannot be written: {problem.strerror}. The file stays on the server."
            ) from None
        self._digest.update(piece)
        self.offset += len(piece)

    @property
    def sha256(self) -> str:
        """Of what has arrived so far."""
        return str(self._digest.hexdigest())


class Remote:
    """An open SFTP session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def alive(self) -> bool:
        """Whether the connection still stands: then a failed call was about one file only."""
        channel = self._session.get_channel()
        return bool(not channel.closed and channel.get_transport().is_active())

    def listed(self, patterns: Sequence[str]) -> list[RemoteFile]:
        """Plain files that fit a pattern, each once, oldest first; ``SetupError`` for a folder that is not there."""
        found: dict[str, RemoteFile] = {}
        for folder in dict.fromkeys(posixpath.dirname(pattern) for pattern in patterns):
            names = [posixpath.basename(p) for p in patterns if posixpath.dirname(p) == folder]
            for file in self._files(folder):
                if any(fnmatchcase(file.name, name) for name in names):
                    found.setdefault(file.path, file)
        return sorted(found.values(), key=lambda file: (file.mtime, file.path))

    def _files(self, folder: str) -> Iterator[RemoteFile]:
        try:
            entries = self._session.entries(_bytes(folder or "."))
        except (FileNotFoundError, PermissionError) as problem:
            why = "is not there" if isinstance(problem, FileNotFoundError) else "may not be listed by this user"
            raise FolderMissing(
                f"The folder {folder or '.'} {why} on the server. Check `remote` in pipeline.toml."
            ) from None
        for raw, attributes in entries:
            name = _text(raw)
            plain = attributes.st_mode is None or stat.S_ISREG(attributes.st_mode)
            # A name with a slash is no name: a server that gives one is broken, or wants something.
            if plain and "/" not in name and "\0" not in name and name not in {"", ".", ".."}:
                yield _described(posixpath.join(folder, name), attributes)

    def look(self, path: str) -> RemoteFile | None:
        """The file as it is now; ``None`` when it is gone."""
        try:
            return _described(path, self._session.stat(_bytes(path)))
        except FileNotFoundError:
            return None

    def read(
        self, file: RemoteFile, arriving: Arriving, stop: threading.Event, told: Callable[[int], None], *, ahead: bool
    ) -> None:
        """Read on to the end of the file, or one byte past the size it should have; ``told`` hears how far it is."""
        with self._session.open(_bytes(file.path), "rb") as source:
            window = _Window(self._session, source.handle, file.size, arriving.offset, _AHEAD if ahead else 1)
            while not stop.is_set():
                piece = window.next_piece()
                if not piece:
                    return
                arriving.add(piece)
                told(arriving.offset)
                if arriving.offset > file.size:
                    return
        raise Interrupted("Stopped while a file was being fetched; it is fetched anew the next time.")

    def archive(self, path: str, folder: str, spare: str) -> None:
        """Move a file into ``folder`` beside it; ``spare`` is put behind its name where the name is taken there."""
        where = posixpath.join(posixpath.dirname(path), folder)
        try:
            self._session.stat(_bytes(where))
        except FileNotFoundError:
            self._session.mkdir(_bytes(where))
        target = posixpath.join(where, posixpath.basename(path))
        taken = self.look(target) is not None
        self._session.rename(_bytes(path), _bytes(f"{target}.{spare}" if taken else target))

    def delete(self, path: str) -> None:
        """Remove a file."""
        self._session.remove(_bytes(path))


class Session(paramiko.SFTPClient):  # type: ignore[misc]  # paramiko is untyped
    """A session that lists names as the bytes they are, and waits for ever for nothing."""

    def __init__(self, channel: paramiko.Channel, timeout: float) -> None:
        channel.settimeout(timeout)
        self._longest = _LONGEST_ANSWER * timeout
        self._until = time.monotonic() + self._longest  # the first answer is its version
        super().__init__(channel)

    def _read_response(self, waitfor: int | None = None) -> Any:  # noqa: ANN401 - as the library's
        self._until = time.monotonic() + self._longest
        return super()._read_response(waitfor)

    def _read_all(self, n: int) -> bytes:
        read = bytearray()
        while len(read) < n:
            if time.monotonic() > self._until:
                raise TimeoutError
            piece = self.sock.recv(n - len(read))
            if not piece:
                raise EOFError
            read += piece
        return bytes(read)

    def entries(self, folder: bytes) -> list[tuple[bytes, paramiko.SFTPAttributes]]:
        kind, answer = self._request(CMD_OPENDIR, folder)
        if kind != CMD_HANDLE:
            raise paramiko.SFTPError("expected a handle")
        handle = answer.get_binary()
        found: list[tuple[bytes, paramiko.SFTPAttributes]] = []
        try:
            while len(found) < _MOST_NAMES:
                kind, answer = self._request(CMD_READDIR, handle)
                if kind != CMD_NAME:
                    raise paramiko.SFTPError("expected names")
                count = answer.get_int()
                if not count:  # a server that has nothing more to tell, and does not say that it is the end
                    break
                for _ in range(count):
                    name, _long = answer.get_string(), answer.get_string()
                    found.append((name, paramiko.SFTPAttributes._from_msg(answer)))  # noqa: SLF001 - no public way
        except EOFError:  # the end of the list; a broken connection is an SSHException
            pass
        self._request(CMD_CLOSE, handle)
        return found


class _Window:
    """Reads a file in order, with a bounded number of pieces asked for ahead of their turn.

    The library's own reading ahead has no bound that ends with the connection: it leaves a thread behind.
    """

    def __init__(self, session: Session, handle: bytes, size: int, offset: int, ahead: int) -> None:
        self._session = session
        self._handle = handle
        self._size = size
        self._ahead = ahead
        self._offset = self._asked = offset
        self._length = _PIECE
        self._pending: deque[tuple[int, int]] = deque()
        self._early: dict[int, tuple[int, paramiko.Message]] = {}

    def next_piece(self) -> bytes:
        """The next bytes; none at the end. Past the size told, one more read proves that it is the end."""
        while True:
            if not self._pending:
                self._ask(self._offset)
            while len(self._pending) < self._ahead and self._asked < self._size:
                self._ask(self._asked)
            number, at = self._pending.popleft()
            piece = self._answer(number)
            if at == self._offset:
                return self._accept(piece)

    def _ask(self, offset: int) -> None:
        number = self._session._async_request(  # noqa: SLF001 - no public way without a thread
            self, CMD_READ, self._handle, int64(offset), self._length
        )
        self._pending.append((number, offset))
        self._asked = offset + self._length

    def _accept(self, piece: bytes) -> bytes:
        if len(piece) > self._length:
            raise paramiko.SFTPError("more bytes than asked for")
        self._offset += len(piece)
        if piece and len(piece) < self._length and self._offset < self._size:
            # A server that gives less at a time: what was asked further on no longer fits, so ask anew from here.
            self._length, self._asked = len(piece), self._offset
        return piece

    def _answer(self, number: int) -> bytes:
        try:
            if number in self._early:
                kind, message = self._early.pop(number)
                if kind == CMD_STATUS:
                    self._session._convert_status(message)  # noqa: SLF001 - raises what the status means
            else:
                kind, message = self._session._read_response(number)  # noqa: SLF001 - see _ask
        except EOFError:  # the end of the file; a broken connection is an SSHException
            return b""
        if kind != CMD_DATA:
            raise paramiko.SFTPError("expected data")
        return bytes(message.get_binary())

    def _async_response(self, kind: int, message: paramiko.Message, number: int) -> None:
        """Called by the session with answers that come before their turn."""
        self._early[number] = kind, message


def _described(path: str, attributes: paramiko.SFTPAttributes) -> RemoteFile:
    size = -1 if attributes.st_size is None else int(attributes.st_size)
    return RemoteFile(path, size, int(attributes.st_mtime or 0))


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
