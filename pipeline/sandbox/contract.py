"""What a simulated target is: calls in, replies out, and its own truth about what exists."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call that reached the sandbox; ``path`` is below the target's prefix, header names in lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - whatever was sent
        """The body as JSON; raises ``ValueError`` when it is not."""
        return json.loads(self.body)

    def param(self, name: str, default: str = "") -> str:
        """The first query parameter of that name."""
        return next((value for key, value in self.query if key == name), default)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the simulated target answers; ``body`` is bytes, text, or a JSON value."""

    status: int
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> tuple[bytes, str]:
        """Body bytes and content type."""
        if isinstance(self.body, bytes):
            return self.body, "application/octet-stream"
        if isinstance(self.body, str):
            return self.body.encode(), "text/html; charset=utf-8"
        return json.dumps(self.body).encode(), "application/json"


class SimulatedTarget(Protocol):
    """One target, simulated strictly by its documented facts. Calls arrive one at a time (the server locks)."""

    name: str
    """Also the first part of its address in the sandbox."""

    def handle(self, call: Call) -> Reply:
        """Do the work and answer, refusing what the documents say is refused."""
        ...

    def truth(self) -> dict[str, Any]:
        """What exists, by kind, as plain JSON; ``{"orders": [...], …}``, in the order of creation."""
        ...

    def writes(self, call: Call) -> bool:
        """Whether the call would change something (faults that lose answers aim at these)."""
        ...


@runtime_checkable
class RefusesInItsOwnWay(Protocol):
    """A simulated target whose refusals are more than a 400 with a message."""

    def refusal(self, call: Call, message: str) -> Reply:
        """How this call is refused."""
        ...
