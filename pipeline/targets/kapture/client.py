"""The calls: which key signs what, and what an unanswered push can be looked up by."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from pipeline.model import Record
from pipeline.settings import Secret
from pipeline.targets.contract import Absent, Answer, Finding, Found, Request, Signed, Unclear
from pipeline.targets.kapture.answers import Reply, fold, read_reply, says_empty
from pipeline.targets.kapture.payload import create_date, customer_name
from pipeline.targets.kapture.settings import ORDER_PATH, AccountTable

PULL_PATH = "/select-order-between-start-and-end-dates.html"
SEARCH_PATH = "/search-order-by-order-id.html"
HIDDEN = "***"
PAGE = 100
MAX_PAGES = 20
"""So many pages of one day are read in a look-up; a longer day is left to a person."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Builds the calls of one account in the shape its tenant wants, secrets still missing."""

    account: AccountTable

    def push(self, body: Mapping[str, Any]) -> Request:
        """Create an order."""
        return self._post("push", ORDER_PATH, body)

    def update(self, body: Mapping[str, Any]) -> Request:
        """Change an order: the same address, another key."""
        return self._post("update", ORDER_PATH, body)

    def payment(self, body: Mapping[str, Any]) -> Request:
        """Enter a payment at the address the tenant was given."""
        return self._post("payment", self.account.payment_path, body)

    def search(self, order_id: str) -> Request:
        """Read one order by Kapture's id."""
        return self._post("search", SEARCH_PATH, {"order_id": order_id})

    def pull(self, day: date, start: int) -> Request:
        """Read a page of one day's orders; neighbouring pulls are documented to return one day at most."""
        text = day.isoformat()
        body = {
            "start_date": text,
            "end_date": text,
            "numberOfRecords": str(PAGE),
            "startPosition": str(start),
        }
        return self._post("pull", PULL_PATH, body)

    def _post(self, call: str, path: str, body: Mapping[str, Any]) -> Request:
        wrapped = [dict(body)] if getattr(self.account.wrap, call) == "array" else dict(body)
        return Request("POST", path, json=wrapped, key=call)


@dataclass(frozen=True, slots=True)
class Signer:
    """Adds the address and the key of the call: in a header, or in the query where the settings say so."""

    account: AccountTable

    def sign(self, request: Request) -> Signed:
        """The call as it goes out; ``SetupError`` when its key is missing."""
        key = self.account.keys.of(request.key) or Secret(None, f"the account setting keys.{request.key}")
        return self._signed(request, _token(key.reveal()))

    def show(self, request: Request) -> Signed:
        """The same call for people, its key replaced."""
        return self._signed(request, HIDDEN)

    def _signed(self, request: Request, token: str) -> Signed:
        headers = {"Content-Type": "application/json"}
        query = dict(request.query)
        if self.account.auth_in == "query":
            query["auth_key"] = token
        else:
            headers["Authorization"] = f"Basic {token}"
        url = self.account.base_url + request.path + (f"?{urlencode(query, safe='*')}" if query else "")
        # Plain ASCII with escapes: the pages name no character set, and this reads the same in all of them.
        return Signed(request.method, url, headers, json.dumps(request.json).encode("ascii"))


@dataclass(frozen=True, slots=True)
class LookUp:
    """Looks for an order by its ``erp_order_id`` in the days around it."""

    account: AccountTable
    calls: Calls
    record: Record

    def search(self) -> Generator[Request, Answer, Finding]:
        """Found by our own id only; absent only where the settings vouch for what a pull shows."""
        alike: list[str] = []
        unnumbered = False
        for day in self._days():
            rows = yield from self._day(day)
            if isinstance(rows, Unclear):
                return rows
            ours = [row for row in rows if _text(row, "erporderid") == self.record.text("order_id")]
            if ours:
                return _only(ours)
            unnumbered = unnumbered or any("erporderid" not in row for row in rows)
            alike += [_text(row, "id") for row in rows if not _text(row, "erporderid") and self._alike(row)]
        return self._not_seen(alike, unnumbered)

    def _day(self, day: date) -> Generator[Request, Answer, list[Mapping[str, Any]] | Unclear]:
        rows: list[Mapping[str, Any]] = []
        for page in range(MAX_PAGES):
            answer = yield self.calls.pull(day, page * PAGE)
            more = read_orders(answer)
            if more is None:
                return Unclear(f"the pull of {day} could not be read (HTTP {answer.status})")
            if more and rows and more[0] == rows[-len(more)]:
                return Unclear(f"the pull of {day} gives the same page again and again")
            rows += more
            if len(more) < PAGE:
                return rows
        return Unclear(f"{day} has more than {MAX_PAGES * PAGE} orders")

    def _days(self) -> Iterator[date]:
        """The order's own day first, then its neighbours: the zone of Kapture's days is not documented."""
        when = create_date(self.record, self.account.zone)
        if when is not None:
            yield from (when.date() + timedelta(days=offset) for offset in (0, -1, 1))

    def _alike(self, row: Mapping[str, Any]) -> bool:
        """Same name, and the same phone or e-mail: an order of this customer, perhaps this one."""
        same_name = _text(row, "name").casefold() == customer_name(self.record).casefold()
        phone, email = _digits(self.record.text("phone")), self.record.text("email").casefold()
        same_phone = bool(phone) and _digits(_text(row, "phone")) == phone
        return same_name and (same_phone or (bool(email) and _text(row, "email").casefold() == email))

    def _not_seen(self, alike: list[str], unnumbered: bool) -> Finding:
        if alike:
            return Unclear(f"orders of the same customer without our order id: {', '.join(alike)}")
        if unnumbered or not self.account.pull_proves_absence:
            return Unclear(
                "the pull does not show it, which proves nothing: a pulled order need not carry our order id"
            )
        return Absent()


def read_orders(answer: Answer) -> list[Mapping[str, Any]] | None:
    """The orders of a pull by folded keys; ``None`` when the answer cannot be read as a list of orders."""
    reply = read_reply(answer)
    if not answer.ok or not isinstance(reply, Reply):
        return None
    if says_empty(reply):
        return []
    orders = reply.fields.get("orders")
    if (
        reply.status != "success"
        or not isinstance(orders, list)
        or not all(isinstance(o, Mapping) for o in orders)
    ):
        return None
    return [{fold(str(key)): value for key, value in order.items()} for order in orders]


def _only(rows: list[Mapping[str, Any]]) -> Finding:
    ids = [_text(row, "id") or _text(row, "orderid") for row in rows]
    if len(ids) > 1:
        return Unclear(f"several orders carry our order id: {', '.join(ids)}")
    if not ids[0]:
        return Unclear("an order carries our order id, but no id of its own")
    names = {"enquiry_id": "enquiryid", "customer_id": "leadid"}
    return Found(
        {
            "id": ids[0],
            **{name: _text(rows[0], field) for name, field in names.items() if _text(rows[0], field)},
        }
    )


def _token(key: str) -> str:
    """The key as issued: it looks encoded already, and some people copy it with the word in front."""
    return key.strip().removeprefix("Basic ").strip()


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdigit())
