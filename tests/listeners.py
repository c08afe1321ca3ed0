"""Where alerts arrive: a real mail server and a real HTTP endpoint on loopback, which keep what they were sent."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from aiosmtpd.controller import Controller


@dataclass
class Letters:
    """A mail server; ``refuse`` answers what it does not take, and ``address`` is its Apprise address."""

    address: str = ""
    refuse: str = ""
    got: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.refuse:
            return self.refuse
        self.got.append(cast("EmailMessage", BytesParser(policy=default).parsebytes(envelope.content)))
        return "250 OK"

    def text(self, number: int = -1) -> str:
        body = self.got[number].get_body(("plain",))
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")

    def attached(self, number: int = -1) -> dict[str, bytes]:
        return {str(part.get_filename()): part.get_content() for part in self.got[number].iter_attachments()}


class _AnyPort(Controller):
    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]  # the free one it was given
        super()._trigger_server()


@contextmanager
def mail_server() -> Iterator[Letters]:
    """Takes letters on a free loopback port."""
    letters = Letters()
    controller = _AnyPort(letters, hostname="127.0.0.1", port=0)
    controller.start()
    letters.address = f"mailto://127.0.0.1:{controller.port}/?from=orderdrop@example.com&to=office@example.com"
    try:
        yield letters
    finally:
        controller.stop()


@dataclass
class Hook:
    """An HTTP endpoint; ``status`` is what it answers, ``hang`` holds every answer back until it is set."""

    address: str = ""
    status: int = 200
    hang: threading.Event | None = None
    got: list[dict[str, Any]] = field(default_factory=list)
    calls: int = 0

    def attached(self, number: int = -1) -> dict[str, bytes]:
        return {one["filename"]: base64.b64decode(one["base64"]) for one in self.got[number]["attachments"]}


@contextmanager
def http_hook() -> Iterator[Hook]:
    """Takes what Apprise's ``json://`` posts."""
    hook = Hook()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            hook.calls += 1
            if hook.hang is not None:
                hook.hang.wait(30)
            if hook.status == 200:
                hook.got.append(json.loads(body))
            try:
                self.send_response(hook.status)
                self.send_header("content-length", "0")
                self.end_headers()
            except OSError:
                pass  # it waits no longer

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    hook.address = f"json://127.0.0.1:{server.server_port}/hook/s3cr3t-token-in-path"
    try:
        yield hook
    finally:
        if hook.hang is not None:
            hook.hang.set()
        server.shutdown()
        server.server_close()
        thread.join()
