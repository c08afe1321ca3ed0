"""What reached the sandbox, kept for tests and people; keys are blacked out before anything is kept."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.sandbox.contract import Call
from pipeline.sandbox.faults import Fault

REDACTED = "[redacted]"
_SECRET_HEADER = re.compile(r"key|auth|token|secret|cookie", re.IGNORECASE)
_SECRET_NAMES = frozenset({"rpskey", "apikey", "api_key", "auth", "authorization", "key", "token", "secret"})
_SECRET_IN_FORM = re.compile(rf"(?i)(?:^|(?<=&))({'|'.join(_SECRET_NAMES)})=[^&]*")


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One call as it arrived. ``status`` is what was answered, ``None`` when the connection was just closed;
    ``fault`` the kind of bad weather that hit it."""

    target: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: str
    status: int | None
    fault: str | None

    def plain(self) -> dict[str, Any]:
        """The call as plain JSON."""
        return asdict(self)


KEPT_CALLS = 200_000
"""Older calls are forgotten, so that a sandbox left open for weeks does not fill the memory."""


class CallLog:
    """The calls in the order of arrival, and the mistakes of the simulation itself (there should be none)."""

    def __init__(self) -> None:
        self._calls: deque[LoggedCall] = deque(maxlen=KEPT_CALLS)
        self.mistakes: list[str] = []

    def add(self, target: str, call: Call, status: int | None, fault: Fault | None) -> None:
        """Keep one call."""
        self._calls.append(
            LoggedCall(
                target=target,
                method=call.method,
                path=call.path,
                query=tuple((name, REDACTED if name.lower() in _SECRET_NAMES else value) for name, value in call.query),
                headers={
                    name: REDACTED if _SECRET_HEADER.search(name) else value for name, value in call.headers.items()
                },
                body=_readable(call),
                status=status,
                fault=fault.kind if fault else None,
            )
        )

    def calls(self) -> tuple[LoggedCall, ...]:
        """A copy of what is kept so far."""
        return tuple(self._calls)


def _readable(call: Call) -> str:
    text = call.body.decode("utf-8", "replace")
    if "form-urlencoded" in call.headers.get("content-type", ""):
        return _SECRET_IN_FORM.sub(rf"\1={REDACTED}", text)
    return text
