"""Work that goes on in a thread of its own while what it made before is still being worked on.

Arrow and NumPy let go of the interpreter for most of what they do, so two stages of a file keep two cores busy.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
_END = object()


def ahead(items: Generator[T]) -> Generator[T]:
    """The same items in the same order, the next one made while the last one is looked at; raises what they raise.

    Who may leave before the end closes it, so that the thread ends there and then.
    """
    thread = ThreadPoolExecutor(1, "ahead")
    try:
        waiting = thread.submit(next, items, _END)
        while (item := waiting.result()) is not _END:
            waiting = thread.submit(next, items, _END)
            yield item  # type: ignore[misc]  # next() gives an item, or the end
    finally:
        thread.shutdown()
        items.close()


def side_by_side(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """``work`` done on each item, two at a time; the results in the order of the items."""
    with ThreadPoolExecutor(2, "side") as threads:
        return list(threads.map(work, items))
