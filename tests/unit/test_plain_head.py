"""Heads of answers that are read without the library, and those that are left to it."""

from __future__ import annotations

import pytest

from pipeline.targets.plain_head import read_head, written_head


def lines(*told: str) -> bytes:
    return "\r\n".join((*told, "", "")).encode("latin-1")


def test_a_plain_head_is_read() -> None:
    read = (
        lines("HTTP/1.1 201 Created", "Content-Length: 5", "X-Left:  7 ", "x-left: 8", "X-Name: K\xe4se") + b"{} \r\n"
    )
    head = read_head(read)
    assert head is not None
    assert (head.status, head.length, head.closes) == (201, 5, False)
    assert head.headers == {"content-length": "5", "x-left": "7, 8", "x-name": "K\xe4se"}
    assert read[head.begins :] == b"{} \r\n"


def test_the_end_of_the_connection_is_announced() -> None:
    head = read_head(lines("HTTP/1.1 200 OK", "Content-Length: 0", "Connection: Close"))
    assert head is not None
    assert head.closes


@pytest.mark.parametrize(
    "read",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
        lines("HTTP/1.0 200 OK", "Content-Length: 2"),
        lines("HTTP/1.1 100 Continue", "Content-Length: 2"),
        lines("HTTP/1.1 204 No Content", "Content-Length: 2"),
        lines("HTTP/1.1 200 OK"),
        lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Content-Length: 2"),
        lines("HTTP/1.1 200 OK", "Content-Length: 2", "Content-Length: 3"),
        lines("HTTP/1.1 200 OK", "Content-Length: +2"),
        lines("HTTP/1.1 200 OK", "Content-Length: 2", " folded"),
        lines("HTTP/1.1 200 OK", "Content-Length: 2", "no colon"),
        lines("HTTP/1.1 200 OK", "Content-Length : 2"),
        lines("HTTP/1.1 200 OK", "Content-Length: 2", "X-A: a\nX-B: b"),
        lines("HTTP/1.1 200 OK", "Content-Length: 2", *["X-A: a"] * 100),
        lines("SOMETHING 200", "Content-Length: 2"),
    ],
)
def test_what_is_not_plain_is_left_to_the_library(read: bytes) -> None:
    assert read_head(read) is None


def test_a_head_is_written_in_the_order_of_its_parts() -> None:
    head = written_head("POST", "/orders?a=b", "shop.example:8080", {"x-key": "k", "accept": "*/*"})
    assert head == b"POST /orders?a=b HTTP/1.1\r\nHost: shop.example:8080\r\nx-key: k\r\naccept: */*\r\n\r\n"


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST /x HTTP/1.1\r\nX:", {}),
        ("POST", {"X-A": "a\r\nX-B: b"}),
        ("POST", {"X-A": "a\n b"}),
        ("POST", {"X-A": "a\0"}),
        ("POST", {"X-A": "\u20ac"}),
        ("POST", {"X A": "a"}),
        ("POST", {"": "a"}),
    ],
)
def test_a_head_with_what_cannot_stand_there_is_not_written(method: str, headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"method|header"):
        written_head(method, "/", "shop.example", headers)
