"""What was found: one line each, with the exit code it calls for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_GRAVEST_FIRST = (4, 2, 3, 1, 0)


@dataclass(frozen=True, slots=True)
class Finding:
    """``verdict`` is ok, warning or problem; ``code`` the exit code it calls for, by the table of the README."""

    what: str
    verdict: str
    message: str
    code: int = 0

    def told(self) -> dict[str, Any]:
        """As ``orderdrop check`` tells it."""
        return {"what": self.what, "verdict": self.verdict, "message": self.message}


def good(what: str, message: str) -> Finding:
    """Nothing to do."""
    return Finding(what, "ok", message)


def gravest(findings: Iterable[Finding]) -> int:
    """The exit code of all: a ledger that cannot be trusted first, then set-up, then hosts, then people."""
    codes = {finding.code for finding in findings}
    return next((code for code in _GRAVEST_FIRST if code in codes), 0)
