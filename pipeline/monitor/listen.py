"""A small HTTP server that shows three pages and nothing else: ``/metrics``, ``/ping`` and ``/ready``."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pipeline.errors import SetupError

MOST_AT_ONCE = 16
_TIMEOUT = 5.0
Page = Callable[[], tuple[int, str, bytes]]
"""Status, content type and text of a page."""


def address_of(listen: str, where: str) -> tuple[str, int]:
    """``127.0.0.1:9464`` or ``[::1]:9464``; ``SetupError`` for anything else."""
    host, _, port = listen.rpartition(":")
    try:
        parsed, number = str(ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))), int(port)
    except ValueError:
        parsed, number = "", -1
    if not 0 <= number < 65536:
        raise SetupError(f'{where}: "{listen}" is no address; write one such as "127.0.0.1:9464".')
    return parsed, number


@contextmanager
def listening(address: tuple[str, int], pages: Mapping[str, Page], where: str) -> Iterator[str]:
    """Serve ``pages`` by path; yields the address to look at. ``SetupError`` when it cannot be had."""
    try:
        server = _Server(address, pages)
    except OSError as problem:
        raise SetupError(
            f"{where}: {address[0]}:{address[1]} cannot be listened on ({problem.strerror}). Name a free one."
        ) from None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="monitor", daemon=True)
    thread.start()
    try:
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], pages: Mapping[str, Page]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.pages = pages
        self._free = threading.BoundedSemaphore(MOST_AT_ONCE)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the standard library's
        """A thread per visitor, so many at once and no more: the rest is turned away."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """The standard library's, and the place is free again."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """A visitor who hangs up is nobody's trouble."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _TIMEOUT
    server_version, sys_version = "orderdrop", ""

    def do_GET(self) -> None:
        """One of the pages, or 404; what is asked for after a ``?`` is not looked at."""
        page = self.server.pages.get(self.path.partition("?")[0])
        status, kind, text = page() if page else (404, "text/plain", b"There are /metrics, /ping and /ready.\n")
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": len(text), "Cache-Control": "no-store"}
        for name, value in {**headers, "X-Content-Type-Options": "nosniff"}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_arguments: object) -> None:
        """Nothing: a scrape every few seconds is no news."""
