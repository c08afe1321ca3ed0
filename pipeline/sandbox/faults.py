"""Bad weather for the simulated targets: which calls it hits, and what the caller then sees.

Every fault is a value; :class:`Weather` counts and rolls for it. With the same seed and the same calls in the
same order the same calls are hit.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from pipeline.errors import SetupError, nearest
from pipeline.sandbox.contract import Call, Reply

KINDS: Mapping[str, str] = {
    "drop_before": "the connection is closed, nothing was done",
    "drop_after": "the work is done, the connection is closed without an answer",
    "late": "the connection is closed at once, the work is done `seconds` later",
    "error_before": "500, nothing was done",
    "error_after": "500, although the work is done",
    "stall": "the work is done, the answer comes after `seconds`",
    "slow_bytes": "the work is done, the answer trickles in over `seconds`",
    "cut": "the work is done, the answer breaks off in the middle",
    "throttle": "429 with the vendor's own wait header, nothing was done",
    "html": "200 with a web page instead of an answer; done or not by `worked`",
    "empty": "200 without a body; done or not by `worked`",
    "hang_up": "the work is done and answered; the kept-alive connection is then closed without a word",
    "error_200": "200 whose body tells of an error; done or not by `worked`",
    "redirect": "307 to another host, nothing was done",
    "unauthorized": "401, nothing was done",
    "refuse": "400 with `message`, nothing was done",
}
"""Every kind of fault and what it does, in a sentence."""

WAIT_HEADERS: Mapping[str, str] = {"orderdesk": "X-Retry-After"}
"""The vendor's own name for "wait this many seconds"; the others use the standard ``Retry-After``."""

_AFTER_WORK = frozenset({"drop_after", "error_after", "stall", "slow_bytes", "cut", "hang_up"})
_BY_WORKED = frozenset({"html", "empty", "error_200"})
_PAGE = "<!DOCTYPE html><html><head><title>Just a moment…</title></head><body>Please wait.</body></html>"


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of bad weather and the calls it hits.

    ``target`` and ``method`` name one each (``None``: any), ``path`` is a part of the path below the target.
    ``only_writes`` spares calls that change nothing. The first ``skip`` matching calls go free, then at most
    ``times`` are hit (``None``: all), each with ``probability``. ``header``: a throttle tells ``seconds``.
    """

    kind: str
    target: str | None = None
    method: str | None = None
    path: str | None = None
    only_writes: bool = True
    times: int | None = None
    skip: int = 0
    probability: float = 1.0
    seconds: float = 1.0
    seed: int = 0
    header: bool = True
    worked: bool = True
    message: str = "Refused by the sandbox"

    def __post_init__(self) -> None:
        """Refuse a fault that could never strike, with a sentence that says why."""
        if self.kind not in KINDS:
            raise SetupError(f"There is no fault '{self.kind}'.{nearest(self.kind, KINDS)} Known: {', '.join(KINDS)}.")
        if not 0 <= self.probability <= 1:
            raise SetupError(f"The probability of a fault lies between 0 and 1, not {self.probability}.")
        if self.seconds < 0 or self.skip < 0 or (self.times or 0) < 0:
            raise SetupError("A fault's seconds, skip and times cannot be negative.")

    @property
    def works(self) -> bool:
        """Whether the call is carried out before the caller sees the fault."""
        return self.kind in _AFTER_WORK or (self.kind in _BY_WORKED and self.worked)

    def hits(self, target: str, call: Call, *, writes: bool) -> bool:
        """Whether the call is one this fault aims at (counting and chance come later)."""
        return (
            self.target in {None, target}
            and (self.method is None or self.method.upper() == call.method)
            and (self.path is None or self.path in call.path)
            and (writes or not self.only_writes)
        )


def read_faults(raw: Any) -> tuple[Fault, ...]:  # noqa: ANN401 - whatever JSON a person posted
    """Faults from JSON, one object or a list of them; ``SetupError`` says what is wrong with it."""
    try:
        return tuple(msgspec.convert(raw if isinstance(raw, list) else [raw], list[Fault]))
    except msgspec.ValidationError as problem:
        known = ", ".join(field.name for field in msgspec.structs.fields(Fault))
        raise SetupError(f"This is not a fault: {problem}. A fault has: {known}.") from None


@dataclass(slots=True)
class _Count:
    fault: Fault
    chance: random.Random
    seen: int = 0
    struck: int = 0


class Weather:
    """The faults in force, first match wins, and how often each was seen and has struck."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._counts: list[_Count] = []
        self.add(faults)

    def add(self, faults: Sequence[Fault]) -> None:
        """Put further faults behind the ones in force."""
        # Chance is part of the show, not of any safeguard.
        self._counts += [_Count(fault, random.Random(fault.seed)) for fault in faults]  # noqa: S311

    def clear(self) -> None:
        """Fair weather."""
        self._counts.clear()

    def strike(self, target: str, call: Call, *, writes: bool) -> Fault | None:
        """The fault that hits this call, ``None`` when it goes free. Counts."""
        return next(
            (
                count.fault
                for count in self._counts
                if count.fault.hits(target, call, writes=writes) and _comes_down(count)
            ),
            None,
        )

    def report(self) -> list[dict[str, Any]]:
        """The faults in force as plain JSON, with ``seen`` (calls aimed at) and ``struck``."""
        return [
            {**msgspec.to_builtins(count.fault), "seen": count.seen, "struck": count.struck} for count in self._counts
        ]


def _comes_down(count: _Count) -> bool:
    fault = count.fault
    count.seen += 1
    if count.seen <= fault.skip or (fault.times is not None and count.struck >= fault.times):
        return False
    if count.chance.random() >= fault.probability:
        return False
    count.struck += 1
    return True


def what_is_seen(fault: Fault, target: str, reply: Reply) -> Reply | None:
    """The answer the caller gets instead of ``reply``; ``None``: the connection is closed without one."""
    match fault.kind:
        case "drop_before" | "drop_after" | "late":
            return None
        case "error_before" | "error_after":
            return Reply(500, {"status": "error", "message": "Internal Server Error"})
        case "throttle":
            return Reply(429, {"status": "error", "message": "Too Many Requests"}, _wait(fault, target))
        case "refuse":
            return Reply(400, {"status": "error", "message": fault.message})
        case "html":
            return Reply(200, _PAGE)
        case "empty":
            return Reply(200, b"")
        case "error_200":
            return Reply(200, {"status": "error", "message": "Something went wrong, please try again later"})
        case "redirect":
            return Reply(307, b"", {"Location": "https://elsewhere.invalid/moved"})
        case "unauthorized":
            return Reply(401, {"status": "error", "message": "Unauthorized"})
    return reply


def _wait(fault: Fault, target: str) -> Mapping[str, str]:
    if not fault.header:
        return {}
    return {WAIT_HEADERS.get(target, "Retry-After"): f"{fault.seconds:g}"}
