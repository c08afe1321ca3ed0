"""The calls: how each generation of the API is signed, what is asked, and how orders are read.

API 2.0 (``rpsKey`` in the body) takes the order; only API 1.0 (md5 signature) can show orders again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote_plus

from pipeline.model import Record
from pipeline.settings import Secret
from pipeline.targets.contract import Answer, Request, Signed
from pipeline.targets.influencersoft.answers import read_envelope
from pipeline.targets.influencersoft.payload import Form, order_mark, order_tag
from pipeline.targets.influencersoft.settings import AccountTable, CreateOrderOptions

SIGNED = "1.0"
"""``Request.key`` of a call signed the 1.0 way; every other call carries ``rpsKey``."""

HIDDEN = "***"


def post(method: str, form: Form = (), *, signed: bool = False) -> Request:
    """A call of one API method, secret still missing."""
    return Request("POST", f"/api/{method}", form=form, key=SIGNED if signed else "")


def encode_form(form: Form) -> str:
    """The body as PHP's ``http_build_query`` writes it; PHP escapes ``~``, Python does not."""
    return "&".join(f"{_escape(name)}={_escape(value)}" for name, value in form)


def signature(query: str, login: str, secret: str) -> str:
    """The 1.0 ``hash``: plain md5 over the encoded parameters in sending order, login and secret."""
    return hashlib.md5(f"{query}::{login}::{secret}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Signer:
    """Adds the address and what proves who calls: ``rpsKey`` for 2.0, ``hash`` for 1.0."""

    account: AccountTable

    def sign(self, request: Request) -> Signed:
        """The call as it goes out; ``SetupError`` when the secret it needs is missing."""
        form = request.form or ()
        if request.key != SIGNED:
            return self._signed(request, encode_form((("rpsKey", self.account.api_key.reveal()), *form)))
        query = encode_form(form)
        proof = signature(query, self.account.login, self._secret().reveal())
        return self._signed(request, "&".join(part for part in (query, f"hash={proof}") if part))

    def show(self, request: Request) -> Signed:
        """The same call for people, its proof replaced."""
        form = request.form or ()
        if request.key == SIGNED:
            return self._signed(request, "&".join(part for part in (encode_form(form), f"hash={HIDDEN}") if part))
        return self._signed(request, "&".join(part for part in (f"rpsKey={HIDDEN}", encode_form(form)) if part))

    def _secret(self) -> Secret:
        return self.account.secret or Secret(None, "the account setting `secret`")

    def _signed(self, request: Request, body: str) -> Signed:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Signed(request.method, self.account.base_url + request.path, headers, body.encode())


@dataclass(frozen=True, slots=True)
class Bill:
    """One order as ``getOrderDetails`` shows it; a field the reply does not have is ``None``."""

    id: str
    tag: str | None
    comment: str | None
    pay_status: str | None = None
    email: str | None = None


def bill_request(bill_id: str) -> Request:
    """Read one order by its number."""
    return post("getOrderDetails", (("bill_id", bill_id),), signed=True)


def is_ours(bill: Bill, record: Record, options: CreateOrderOptions) -> bool:
    """Whether the order carries the mark this record is sent with."""
    if options.mark_in == "order_tag":
        return (bill.tag or "").strip() == order_tag(record, options).strip()
    return order_mark(record) in [part.strip() for part in (bill.comment or "").split("|")]


def read_bills(answer: Answer) -> Mapping[str, frozenset[str]] | None:
    """Order numbers of a ``GetBills`` answer with their product keys; ``None`` when it cannot be read."""
    envelope = read_envelope(answer)
    if envelope is None or not answer.ok:
        return None
    if envelope.code == 400:  # "order not found" is how a read says: none
        return {}
    if envelope.code != 0:
        return None
    if not envelope.result:  # PHP writes an empty map as [], or leaves it out
        return {}
    if isinstance(envelope.result, Mapping):
        return {str(bill): _good_names(goods) for bill, goods in envelope.result.items()}
    return _bills_of_list(envelope.result)


def read_bill(answer: Answer, bill_id: str) -> Bill | None:
    """One order; ``None`` when the answer is not that order."""
    envelope = read_envelope(answer)
    if envelope is None or not answer.ok or envelope.code != 0 or not isinstance(envelope.result, Mapping):
        return None
    shown = envelope.result
    if str(shown.get("id", shown.get("bill_id", bill_id))) != bill_id or not {"tag", "comment"} & set(shown):
        return None
    return _bill(bill_id, shown)


def days_request(first: date, last: date) -> Request:
    """All orders of some days; the shop cuts a longer time to its last month without saying so."""
    days = (("begin_date", first.strftime("%d.%m.%Y")), ("end_date", last.strftime("%d.%m.%Y")))
    return post("getOrdersWithGoods", days, signed=True)


def read_days(answer: Answer) -> list[Bill] | None:
    """The orders of a ``getOrdersWithGoods`` answer; ``None`` when it cannot be read whole."""
    envelope = read_envelope(answer)
    if envelope is None or not answer.ok or envelope.code not in {0, 400}:
        return None
    if envelope.code == 400 or not envelope.result:
        return []
    entries = envelope.result
    if isinstance(entries, Mapping):
        entries = [{"id": number, **shown} for number, shown in entries.items() if isinstance(shown, Mapping)]
        if len(entries) != len(envelope.result):
            return None
    if not isinstance(entries, list) or not all(_number(entry) for entry in entries):
        return None
    return [_bill(_number(entry), entry) for entry in entries]


def _number(entry: Any) -> str:  # noqa: ANN401 - whatever the vendor sent
    number = entry.get("bill_id", entry.get("id")) if isinstance(entry, Mapping) else None
    return str(number) if isinstance(number, int | str) and not isinstance(number, bool) else ""


def _bill(bill_id: str, shown: Mapping[str, Any]) -> Bill:
    names = ("tag", "comment", "pay_status", "email")
    return Bill(bill_id, *(_text(shown.get(name)) for name in names))


def _bills_of_list(result: Any) -> Mapping[str, frozenset[str]] | None:  # noqa: ANN401 - whatever the vendor sent
    if not isinstance(result, list) or not all(isinstance(entry, Mapping) for entry in result):
        return None
    numbers = [entry.get("bill_id", entry.get("id")) for entry in result]
    return None if None in numbers else {str(number): frozenset() for number in numbers}


def _good_names(goods: Any) -> frozenset[str]:  # noqa: ANN401 - whatever the vendor sent
    entries = goods.values() if isinstance(goods, Mapping) else goods if isinstance(goods, list) else ()
    return frozenset(
        str(entry["good_name"]) for entry in entries if isinstance(entry, Mapping) and "good_name" in entry
    )


def _text(value: Any) -> str | None:  # noqa: ANN401 - whatever the vendor sent
    return None if value is None else str(value)


def _escape(text: str) -> str:
    return quote_plus(text, errors="replace").replace("~", "%7E")
