"""What long work shows: a bar on a terminal, log lines elsewhere."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told what is going on."""

    def say(self, text: str) -> None:
        """A new stage has begun."""
        ...

    def advance(self) -> None:
        """One more delivery was attended to."""
        ...


class Quiet:
    """Shows nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

    def advance(self) -> None:
        """Nothing."""
