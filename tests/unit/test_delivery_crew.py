"""The workers of a drain over a made-up ledger: each delivery once, none before its last write is committed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from pipeline.delivery.crew import FETCHED, Crew, Waiting
from pipeline.errors import LedgerError
from pipeline.ledger.writer import Posted


class Book:
    """Due deliveries by number; what is attended is due until its write is committed."""

    def __init__(self, number: int, size: int) -> None:
        self.due = set(range(number))
        self.attended: Counter[int] = Counter()
        self.unwritten: list[tuple[int, Posted[None]]] = []
        self.broken: dict[int, BaseException] = {}
        self.most_at_once = 0
        self.under_way = 0
        self.looks = 0
        self.prepared: Counter[int] = Counter()
        self.was_ready: list[int] = []
        self.held = False
        self.lock = threading.Lock()
        self.crew = Crew(
            "shelf",
            size,
            self.fetch,
            self.attend,  # type: ignore[arg-type]
            lambda: not self.held,
            lambda: False,
            lambda: None,
            lambda: None,
            self.prepare,  # type: ignore[arg-type]
        )

    def fetch(self, limit: int, skip: Sequence[int]) -> list[Waiting]:
        self.looks += 1
        with self.lock:
            found = sorted(self.due.difference(skip))[:limit]
        return [(_Delivery(number), None) for number in found]  # type: ignore[misc]

    def attend(self, delivery: Any, _history: object, ready: object = None) -> Posted[None]:
        assert ready in {None, f"ready {delivery.id}"}
        self.crew.make_ready()
        with self.lock:
            self.was_ready += [delivery.id] if ready else []
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
            self.attended[delivery.id] += 1
        written: Posted[None] = Posted(lambda _connection: None)
        with self.lock:
            self.under_way -= 1
            self.unwritten.append((delivery.id, written))
            ready = self.unwritten if len(self.unwritten) > 3 or len(self.attended) == len(self.due) else []
            self.unwritten = [] if ready else self.unwritten
        for number, write in ready:
            self.commit(number, write)
        return written

    def prepare(self, delivery: Any, _history: object) -> str:
        with self.lock:
            self.prepared[delivery.id] += 1
        return f"ready {delivery.id}"

    def commit(self, number: int, write: Posted[None]) -> None:
        if number in self.broken:
            write.set_exception(self.broken[number])
            return
        with self.lock:
            self.due.discard(number)
        write.set_result(None)

    def commit_the_rest(self) -> bool:
        return False


class _Delivery:
    def __init__(self, number: int) -> None:
        self.id = number


@pytest.mark.parametrize("size", [1, 3, 8])
def test_each_delivery_is_attended_once(size: int) -> None:
    book = Book(500, size)
    writing = threading.Timer(0.2, lambda: [book.commit(*one) for one in book.unwritten])
    writing.start()
    book.crew.work(book.commit_the_rest)
    writing.cancel()
    assert book.attended == Counter(dict.fromkeys(range(500), 1))
    assert book.crew.attended == 500
    assert book.most_at_once <= size


def test_a_look_is_not_taken_for_every_delivery() -> None:
    book = Book(640, 8)
    book.crew.work(book.commit_the_rest)
    assert book.looks < 640 / 16


def test_where_calls_are_quick_more_is_fetched_at_once() -> None:
    book = Book(5000, 1)
    book.crew.work(book.commit_the_rest)
    assert book.looks < 5000 / 16 / 2


@pytest.mark.parametrize(("attended", "fetched", "left"), [(0, FETCHED, 4), (1_000_000, 512, 128)])
def test_more_is_fetched_while_there_is_enough_to_do_until_it_is_there(attended: int, fetched: int, left: int) -> None:
    book = Book(5000, 1)
    book.crew.attended = attended
    book.crew._fill()
    assert len(book.crew._line) == fetched
    while not book.crew._wants_more():
        book.crew._line.pop()
    assert len(book.crew._line) == left


@pytest.mark.parametrize("size", [1, 4])
def test_what_comes_next_is_made_ready_once_while_another_is_attended_to(size: int) -> None:
    book = Book(FETCHED, size)
    book.crew.work(book.commit_the_rest)
    assert max(book.prepared.values()) == 1
    assert set(book.was_ready) <= set(book.prepared)
    if size == 1:  # the first of all comes before anything could be made ready
        assert book.was_ready == list(range(1, FETCHED))


def test_a_write_that_fails_ends_the_work_and_is_raised() -> None:
    book = Book(100, 4)
    book.broken[5] = LedgerError("the disk is full")
    with pytest.raises(LedgerError, match="full"):
        book.crew.work(book.commit_the_rest)
    assert max(book.attended.values()) == 1


def test_nothing_is_begun_while_the_account_is_held() -> None:
    book = Book(10, 2)
    book.held = True
    waits = []

    def wait_for_more() -> bool:
        waits.append(len(book.attended))
        book.held = False
        return len(waits) < 2

    book.crew.work(wait_for_more)
    assert waits == [0, 10]
