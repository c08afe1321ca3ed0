"""Since when this process has known of each doubt: a drain may be short, and the settle time longer than it."""

from __future__ import annotations

Send = tuple[int, str, int]
"""Delivery, name of the step, and which of its sends."""


class Seen:
    """Times of this process's own clock, in seconds since 1970; whoever finds that the clock was set clears them."""

    def __init__(self) -> None:
        self._since: dict[Send, float] = {}

    def since(self, send: Send, otherwise: float) -> float:
        """When the doubt about a send was first met here; ``otherwise`` where that is now."""
        return self._since.setdefault(send, otherwise)

    def settled(self, send: Send) -> None:
        """It is no doubt any more."""
        self._since.pop(send, None)

    def clear(self) -> None:
        """What was known counts for nothing: each doubt is met anew."""
        self._since.clear()
