"""Calls through a proxy that the environment names: httpx knows how to speak to them all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpcore
import httpx

from pipeline.errors import SetupError
from pipeline.targets.contract import Answer, Signed
from pipeline.targets.sending import MAX_ANSWER_BYTES, TOO_LARGE, TOO_SLOW, Meanwhile, NotSent, Unanswered, nothing


class Proxied:
    """The same as ``wire.Wire``, by way of a proxy."""

    def __init__(self, timeout: float, concurrency: int, clock: Callable[[], float]) -> None:
        self._deadline = timeout
        self._clock = clock
        self._client = _client(
            timeout=httpx.Timeout(timeout, connect=min(10.0, timeout)),
            limits=httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency),
            follow_redirects=False,
            headers={"user-agent": "orderdrop", "accept": "application/json"},
        )
        self._in_time = _InTime(clock)
        for way in self._client._mounts.values():  # noqa: SLF001 - httpx hands no backend of the network through
            if isinstance(way, httpx.HTTPTransport):
                way._pool._network_backend = _Backend(self._in_time)  # noqa: SLF001

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def send(self, signed: Signed, meanwhile: Meanwhile = nothing) -> Answer:  # noqa: ARG002 - httpx tells no such moment
        """Send once. Time-outs are in seconds and bound the whole answer, not only each piece of it."""
        started = self._clock()
        self._in_time.until = started + 2 * self._deadline
        try:
            request = self._client.build_request(
                signed.method, signed.url, headers=dict(signed.headers), content=signed.content or None
            )
        except (httpx.InvalidURL, ValueError, TypeError) as problem:
            raise NotSent(f"the call could not be built: {type(problem).__name__}") from None
        try:
            response = self._client.send(request, stream=True)
            try:
                return Answer(response.status_code, _headers(response), self._body(response, started))
            finally:
                response.close()
        except _NOT_SENT as problem:
            raise NotSent(_plainly(problem)) from None
        except (httpx.HTTPError, httpx.StreamError) as problem:
            raise Unanswered(_plainly(problem)) from None

    def _body(self, response: httpx.Response, started: float) -> bytes:
        pieces: list[bytes] = []
        size = 0
        for piece in response.iter_bytes():
            pieces.append(piece)
            size += len(piece)
            if size > MAX_ANSWER_BYTES:
                raise Unanswered(TOO_LARGE)
            if self._clock() - started > 2 * self._deadline:
                raise Unanswered(TOO_SLOW)
        return b"".join(pieces)


class _InTime(threading.local):
    """When the call of each thread has to be answered: httpx bounds every piece of an answer, and not their number."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self.until = float("inf")

    def check(self) -> None:
        """``Unanswered`` when that is over."""
        if self._clock() > self.until:
            raise Unanswered(TOO_SLOW)


class _Backend(httpcore.SyncBackend):
    """Connections whose reading ends in time."""

    def __init__(self, in_time: _InTime) -> None:
        self._in_time = in_time

    def connect_tcp(self, *args: Any, **options: Any) -> httpcore.NetworkStream:  # noqa: ANN401 - as the library's
        """The library's own."""
        return _Stream(super().connect_tcp(*args, **options), self._in_time)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, in_time: _InTime) -> None:
        self._inner = inner
        self._in_time = in_time

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._in_time.check()
        return self._inner.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(self, *args: Any, **options: Any) -> httpcore.NetworkStream:  # noqa: ANN401 - as the library's
        return _Stream(self._inner.start_tls(*args, **options), self._in_time)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as the library's
        return self._inner.get_extra_info(info)


_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,  # a proxy is asked to connect first: what it refuses has not left this machine
)


def _client(**options: Any) -> httpx.Client:  # noqa: ANN401 - what httpx takes
    """A client; ``SetupError`` when nobody can use the proxy. Its address is not quoted: it may hold a password."""
    try:
        return httpx.Client(**options)
    except (ValueError, ImportError, httpx.InvalidURL):
        raise SetupError(
            "The proxy that the environment names (HTTPS_PROXY or ALL_PROXY) cannot be used. Write it as "
            "http://host:port, or take it out; NO_PROXY names hosts that are reached without it."
        ) from None


def _headers(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


_SENTENCES: tuple[tuple[type[Exception], str], ...] = (
    (httpx.ConnectTimeout, "no connection within the time-out"),
    (httpx.ConnectError, "no connection"),
    (httpx.ProxyError, "the proxy named in the environment did not connect"),
    (httpx.PoolTimeout, "no free connection"),
    (httpx.ReadTimeout, "no answer within the time-out"),
    (httpx.WriteTimeout, "the call could not be written within the time-out"),
    (httpx.RemoteProtocolError, "the connection was closed before a whole answer came"),
    (httpx.ReadError, "the connection broke before a whole answer came"),
    (httpx.WriteError, "the connection broke while the call was being written"),
)


def _plainly(problem: Exception) -> str:
    """A sentence without address or header: an httpx message may quote the URL, and a URL may carry a key."""
    sentence = next((text for kind, text in _SENTENCES if isinstance(problem, kind)), type(problem).__name__)
    cause = str(problem)
    if isinstance(problem, httpx.ConnectError) and "certificate" in cause.lower():
        return "the host's certificate could not be verified"
    if isinstance(problem, httpx.ConnectError) and (
        "name or service" in cause.lower() or "getaddrinfo" in cause.lower()
    ):
        return "the host name could not be found"
    return sentence
