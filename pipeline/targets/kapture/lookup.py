"""Looking orders up, and reading Kapture's own list of them.

Generation b shows the orders of a day, and one order by Kapture's id; generation c finds an order by ours.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from pipeline.model import Record
from pipeline.targets.contract import Absent, Answer, Finding, Found, Listed, ListRead, Request, Unclear
from pipeline.targets.kapture.answers import Reader, Reply, fold, read_reply, says_empty
from pipeline.targets.kapture.client import PAGE, Calls
from pipeline.targets.kapture.payload import create_date, customer_name
from pipeline.targets.kapture.settings import AccountTable

MAX_PAGES = 20
"""So many pages of one day are read in a look-up; a longer day is left to a person."""

_LISTS = ("orders", "message", "data", "response", "result")
"""Where a pull of generation c may keep its orders: its reply could not be seen."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LookUp:
    """Looks for an order by its ``erp_order_id`` in the days around it."""

    account: AccountTable
    calls: Calls
    reader: Reader
    record: Record

    def search(self) -> Generator[Request, Answer, Finding]:
        """The look-up of the account's generation."""
        return self._by_order_id() if self.account.generation == "c" else self._by_days()

    def _by_order_id(self) -> Generator[Request, Answer, Finding]:
        """The vendor's filter is not taken at its word: the order found has to say our id itself."""
        order_id = self.record.text("order_id")
        answer = yield self.calls.pull_by_order_id(order_id)
        rows = read_orders(answer, _LISTS)
        if rows is None:
            return Unclear(f"the pull of {order_id} could not be read", self.reader.trouble(answer))
        ours = [row for row in rows if _text(row, "erporderid") == order_id]
        if ours:
            return _only(ours)
        if rows or not self.account.pull_proves_absence:
            return Unclear("the pull does not show an order with our id, which need not mean that there is none")
        return Absent()

    def _by_days(self) -> Generator[Request, Answer, Finding]:
        """Found by our own id only; absent only where the settings vouch for what a pull shows."""
        alike: list[str] = []
        unnumbered = False
        for day in self._days():
            rows = yield from read_day(self.calls, self.reader, day)
            if isinstance(rows, Unclear):
                return rows
            ours = [row for row in rows if _text(row, "erporderid") == self.record.text("order_id")]
            if ours:
                return _only(ours)
            unnumbered = unnumbered or any("erporderid" not in row for row in rows)
            alike += [_text(row, "id") for row in rows if not _text(row, "erporderid") and self._alike(row)]
        return self._not_seen(alike, unnumbered)

    def _days(self) -> Iterator[date]:
        """The order's own day first, then its neighbours: the zone of Kapture's days is not documented."""
        when = create_date(self.record, self.account.zone)
        if when is not None:
            yield from (when.date() + timedelta(days=offset) for offset in (0, -1, 1))

    def _alike(self, row: Row) -> bool:
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


def read_day(calls: Calls, reader: Reader, day: date) -> Generator[Request, Answer, list[Row] | Unclear]:
    """All orders of one day, page by page; ``Unclear`` where they cannot be read whole."""
    rows: list[Row] = []
    for page in range(MAX_PAGES):
        answer = yield calls.pull(day, page * PAGE)
        more = read_orders(answer)
        if more is None:
            return Unclear(f"the pull of {day} could not be read (HTTP {answer.status})", reader.trouble(answer))
        if more and rows and more[0] == rows[-len(more)]:
            return Unclear(f"the pull of {day} gives the same page again and again")
        rows += more
        if len(more) < PAGE:
            return rows
    return Unclear(f"{day} has more than {MAX_PAGES * PAGE} orders")


@dataclass(frozen=True, slots=True)
class OwnList:
    """The orders of some days, for generation b: how a pull of generation c is paged could not be seen."""

    calls: Calls
    reader: Reader

    def read(self, operation: str, since: datetime, until: datetime) -> ListRead | None:
        """Every order of those days; ``None`` where no list shows the operation.

        The list begins ``list_days_back`` days before: an order made today may bear the older date we sent for it.
        """
        return self._read(since, until) if operation == "push_order" else None

    def _read(self, since: datetime, until: datetime) -> ListRead:
        back = timedelta(days=self.calls.account.list_days_back + 1)
        day, last = (since - back).date(), (until + timedelta(days=1)).date()
        found: dict[tuple[str, str], Listed] = {}
        while day <= last:
            rows = yield from read_day(self.calls, self.reader, day)
            if isinstance(rows, Unclear):
                return rows
            found.update({(one.remote_id, one.key): one for one in map(_listed, rows)})
            day += timedelta(days=1)
        return tuple(found.values())


def _listed(row: Row) -> Listed:
    """Our order id where the pull shows it: its documented sample does not."""
    email = _text(row, "email")
    return Listed("order", _text(row, "erporderid"), _id_of(row), {"email": email} if email else {})


def read_orders(answer: Answer, names: Sequence[str] = ("orders",)) -> list[Row] | None:
    """The orders of a pull by folded keys; ``None`` when the answer cannot be read as a list of orders.

    ``names``: the folded names under which the list may stand.
    """
    reply = read_reply(answer)
    if not answer.ok or not isinstance(reply, Reply):
        return None
    if says_empty(reply):
        return []
    lists = [reply.fields[name] for name in names if isinstance(reply.fields.get(name), list)]
    if reply.status != "success" or len(lists) != 1 or not all(isinstance(o, Mapping) for o in lists[0]):
        return None
    orders: list[Row] = lists[0]
    return [{fold(str(key)): value for key, value in order.items()} for order in orders]


def _only(rows: list[Row]) -> Finding:
    ids = [_id_of(row) for row in rows]
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


def _id_of(row: Row) -> str:
    return _text(row, "orderid") or _text(row, "id")


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdigit())
