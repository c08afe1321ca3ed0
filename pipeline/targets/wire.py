"""Calls over kept-alive connections, on the standard library's HTTP: what may have left, and what came back.

Only connecting, and what is checked before the first byte, can fail as ``NotSent``; from there on everything that goes
wrong is ``Unanswered``. A connection is used again only after a whole answer, and only while its other end is quiet:
one that was closed meanwhile is readable.
"""

from __future__ import annotations

import select
import socket
import ssl
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, lru_cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from io import BufferedReader, RawIOBase
from typing import Any, BinaryIO
from urllib.parse import quote, urlsplit

from pipeline.targets.contract import Answer, Signed
from pipeline.targets.plain_head import Head, read_head, written_head
from pipeline.targets.sending import MAX_ANSWER_BYTES, TOO_LARGE, TOO_SLOW, Meanwhile, NotSent, Unanswered, nothing

_PIECE = 64 * 1024
_BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
_UNQUOTED = "!#$%&'()*+,/:;=?@[]~"
"""What a path and query may hold as they are; anything else is escaped, and what is escaped already stays so."""


_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class _Place:
    scheme: str
    host: str
    port: int

    @cached_property
    def shown(self) -> str:
        """The host as a call names it; ``ValueError`` for a name that cannot be."""
        host = self.host if self.host.isascii() else self.host.encode("idna").decode("ascii")
        told = f"[{host}]" if ":" in host else host
        return told if self.port == _PORTS[self.scheme] else f"{told}:{self.port}"


class _Watched:
    """A reader that remembers the last line it gave."""

    def __init__(self, reader: BinaryIO) -> None:
        self.reader = reader
        self.last = b""

    def readline(self, limit: int = -1) -> bytes:
        self.last = self.reader.readline(limit)
        return self.last

    def close(self) -> None:
        self.reader.close()


class _WholeHead(HTTPResponse):
    """The standard library takes the end of the connection for the end of the head; here that is no answer."""

    def begin(self) -> None:
        watched: Any = _Watched(self.fp)
        self.fp = watched  # begin() reads lines only
        try:
            super().begin()
        finally:
            if self.fp is watched:
                self.fp = watched.reader  # type: ignore[attr-defined]
        if watched.last not in {b"\r\n", b"\n"}:
            raise HTTPException("cut off in the head")


class _Again(RawIOBase):
    """A socket with what was read of it already; the library takes it for the socket itself."""

    def __init__(self, sock: socket.socket, read: bytes, in_time: Callable[[], None]) -> None:
        super().__init__()
        self._sock = sock
        self._read = read
        self._in_time = in_time

    def makefile(self, _mode: str) -> BufferedReader:
        """As of a socket."""
        return BufferedReader(self)

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - a writable buffer
        """What was read before, then what comes."""
        if not self._read:
            self._in_time()  # heads, lines about chunks, "100 Continue": the library reads on as long as some come
            return self._sock.recv_into(buffer)
        piece, self._read = self._read[: len(buffer)], self._read[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


_Connection = HTTPConnection | HTTPSConnection
"""The library connects; what is said over the line afterwards is said here."""


class Wire:
    """Connections to the hosts of one account; as many are kept as calls were ever under way at once."""

    def __init__(self, timeout: float, clock: Callable[[], float]) -> None:
        self._timeout = timeout
        self._clock = clock
        self._idle: dict[_Place, deque[_Connection]] = {}

    def close(self) -> None:
        """Close all connections that are not in use."""
        for waiting in self._idle.values():
            while waiting:
                waiting.pop().close()

    def send(self, signed: Signed, meanwhile: Meanwhile = nothing) -> Answer:
        """Send once. Time-outs are in seconds and bound the whole answer, not only each piece of it."""
        place, path = _apart(signed.url)
        idle = self._idle.setdefault(place, deque())
        call = _written(signed, path, place)
        connection = _quiet_one(idle) or self._connected(place)
        whole = False
        try:
            answer, whole = self._exchange(connection.sock, signed.method, call, meanwhile)
        finally:
            if whole:
                idle.append(connection)
            else:
                connection.close()
        return answer

    def _connected(self, place: _Place) -> _Connection:
        try:
            connection = self._connection(place)
            connection.connect()
            connection.sock.settimeout(self._timeout)
        except (OSError, ValueError, HTTPException) as problem:
            raise NotSent(_why_not_connected(problem)) from None
        return connection

    def _connection(self, place: _Place) -> _Connection:
        patience = min(10.0, self._timeout)
        if place.scheme == "https":
            return HTTPSConnection(place.host, place.port, timeout=patience, context=self._tls)
        return HTTPConnection(place.host, place.port, timeout=patience)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Certificates are verified against the system's own list; where it has none, against certifi's."""
        context = ssl.create_default_context()
        paths = ssl.get_default_verify_paths()
        if not (paths.cafile or paths.capath):
            import certifi

            context.load_verify_locations(certifi.where())
        return context

    def _exchange(self, sock: socket.socket, method: str, call: bytes, meanwhile: Meanwhile) -> tuple[Answer, bool]:
        """The answer, and whether the connection can carry another call."""
        started, writing = self._clock(), True
        try:
            sock.sendall(call)
            writing = False
            meanwhile()
            read = sock.recv(_PIECE)
            head = read_head(read) if method != "HEAD" else None
            if head is None:
                return self._long_answer(sock, method, read, started)
            body = self._rest(sock, head, read[head.begins :], started)
        except (OSError, HTTPException, ValueError) as problem:
            raise Unanswered(_why_unanswered(problem, writing=writing)) from None
        kept = not head.closes and len(body) == head.length
        return Answer(head.status, head.headers, _unpacked(body[: head.length], head.headers)), kept

    def _rest(self, sock: socket.socket, head: Head, body: bytes, started: float) -> bytes:
        """The whole body, of which the first part has been read."""
        if len(body) >= head.length:
            return body
        pieces, size = [body], len(body)
        while size < head.length:
            piece = sock.recv(min(_PIECE, head.length - size))
            if not piece:
                raise HTTPException("cut off")
            pieces.append(piece)
            size += len(piece)
            self._bound(size, started)
        return b"".join(pieces)

    def _long_answer(self, sock: socket.socket, method: str, read: bytes, started: float) -> tuple[Answer, bool]:
        """An answer that is not a plain one, as the library reads it."""
        again: Any = _Again(sock, read, lambda: self._bound(0, started))
        with closing(_WholeHead(again, method=method)) as response:
            response.begin()
            body = self._body(response, started)
            headers = _headers(response)
            return Answer(response.status, headers, _unpacked(body, headers)), not response.will_close

    def _bound(self, size: int, started: float) -> None:
        if size > MAX_ANSWER_BYTES:
            raise Unanswered(TOO_LARGE)
        if self._clock() - started > 2 * self._timeout:
            raise Unanswered(TOO_SLOW)

    def _body(self, response: HTTPResponse, started: float) -> bytes:
        """The whole body; one that ends before its announced length is no answer."""
        expected = None if response.chunked else response.length
        pieces: list[bytes] = []
        size = 0
        while size != expected:
            piece = response.read1(_PIECE if expected is None else min(_PIECE, expected - size))
            if not piece:
                break
            pieces.append(piece)
            size += len(piece)
            self._bound(size, started)
        if expected is not None and size != expected:
            raise HTTPException("cut off")
        return b"".join(pieces)


@lru_cache(maxsize=256)
def _apart(url: str) -> tuple[_Place, str]:
    """Where to connect, and what to ask for there."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise NotSent("the address is not one") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise NotSent("the address is not one of http or https")
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return _Place(parts.scheme, parts.hostname, port), quote(path, safe=_UNQUOTED)


def _quiet_one(idle: deque[_Connection]) -> _Connection | None:
    while idle:
        try:
            connection = idle.pop()
        except IndexError:  # another call took the last one
            return None
        if connection.sock is not None and not _is_readable(connection.sock):
            return connection
        connection.close()
    return None


def _is_readable(sock: socket.socket) -> bool:
    """Whether something came unasked: as a rule, the end of the connection."""
    if not hasattr(select, "poll"):
        return bool(select.select([sock], [], [], 0)[0])
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def _written(signed: Signed, path: str, place: _Place) -> bytes:
    """The call as it leaves: head and body in one packet."""
    try:
        head = _head(signed.method, path, place, tuple(signed.headers.items()))
    except (ValueError, TypeError) as problem:
        raise NotSent(f"the call could not be built: {type(problem).__name__}") from None
    if signed.content or signed.method not in _BODILESS:
        return b"%bcontent-length: %d\r\n\r\n%b" % (head, len(signed.content), signed.content)
    return head + b"\r\n"


@lru_cache(maxsize=256)
def _head(method: str, path: str, place: _Place, told: tuple[tuple[str, str], ...]) -> bytes:
    """All of a head but its length and its end: as a rule the same in the next call."""
    headers = {"user-agent": "orderdrop", "accept": "application/json", "accept-encoding": "gzip, deflate"}
    headers |= {name.lower(): value for name, value in told}
    headers.pop("content-length", None)
    return written_head(method, path, place.shown, headers).removesuffix(b"\r\n")


def _headers(response: HTTPResponse) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in response.getheaders():
        lower = name.lower()
        found[lower] = f"{found[lower]}, {value}" if lower in found else value
    return found


def _unpacked(body: bytes, headers: Mapping[str, str]) -> bytes:
    """The body as it was before it was packed for the way; never more than the most an answer may hold."""
    encoding = headers.get("content-encoding", "")
    if encoding.strip().lower() not in {"gzip", "x-gzip", "deflate"} or not body:
        return body
    for window in (47, -15):  # gzip or zlib by their own mark; then what some servers call deflate
        unpack = zlib.decompressobj(window)
        try:
            told = unpack.decompress(body, MAX_ANSWER_BYTES)
        except zlib.error:
            continue
        if unpack.unconsumed_tail:
            raise Unanswered(TOO_LARGE)
        if unpack.eof:
            return told
    raise Unanswered("the answer could not be unpacked")


def _why_not_connected(problem: Exception) -> str:
    """A sentence without address or header."""
    match problem:
        case ssl.SSLCertVerificationError():
            return "the host's certificate could not be verified"
        case socket.gaierror() | UnicodeError():
            return "the host name could not be found"
        case TimeoutError():
            return "no connection within the time-out"
    return "no connection"


def _why_unanswered(problem: Exception, *, writing: bool) -> str:
    match problem:
        case TimeoutError():
            return "the call could not be written within the time-out" if writing else "no answer within the time-out"
        case OSError() if writing:
            return "the connection broke while the call was being written"
        case HTTPException():  # also RemoteDisconnected, which is an OSError too
            return "the connection was closed before a whole answer came"
        case OSError():
            return "the connection broke before a whole answer came"
    return "the answer could not be understood"
