"""The calls of both generations, and what signs them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from pipeline.model import Record
from pipeline.settings import Secret
from pipeline.targets.contract import Request, Signed
from pipeline.targets.kapture.generation_c import by_order_id, nested
from pipeline.targets.kapture.settings import AccountTable

HIDDEN = "***"
PAGE = 100


@dataclass(frozen=True, slots=True)
class Calls:
    """Builds the calls of one account in the shape its tenant wants, secrets still missing."""

    account: AccountTable

    def push(self, body: Mapping[str, Any], record: Record) -> Request:
        """Create an order from its flat fields."""
        return self._order("push", body, record)

    def update(self, body: Mapping[str, Any], record: Record) -> Request:
        """Change an order: the same address, in generation b another key."""
        return self._order("update", body, record)

    def payment(self, body: Mapping[str, Any]) -> Request:
        """Enter a payment at the address the tenant was given."""
        return self._post("payment", body)

    def search(self, order_id: str) -> Request:
        """Read one order by Kapture's id."""
        return self._post("search", {"order_id": order_id})

    def pull(self, day: date, start: int) -> Request:
        """Read a page of one day's orders; neighbouring pulls are documented to return one day at most."""
        text = day.isoformat()
        body = {"start_date": text, "end_date": text, "numberOfRecords": str(PAGE), "startPosition": str(start)}
        return self._post("pull", body)

    def pull_by_order_id(self, order_id: str) -> Request:
        """Read the orders with our id; generation c only."""
        return self._post("pull", by_order_id(self.account.cm_id or 0, order_id))

    def _order(self, call: str, body: Mapping[str, Any], record: Record) -> Request:
        known = dict(body)
        return self._post(call, nested(known, record, self.account) if self.account.by_password(call) else known)

    def _post(self, call: str, body: Mapping[str, Any]) -> Request:
        wrapped = [dict(body)] if self.account.in_array(call) else dict(body)
        return Request("POST", self.account.path(call), json=wrapped, key=call)


@dataclass(frozen=True, slots=True)
class Signer:
    """Adds the address and the key of the call: in a header, or in the query where the settings say so."""

    account: AccountTable

    def sign(self, request: Request) -> Signed:
        """The call as it goes out; ``SetupError`` when its key is missing."""
        if self.account.by_password(request.key):
            return self._signed(request, self.account.token())
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


def _token(key: str) -> str:
    """The key as issued: it looks encoded already, and some people copy it with the word in front."""
    return key.strip().removeprefix("Basic ").strip()
