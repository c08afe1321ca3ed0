"""The one door out: sends a signed call and tells apart "never left", "no answer" and "an answer"."""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import ip_address
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from pipeline.targets.contract import Answer, Signed
from pipeline.targets.sending import MAX_ANSWER_BYTES, Meanwhile, NotSent, Unanswered, nothing
from pipeline.targets.wire import Wire

__all__ = ["MAX_ANSWER_BYTES", "HttpTransport", "NotSent", "Transport", "Unanswered"]


class Transport(Protocol):
    """What delivery needs of the network."""

    def send(self, signed: Signed, meanwhile: Meanwhile = nothing) -> Answer:
        """Send once and return the answer; raises :class:`NotSent` or :class:`Unanswered`.

        ``meanwhile`` may be called while the answer is awaited, or not at all.
        """
        ...

    def close(self) -> None:
        """Let go of the connections."""
        ...


class HttpTransport:
    """Connections to one account's host: TLS verified, redirects never followed, no retry of its own.

    Where the environment names a proxy for the host, httpx speaks to it; else the calls go straight.
    """

    def __init__(
        self, base_url: str, timeout: float, concurrency: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._way: Transport = Wire(timeout, clock)
        if _is_proxied(base_url):
            from pipeline.targets.proxied import Proxied

            self._way = Proxied(timeout, concurrency, clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._way.close()

    def send(self, signed: Signed, meanwhile: Meanwhile = nothing) -> Answer:
        """Send once. Time-outs are in seconds and bound the whole answer, not only each piece of it."""
        return self._way.send(signed, meanwhile)


def _is_proxied(base_url: str) -> bool:
    """Whether a proxy of the environment stands between; never one that would catch calls to this very machine."""
    parts = urlsplit(base_url)
    named = getproxies()
    if not (named.get(parts.scheme) or named.get("all")) or _is_local(base_url):
        return False
    return not proxy_bypass(parts.netloc.rpartition("@")[2])


def _is_local(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
