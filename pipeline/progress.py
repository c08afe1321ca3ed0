"""What work tells while it goes on: sentences for people, facts for programs. Who listens decides what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from pipeline.events import Event


class Progress(Protocol):
    """Told what is going on. Facts are plain values; of a person's data there is at most the record key."""

    def say(self, text: str, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        """Something people want to read, in a sentence."""
        ...

    def note(self, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        """Something programs want to know; people only on request."""
        ...

    def advance(self) -> None:
        """One more delivery was attended to."""
        ...


class Quiet:
    """Shows nothing."""

    def say(self, text: str, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        """Nothing."""

    def note(self, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        """Nothing."""

    def advance(self) -> None:
        """Nothing."""


class Bound:
    """Adds facts to everything it passes on: which account, which delivery."""

    def __init__(self, inner: Progress, **facts: Any) -> None:  # noqa: ANN401 - plain values
        self._inner = inner
        self._facts = facts

    def say(self, text: str, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        """The sentence, with the facts."""
        self._inner.say(text, event, **{**self._facts, **facts})

    def note(self, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        """The note, with the facts."""
        self._inner.note(event, **{**self._facts, **facts})

    def advance(self) -> None:
        """Passed on."""
        self._inner.advance()


class Several:
    """Tells all its listeners."""

    def __init__(self, listeners: Sequence[Progress]) -> None:
        self._listeners = listeners

    def say(self, text: str, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        """Said to each."""
        for listener in self._listeners:
            listener.say(text, event, **facts)

    def note(self, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        """Noted by each."""
        for listener in self._listeners:
            listener.note(event, **facts)

    def advance(self) -> None:
        """Each is told."""
        for listener in self._listeners:
            listener.advance()
