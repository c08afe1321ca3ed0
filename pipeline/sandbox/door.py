"""The HTTP door of the sandbox: reads a call, has it answered, sends, stalls or breaks off the answer."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pipeline.sandbox.contract import Call, Reply
from pipeline.sandbox.faults import Fault

LARGEST_BODY = 32 * 1024 * 1024
"""Bytes; a larger call is answered 413 and its connection closed."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What to send back: ``reply`` (``None``: close without an answer) in the manner of ``fault``."""

    reply: Reply | None
    fault: Fault | None = None


class Door(ThreadingHTTPServer):
    """One thread per connection; every connection is closed with the server."""

    request_queue_size = 128
    daemon_threads = False

    def __init__(self, address: tuple[str, int], answer: Callable[[Call], Exchange]) -> None:
        self.answer = answer
        self.closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, Conversation)

    def server_bind(self) -> None:
        """Bind without the name look-up of the standard library, which can take seconds on some machines."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's types
        """Remember the connection, so that closing the server ends it."""
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - socketserver's types
        """Close the connection and forget it."""
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Wake whoever stalls, end every conversation, then close."""
        self.closing.set()
        with self._open_lock:
            for connection in self._open:
                _hang_up(connection)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's types
        """A caller that went away is everyday; anything else is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Conversation(BaseHTTPRequestHandler):
    """The calls of one kept-alive connection."""

    protocol_version = "HTTP/1.1"
    server_version = "orderdrop-sandbox"
    sys_version = ""
    wbufsize = -1  # one packet per answer: headers and body apart cost 40 ms each on a kept-alive connection
    disable_nagle_algorithm = True
    server: Door

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Say nothing: the call log remembers."""

    def do_GET(self) -> None:
        """Answer one call, whatever its method."""
        body = self._body()
        if body is None:
            return
        parts = urlsplit(self.path)
        call = Call(
            method=self.command,
            path=unquote(parts.path),
            query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        self._send(self.server.answer(call))

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815 - the library's names

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if self.headers.get("Transfer-Encoding"):
            self.send_error(411, "Send a Content-Length")
        elif not length.isdecimal():
            self.send_error(400, "Content-Length is not a number")
        elif int(length) > LARGEST_BODY:
            self.send_error(413, "Too large")
        elif len(body := self.rfile.read(int(length))) == int(length):
            return body
        self.close_connection = True  # a caller that went away in the middle of its call did not make it
        return None

    def _send(self, exchange: Exchange) -> None:
        fault = exchange.fault
        if exchange.reply is None:
            self.close_connection = True
            _hang_up(self.connection)
            return
        if fault is not None and fault.kind == "stall":
            self.server.closing.wait(fault.seconds)
        content = self._send_head(exchange.reply)
        if self.command == "HEAD":
            return
        if fault is not None and fault.kind == "slow_bytes":
            self._trickle(content, fault.seconds)
        elif fault is not None and fault.kind == "cut":
            self._write(content[: len(content) // 2])
            self.close_connection = True
        else:
            self._write(content)
        if fault is not None and fault.kind == "hang_up":  # no "Connection: close" warned the caller
            self.close_connection = True

    def _send_head(self, reply: Reply) -> bytes:
        content, content_type = reply.encoded()
        given = {name.lower() for name in reply.headers}
        self.send_response(reply.status)
        if content and "content-type" not in given:
            self.send_header("Content-Type", content_type)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return content

    def _write(self, content: bytes) -> None:
        self.wfile.write(content)
        self.wfile.flush()

    def _trickle(self, content: bytes, seconds: float) -> None:
        steps = min(len(content), 20) or 1
        size = -(-len(content) // steps) or 1
        for start in range(0, len(content), size):
            self._write(content[start : start + size])
            self.server.closing.wait(seconds / steps)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the caller was quicker
