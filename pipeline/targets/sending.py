"""What can become of a call besides an answer, and what may be done while one is awaited."""

from __future__ import annotations

from collections.abc import Callable

Meanwhile = Callable[[], object]
"""Called once the last byte of a call has left, before its answer is read; it raises nothing and waits for nobody."""

MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""An answer larger than this is cut off and counts as unreadable."""

TOO_LARGE = f"the answer is larger than {MAX_ANSWER_BYTES // 1024 // 1024} MB"
TOO_SLOW = "the answer came too slowly"


def nothing() -> None:
    """There is nothing to do meanwhile."""


class NotSent(Exception):
    """No byte of the call can have reached the target: it may be sent again."""


class Unanswered(Exception):
    """Bytes may have left and no whole answer came back: the work may or may not have been done."""
