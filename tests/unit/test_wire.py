"""The door out over raw sockets: what counts as never sent, as unanswered and as an answer."""

from __future__ import annotations

import gzip
import socket
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from pipeline.targets.contract import Answer, Signed
from pipeline.targets.http import MAX_ANSWER_BYTES, HttpTransport, NotSent, Unanswered

Talk = Callable[[socket.socket, bytes], None]


class Host:
    """Answers each call on each connection as told; keeps what it heard, by connection."""

    def __init__(self, talks: Sequence[Talk]) -> None:
        self._talks = list(talks)
        self.heard: list[list[bytes]] = []
        self.closed = threading.Event()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while self._talks:
            try:
                connection, _ = self._door.accept()
            except OSError:
                return
            calls: list[bytes] = []
            self.heard.append(calls)
            with connection:
                while self._talks and (call := _whole_call(connection)):
                    calls.append(call)
                    self._talks.pop(0)(connection, call)
                    if connection.fileno() < 0:
                        break
            self.closed.set()

    def close(self) -> None:
        self._talks.clear()
        self._door.close()


def _whole_call(connection: socket.socket) -> bytes:
    read = b""
    while b"\r\n\r\n" not in read:
        piece = connection.recv(65536)
        if not piece:
            return b""
        read += piece
    head, _, body = read.partition(b"\r\n\r\n")
    size = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < size:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def says(text: bytes, *, close: bool = False) -> Talk:
    def talk(connection: socket.socket, _call: bytes) -> None:
        connection.sendall(text)
        if close:
            connection.close()

    return talk


def plain(body: bytes = b"{}", *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers, b"", b""]
    return b"\r\n".join(lines) + body


@contextmanager
def talking(*talks: Talk, timeout: float = 5.0) -> Iterator[tuple[Host, HttpTransport]]:
    host = Host(talks)
    try:
        with HttpTransport(host.url, timeout, 2) as transport:
            yield host, transport
    finally:
        host.close()


def post(host: Host, transport: HttpTransport, path: str = "/orders", content: bytes = b'{"a":1}') -> Answer:
    return transport.send(Signed("POST", host.url + path, {"X-Key": "k"}, content))


def test_one_connection_carries_many_calls_and_each_call_leaves_whole() -> None:
    with talking(says(plain(b"1")), says(plain(b"2"))) as (host, transport):
        assert [post(host, transport).content for _ in range(2)] == [b"1", b"2"]
        (calls,) = host.heard
    assert calls[0].startswith(b"POST /orders HTTP/1.1\r\n")
    assert b"\r\nx-key: k\r\n" in calls[0].lower()
    assert calls[0].endswith(b'\r\n\r\n{"a":1}')


def test_something_else_is_done_while_the_answer_is_awaited() -> None:
    has_arrived, is_done = threading.Event(), threading.Event()

    def answers_then(connection: socket.socket, _call: bytes) -> None:
        has_arrived.set()
        if is_done.wait(5):
            connection.sendall(plain(b"then"))

    def meanwhile() -> None:
        assert has_arrived.wait(5)
        is_done.set()

    with talking(answers_then) as (host, transport):
        answer = transport.send(Signed("POST", host.url + "/orders", {}, b"{}"), meanwhile)
    assert answer.content == b"then"


def test_a_connection_that_was_closed_meanwhile_is_not_used_again() -> None:
    with talking(says(plain(), close=True), says(plain(b"second"))) as (host, transport):
        post(host, transport)
        assert host.closed.wait(5)
        assert post(host, transport).content == b"second"
        assert len(host.heard) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\nhalf\r\n",
        b"HTTP/1.1 twohundred OK\r\n\r\n",
        b"something else altogether\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 70_000 + b"\r\n\r\n",
    ],
    ids=[
        "nothing",
        "half a head",
        "cut",
        "cut chunk",
        "bad chunk",
        "bad status",
        "no HTTP",
        "many headers",
        "long one",
    ],
)
def test_what_is_no_whole_answer_leaves_the_call_unanswered(answer: bytes) -> None:
    with talking(says(answer, close=True)) as (host, transport), pytest.raises(Unanswered):
        post(host, transport)


def test_an_answer_that_does_not_come_is_a_time_out() -> None:
    def silence(connection: socket.socket, _call: bytes) -> None:
        connection.recv(1)

    with talking(silence, timeout=0.2) as (host, transport), pytest.raises(Unanswered, match="within the time-out"):
        post(host, transport)


@pytest.mark.parametrize(
    ("begins", "goes_on"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"."),
        (b"HTTP/1.1 200 OK\r\nX-A: ", b"b"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: b\r\n"),
    ],
    ids=["body", "head", "going on", "length of a chunk", "after the chunks"],
)
@pytest.mark.parametrize("way", ["straight", "through a proxy"])
def test_an_answer_in_pieces_without_end_is_given_up(
    begins: bytes, goes_on: bytes, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trickle(connection: socket.socket, _call: bytes) -> None:
        over = threading.Event()
        for piece in [begins, *[goes_on] * 150]:
            try:
                connection.sendall(piece)
            except OSError:
                return
            over.wait(0.02)

    with talking(trickle, timeout=0.2) as (host, _):
        monkeypatch.setenv("http_proxy", host.url)
        address = host.url if way == "straight" else "http://shop.example"
        with HttpTransport(address, 0.2, 1) as transport, pytest.raises(Unanswered, match="too slowly"):
            transport.send(Signed("POST", f"{address}/orders", {}, b"{}"))


def test_a_call_nobody_listens_to_was_never_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
    with HttpTransport(url, 5, 1) as transport, pytest.raises(NotSent, match="no connection"):
        transport.send(Signed("GET", f"{url}/x", {}))


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://127.0.0.1:99999/x", {}),
        ("ftp://127.0.0.1/x", {}),
        ("http:///x", {}),
        ("http://[::1/x", {}),
        ("http://127.0.0.1/x", {"X-Key": "a\r\nX-Other: b"}),
    ],
)
def test_a_call_that_cannot_be_built_was_never_sent(url: str, headers: dict[str, str]) -> None:
    with talking(says(plain())) as (host, transport):
        port = host.url.rpartition(":")[2]
        with pytest.raises(NotSent):
            transport.send(Signed("GET", url.replace("127.0.0.1/", f"127.0.0.1:{port}/"), headers))
        assert not any(host.heard)


def test_what_a_path_cannot_hold_is_escaped_once() -> None:
    with talking(says(plain())) as (host, transport):
        post(host, transport, "/a b/ü/%C3%BC?q=x y&z=%20")
        assert host.heard[0][0].startswith(b"POST /a%20b/%C3%BC/%C3%BC?q=x%20y&z=%20 HTTP/1.1\r\n")


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate", b"GZIP"])
def test_a_packed_answer_is_unpacked(encoding: bytes) -> None:
    packed = zlib.compress(b"long" * 99) if encoding == b"deflate" else gzip.compress(b"long" * 99)
    with talking(says(plain(packed, b"Content-Encoding: " + encoding))) as (host, transport):
        assert post(host, transport).content == b"long" * 99


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(bytes(MAX_ANSWER_BYTES + 1)), gzip.compress(b"cut off")[:-4], b"none"],
    ids=["too large", "cut off", "not packed"],
)
def test_a_packed_answer_that_is_too_large_or_broken_is_no_answer(packed: bytes) -> None:
    with talking(says(plain(packed, b"Content-Encoding: gzip"))) as (host, transport), pytest.raises(Unanswered):
        post(host, transport)


def test_chunks_make_one_answer_and_the_connection_goes_on() -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\nX-A: 2\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
    )
    with talking(says(chunked), says(plain())) as (host, transport):
        answer = post(host, transport)
        assert (answer.content, answer.headers["x-a"]) == (b"onetwo", "1, 2")
        post(host, transport)
        assert len(host.heard) == 1


def test_an_answer_in_pieces_is_one_answer_and_the_connection_goes_on() -> None:
    def in_pieces(connection: socket.socket, _call: bytes) -> None:
        for at in range(len(text := plain(b"x" * 40, b"X-A: 1"))):
            connection.sendall(text[at : at + 1])

    with talking(in_pieces, says(plain(b"2"))) as (host, transport):
        answer = post(host, transport)
        assert (answer.content, answer.headers["x-a"]) == (b"x" * 40, "1")
        assert post(host, transport).content == b"2"
        assert len(host.heard) == 1


def test_a_connection_that_says_more_than_it_announced_is_not_used_again() -> None:
    with talking(says(plain(b"1") + b"HTTP/1.1 200 OK"), says(plain(b"2"))) as (host, transport):
        assert [post(host, transport).content for _ in range(2)] == [b"1", b"2"]
        assert len(host.heard) == 2


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with talking(says(moved)) as (host, transport):
        assert post(host, transport).status == 302


def test_a_proxy_of_the_environment_is_used_except_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with talking(says(plain(b"from the proxy"))) as (host, transport):
        monkeypatch.setenv("http_proxy", host.url)
        monkeypatch.setenv("no_proxy", "direct.example")
        with HttpTransport("http://shop.example", 5, 1) as proxied:
            assert proxied.send(Signed("GET", "http://shop.example/x", {})).content == b"from the proxy"
        assert host.heard[0][0].startswith(b"GET http://shop.example/x HTTP/1.1\r\n")
        del transport
        with HttpTransport("http://direct.example", 5, 1) as direct, pytest.raises(NotSent, match="host name"):
            direct.send(Signed("GET", "http://direct.example/x", {}))
