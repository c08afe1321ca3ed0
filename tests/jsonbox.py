"""A fifth target, as somebody would add it: records of a CSV become JSON documents in a box.

One module with ``build`` and one line in the registry is all it takes; here the line is put in by the tests. The box
itself is simulated below, like the other targets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from pipeline.errors import SetupError
from pipeline.model import Record, encode_record
from pipeline.sandbox.contract import Call, Reply
from pipeline.settings import Secret, check_base_url, read_table
from pipeline.targets.contract import (
    Absent,
    Account,
    Answer,
    Done,
    Finding,
    Found,
    InDoubt,
    Later,
    Listed,
    ListRead,
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


class JsonBoxAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[accounts.<name>]`` with ``target = "jsonbox"``."""

    api_key: Secret
    base_url: str
    target: str = "jsonbox"
    timeout_seconds: float = 30.0
    settle_seconds: float = 5.0


def build(name: str, table: Mapping[str, Any]) -> Account:
    """The account of one table; ``SetupError`` says what is wrong with it."""
    settings = read_table(JsonBoxAccount, table, f"pipeline.toml [accounts.{name}]")
    url = check_base_url(settings.base_url, name)

    def signed(request: Request, key: str) -> Signed:
        content = json.dumps(request.json).encode() if request.json is not None else b""
        query = "&".join(f"{name}={value}" for name, value in request.query)
        return Signed(request.method, url + request.path + (f"?{query}" if query else ""), {"x-key": key}, content)

    return Account(
        name=name, target="jsonbox", base_url=url, rate=Rate(1000, 1000),
        sign=lambda request: signed(request, settings.api_key.reveal()),
        show=lambda request: signed(request, "***"),
        operation=operation, operation_names=("put",), probe=probe,
        timeout=settings.timeout_seconds, settle_seconds=settings.settle_seconds, listing=listing,
    )  # fmt: skip


def operation(name: str, options: Mapping[str, Any]) -> Operation:
    """``put``: one document per order."""
    if name != "put" or options:
        raise SetupError(f"jsonbox has no operation '{name}' with options {dict(options)}. Known: put.")
    return Operation("put", frozenset({"order"}), plan, can_update=True)


def plan(record: Record, prior: Prior | None) -> Plan:
    told = record.over(prior.record) if prior is not None else record  # what the file leaves empty stays as it was told
    document = {"key": record.key, "document": encode_record(told)}
    if prior is not None:
        path = f"/documents/{prior.result['id']}"
        return (yield Step("change", Request("PUT", path, json=document), read, repeatable=True))
    return (yield Step("document", Request("POST", "/documents", json=document), read, find=look_up(record.key)))


def read(answer: Answer) -> Outcome:
    """One table: answer → outcome."""
    body = answer.json()
    match answer.status:
        case 401:
            return Paused("bad_key", "The box does not take the key.", "Put a good one where api_key points.")
        case 429:
            return Later("busy", "The box asks to wait.", float(answer.headers.get("retry-after", 1)))
        case status if 300 <= status < 400:
            return Paused("redirected", "The box redirects; that is not followed.", "Correct base_url.")
        case status if 400 <= status < 500:
            return Refused("refused", "The box refused it.", "Correct the row.")
    if answer.ok and isinstance(body, Mapping) and body.get("id"):
        return Done({"id": body["id"]})
    return InDoubt("unreadable", f"The box answered {answer.status} without an id.")


def look_up(key: str) -> Callable[[], Generator[Request, Answer, Finding]]:
    def find() -> Generator[Request, Answer, Finding]:
        seen = _documents((yield Request("GET", "/documents", (("key", key),))))
        if seen is None:
            return Unclear("the box could not be read")
        return Found({"id": seen[0]["id"]}) if seen else Absent()

    return find


def listing(_operation: str, _since: datetime, _until: datetime) -> ListRead:
    """Everything in the box: it does not tell when a document came."""
    seen = _documents((yield Request("GET", "/documents")))
    if seen is None:
        return Unclear("the box could not be read", Later("unreadable", "The box could not be read."))
    return tuple(
        Listed("order", one["key"], one["id"], {"email": one["document"]["fields"].get("email", "")}) for one in seen
    )


def _documents(answer: Answer) -> list[Mapping[str, Any]] | None:
    body = answer.json()
    return body if answer.ok and isinstance(body, list) else None


def probe() -> Plan:
    def good(answer: Answer) -> Outcome:
        return Done({}) if _documents(answer) is not None else read(answer)

    return (yield Step("probe", Request("GET", "/documents"), good, reads_only=True))


class SimulatedJsonBox:
    """The box: a list of documents, in the order of creation."""

    name = "jsonbox"

    def __init__(self, key: str = "sandbox-key") -> None:
        self._key = key
        self.documents: list[dict[str, Any]] = []

    def writes(self, call: Call) -> bool:
        return call.method != "GET"

    def truth(self) -> dict[str, Any]:
        return {"documents": list(self.documents)}

    def handle(self, call: Call) -> Reply:
        if call.headers.get("x-key") != self._key:
            return Reply(401, {})
        if call.method == "GET":
            key = call.param("key")
            return Reply(200, [one for one in self.documents if key in {"", one["key"]}])
        if call.method == "PUT":
            number = int(call.path.rsplit("/", 1)[1])
            self.documents[number - 1] = {**call.json(), "id": str(number)}
            return Reply(200, {"id": str(number)})
        self.documents.append({**call.json(), "id": str(len(self.documents) + 1)})
        return Reply(201, {"id": str(len(self.documents))})
