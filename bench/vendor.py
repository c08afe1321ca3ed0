"""A lean Order Desk on the loopback, in a process of its own: quick enough that it is not what is measured.

    python bench/vendor.py [--answer-ms 20] [--lose 0.1] [--seed 11]

Prints its port. It takes orders (``POST …/orders``), finds them by ``source_id``, and answers every call
``--answer-ms`` later, or not at all: a share ``--lose`` of the orders is taken and the connection closed without a
word. ``GET /report`` tells what happened, ``POST /reset?answer-ms=…&lose=…`` begins anew. Nothing is checked that
costs time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

END = b"\r\n\r\n"


@dataclass(slots=True)
class Store:
    """What the vendor holds, and how it behaves."""

    answer_seconds: float = 0.0
    lose: float = 0.0
    seed: int = 11
    orders: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    lost_answers: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    chance: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        """The same losses every time."""
        self.chance.seed(self.seed)

    def answer(self, method: str, target: str, body: bytes) -> bytes | None:
        """The body of the answer; ``None`` loses it."""
        if target.startswith("/report"):
            return self.report()
        if target.startswith("/reset"):
            asked = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
            self.__init__(float(asked.get("answer-ms", 0)) / 1000, float(asked.get("lose", 0)), self.seed)  # type: ignore[misc]
            return b"{}"
        now = time.monotonic()
        self.first_at = self.first_at or now
        self.last_at = now + self.answer_seconds
        self.calls += 1
        if method == "GET":
            return self._found(target)
        key = _source_id(body)
        self.orders[key] += 1
        if self.lose and self.chance.random() < self.lose:
            self.lost_answers += 1
            return None
        return b'{"status":"success","order":{"id":"%s","source_id":"%s"}}' % (key.encode(), key.encode())

    def _found(self, target: str) -> bytes:
        key = parse_qs(urlsplit(target).query).get("source_id", [""])[0]
        found = [{"id": key, "source_id": key, "source_name": "orderdrop"}] * min(1, self.orders[key])
        return json.dumps({"status": "success", "orders": found}).encode()

    def report(self) -> bytes:
        """What happened since the start or the last reset."""
        told = {
            "calls": self.calls,
            "orders": len(self.orders),
            "twice": sum(self.orders.values()) - len(self.orders),
            "lost_answers": self.lost_answers,
            "seconds": self.last_at - self.first_at,
            "first_at": self.first_at,
            "last_at": self.last_at,
        }
        return json.dumps(told).encode()


def _source_id(body: bytes) -> str:
    begin = body.find(b'"source_id"')
    start = body.index(b'"', body.index(b":", begin)) + 1
    return body[start : body.index(b'"', start)].decode()


class Conversation(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole call."""
        self._read += data
        while (end := self._read.find(END)) >= 0:
            head = self._read[:end]
            size = _length(head)
            if len(self._read) < end + len(END) + size:
                return
            body = self._read[end + len(END) : end + len(END) + size]
            self._read = self._read[end + len(END) + size :]
            method, target, _ = head.partition(b"\r\n")[0].decode().split(" ", 2)
            self._answer(self._store.answer(method, target, body), target)

    def _answer(self, body: bytes | None, target: str) -> None:
        seconds = 0.0 if target.startswith(("/report", "/reset")) else self._store.answer_seconds
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._write, body)
        else:
            self._write(body)

    def _write(self, body: bytes | None) -> None:
        if self._transport.is_closing():
            return
        if body is None:
            self._transport.close()
            return
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)  # type: ignore[attr-defined]


def _length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"content-length:")
    return int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


async def _serve(store: Store) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Conversation(store), "127.0.0.1", 0, backlog=128)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@dataclass(frozen=True, slots=True)
class Vendor:
    """The vendor as other processes see it."""

    url: str

    def reset(self, answer_ms: float = 0, lose: float = 0) -> None:
        """Forget everything and behave like this from now on."""
        self._ask(f"/reset?answer-ms={answer_ms}&lose={lose}")

    def report(self) -> dict[str, Any]:
        """What happened since."""
        return self._ask("/report")

    def _ask(self, what: str) -> dict[str, Any]:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.url + what, timeout=30) as answer:
            told: dict[str, Any] = json.load(answer)
        return told


@contextmanager
def vendor() -> Iterator[Vendor]:
    """A vendor that lives as long as the block."""
    process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Vendor(f"http://127.0.0.1:{int(process.stdout.readline())}")
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answer-ms", type=float, default=0)
    parser.add_argument("--lose", type=float, default=0)
    parser.add_argument("--seed", type=int, default=11)
    asked = parser.parse_args()
    asyncio.run(_serve(Store(asked.answer_ms / 1000, asked.lose, asked.seed)))
