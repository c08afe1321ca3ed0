"""A very small target for tests of delivery: a shelf of things by key, with weather, and its own truth."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.model import Record
from pipeline.targets.contract import (
    Absent,
    Account,
    Answer,
    Done,
    Finding,
    Found,
    InDoubt,
    Later,
    Operation,
    Outcome,
    Paused,
    Plan,
    Prior,
    Rate,
    Refused,
    Request,
    Signed,
    Step,
    Unclear,
)
from pipeline.targets.http import NotSent, Unanswered


class FakeClock:
    """Time that passes only when somebody waits."""

    def __init__(self, start: float = 1_000_000.0) -> None:
        self.time = start
        self.waits: list[float] = []
        self.on_wait: Callable[[], None] = lambda: None

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float, stop: threading.Event) -> None:
        self.waits.append(seconds)
        self.time += seconds
        self.on_wait()


@dataclass
class Shelf:
    """The far side, and the network to it. ``weather`` is asked before each call: a fault's name or ``""``."""

    things: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    weather: Callable[[str, str], str] = lambda _method, _path: ""
    hidden: set[str] = field(default_factory=set)
    late: list[dict[str, Any]] = field(default_factory=list)

    def send(self, signed: Signed, meanwhile: Callable[[], object] = lambda: None) -> Answer:
        path = signed.url.removeprefix("http://shelf")
        self.calls.append((signed.method, path))
        meanwhile()
        match self.weather(signed.method, path):
            case "refused_connection":
                raise NotSent("no connection")
            case "lost_before":
                raise Unanswered("the connection was closed")
            case "lost_after":
                self._work(signed, path)
                raise Unanswered("the connection was closed")
            case "late":
                self.late.append(json.loads(signed.content))
                raise Unanswered("no answer within the time-out")
            case "refused":
                return Answer(422, {}, b'{"message": "not liked"}')
            case "odd_list":
                return Answer(200, {}, b'[{"no": "id"}]')
            case "breaks":
                self._work(signed, path)
                raise OSError("something nobody foresaw")
            case "bad_key":
                return Answer(401, {}, b"{}")
            case "busy":
                return Answer(429, {"retry-after": "3"}, b"{}")
            case "error":
                return Answer(500, {}, b"oops")
            case "nonsense":
                return Answer(200, {}, b"<html>")
        return self._work(signed, path)

    def arrive_late(self) -> None:
        """What was sent long ago is carried out now."""
        for thing in self.late:
            self.things.append({**thing, "id": str(len(self.things) + 1)})
        self.late.clear()

    def close(self) -> None:
        pass

    def keys(self) -> list[str]:
        return [f"{thing['kind']}:{thing['key']}" for thing in self.things]

    def _work(self, signed: Signed, path: str) -> Answer:
        if signed.method == "GET":
            kind, key = path.removeprefix("/find/").split("/", 1)
            seen = [t for t in self.things if (t["kind"], t["key"]) == (kind, key) and t["key"] not in self.hidden]
            return Answer(200, {}, json.dumps(seen).encode())
        body = json.loads(signed.content)
        if body["key"].startswith("bad"):
            return Answer(422, {}, b'{"message": "not liked"}')
        self.things.append({**body, "id": str(len(self.things) + 1)})
        return Answer(201, {}, json.dumps({"id": str(len(self.things))}).encode())


def read(answer: Answer) -> Outcome:
    body = answer.json()
    match answer.status:
        case 401:
            return Paused("bad_key", "The key is not accepted.", "Put a good one in.")
        case 429:
            return Later("busy", "Told to wait.", float(answer.headers["retry-after"]))
        case 422:
            return Refused("not_liked", body["message"], "Change it.", "sku")
    return Done(body) if answer.ok and body else InDoubt("unreadable", f"HTTP {answer.status}")


def look_up(kind: str, key: str) -> Callable[[], Generator[Request, Answer, Finding]]:
    def find() -> Generator[Request, Answer, Finding]:
        answer = yield Request("GET", f"/find/{kind}/{key}")
        body = answer.json()
        if not answer.ok or not isinstance(body, list):
            return Unclear("the list could not be read")
        return Found({"id": body[0]["id"]}) if body else Absent()

    return find


def shelf_account(
    *,
    steps: tuple[str, ...] = ("order",),
    find: bool = True,
    look_first: bool = False,
    can_update: bool = False,
    shares: tuple[str, ...] = (),
    **settings: Any,
) -> Account:
    """An account of the shelf whose ``put`` sends one step per name in ``steps``."""

    def plan(record: Record, prior: Prior | None) -> Plan:
        result: Mapping[str, Any] = {}
        for name in steps:
            key = "all" if name in shares else record.key
            request = Request("POST", f"/{name}", json={"kind": name, "key": key, "update": prior is not None})
            seen = look_up(name, key) if find else None
            shared = f"{name}:{key}" if name in shares else ""
            result = yield Step(name, request, read, seen, look_first=look_first, shares=shared)
        return result

    def sign(request: Request) -> Signed:
        content = json.dumps(request.json).encode() if request.json is not None else b""
        return Signed(request.method, "http://shelf" + request.path, {"key": "secret"}, content)

    def operation(name: str, options: Mapping[str, Any]) -> Operation:
        return Operation(name, frozenset({"order"}), plan, can_update=can_update)

    def probe() -> Plan:
        return (yield Step("probe", Request("GET", "/find/order/none"), read, reads_only=True))

    defaults: dict[str, Any] = {"rate": Rate(1000, 1000), "settle_seconds": 30.0}
    return Account(
        name="shelf", target="shelf", base_url="http://shelf", sign=sign, show=sign, operation=operation,
        operation_names=("put",), probe=probe, **(defaults | settings),
    )  # fmt: skip
