"""A small forward proxy on the loopback: it answers CONNECT, speaks TLS as the host asked for, and passes bytes on."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

HOST = "shop.example.test"
"""A name that no resolver knows: who reaches it came through the proxy."""


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for ``HOST`` that is its own authority, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    try:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}",
             "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", key, "-out", cert],
            check=True, capture_output=True,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("no openssl on this machine")
    return cert, key


@dataclass
class Proxy:
    """What it was asked, and the door to what it passes on to."""

    port: int
    answer: bytes = b"200 Connection established"
    asked: list[str] = field(default_factory=list)


@contextmanager
def proxy(target: str, certificates: tuple[Path, Path]) -> Iterator[Proxy]:
    """A proxy in front of ``target`` (``http://127.0.0.1:port``)."""
    there = urlsplit(target)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        told = Proxy(listener.getsockname()[1])
        thread = threading.Thread(
            target=_serve, args=(listener, told, context, (there.hostname, there.port)), daemon=True
        )
        thread.start()
        try:
            yield told
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, told: Proxy, context: ssl.SSLContext, there: tuple[str | None, int | None]) -> None:
    with suppress(OSError):
        while True:
            visitor, _ = listener.accept()
            threading.Thread(target=_attend, args=(visitor, told, context, there), daemon=True).start()


def _attend(visitor: socket.socket, told: Proxy, context: ssl.SSLContext, there: tuple[str | None, int | None]) -> None:
    with suppress(OSError), visitor:
        visitor.settimeout(30)
        head = b""
        while b"\r\n\r\n" not in head:
            piece = visitor.recv(4096)
            if not piece:
                return
            head += piece
        told.asked.append(head.decode())
        visitor.sendall(b"HTTP/1.1 " + told.answer + b"\r\n\r\n")
        if not told.answer.startswith(b"200"):
            return
        with context.wrap_socket(visitor, server_side=True) as sealed, socket.create_connection(there) as onward:  # type: ignore[arg-type]
            back = threading.Thread(target=_pass_on, args=(onward, sealed), daemon=True)
            back.start()
            _pass_on(sealed, onward)
            back.join(30)


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
