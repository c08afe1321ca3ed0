"""Looking orders up through the signed reads of API 1.0: one order by its mark, or all of some days.

``GetBills`` and ``getOrderDetails`` go by the customer's e-mail and prove absence where everything was read.
``getOrdersWithGoods`` goes by days and is only believed for what it shows: which date it filters by is nowhere said.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from pipeline.model import Record
from pipeline.targets.contract import (
    Absent,
    Answer,
    Done,
    Finding,
    Found,
    Listed,
    ListRead,
    LookUp,
    Outcome,
    Request,
    Result,
    Step,
    Unclear,
)
from pipeline.targets.influencersoft.answers import Reader
from pipeline.targets.influencersoft.client import (
    Bill,
    bill_request,
    days_request,
    is_ours,
    post,
    read_bill,
    read_bills,
    read_days,
)
from pipeline.targets.influencersoft.lines import product_keys
from pipeline.targets.influencersoft.payload import MARK, order_status
from pipeline.targets.influencersoft.settings import CreateOrderOptions

MAX_BILLS = 50
"""So many orders of one customer are read in a look-up, newest first; every one is a call."""

WINDOW_DAYS = 30
"""The longest time asked for at once; a client in use does the same (``semivan/justclick-api-client``)."""

_PAY_STATES = ("waiting", "paid", "cancel")
Search = Generator[Request, Answer, Finding]


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders of one account, as far as its signed reads show them."""

    reader: Reader
    zone: ZoneInfo | None = None
    days_back: int = 0

    def find(self, record: Record, options: CreateOrderOptions) -> Search:
        """The order that carries our mark: by e-mail, and by its days where the e-mail cannot tell."""
        finding = yield from self._by_email(record, options)
        if not isinstance(finding, Unclear) or finding.trouble is not None:
            return finding
        return (yield from self._by_days(record, options)) or finding

    def listing(self, operation: str, since: datetime, until: datetime) -> ListRead | None:
        """Every order of some days, in windows the shop does not cut short; ``None`` for any other operation."""
        return self._listing(since, until) if operation == "create_order" else None

    def _by_email(self, record: Record, options: CreateOrderOptions) -> Search:
        """Absent only when every list and every order was read, and no order without a mark could be ours."""
        listed: dict[str, frozenset[str]] = {}
        for state in _PAY_STATES:
            answer = yield post("GetBills", (("email", record.text("email")), ("pay_status", state)), signed=True)
            bills = read_bills(answer)
            if bills is None:
                return self._unread(f"the list of {state} orders", answer)
            listed.update(bills)
        newest = sorted(listed, key=lambda bill: (len(bill), bill), reverse=True)
        seen: list[Bill] = []
        for bill_id in newest[:MAX_BILLS]:
            answer = yield bill_request(bill_id)
            bill = read_bill(answer, bill_id)
            if bill is None:
                return self._unread(f"order {bill_id}", answer)
            seen.append(bill)
        return _finding(seen, listed, record, options)

    def _by_days(self, record: Record, options: CreateOrderOptions) -> Generator[Request, Answer, Found | None]:
        """Exactly one order of the days after ``ordered_at`` with our mark; ``None`` proves nothing."""
        when = record.time("ordered_at")
        if when is None:
            return None
        first = (when.astimezone(self.zone) if self.zone else when).date() - timedelta(days=1)
        answer = yield days_request(first, first + timedelta(days=WINDOW_DAYS - 1))
        ours = [bill.id for bill in read_days(answer) or () if is_ours(bill, record, options)]
        return Found({"id": ours[0]}) if len(ours) == 1 else None

    def _listing(self, since: datetime, until: datetime) -> ListRead:
        """From ``days_back`` days before: an order made today may bear the older date that we sent for it."""
        found: dict[str, Bill] = {}
        first, last = (since - timedelta(days=self.days_back + 1)).date(), (until + timedelta(days=1)).date()
        for begin, end in windows(first, last):
            answer = yield days_request(begin, end)
            bills = read_days(answer)
            if bills is None:
                return self._unread(f"the list of {begin} to {end}", answer)
            found.update({bill.id: bill for bill in bills})
        return tuple(_listed(bill) for bill in found.values())

    def _unread(self, what: str, answer: Answer) -> Unclear:
        return Unclear(f"{what} could not be read: {self.reader.quote(answer.text(4000))}", self.reader.trouble(answer))


def windows(first: date, last: date) -> Iterator[tuple[date, date]]:
    """The days from ``first`` to ``last`` in pieces no longer than ``WINDOW_DAYS``."""
    while first <= last:
        end = min(last, first + timedelta(days=WINDOW_DAYS - 1))
        yield first, end
        first = end + timedelta(days=1)


def looked_up(find: LookUp, name: str, reader: Reader) -> Generator[Step, Result, Finding]:
    """A look-up as part of a plan: read-only steps. A dry run, where nobody answers, goes on as if it was found."""
    search = find()
    request, number = next(search), 1
    while True:
        heard: list[Answer] = []
        yield Step(f"{name} {number}", request, partial(_hear, heard, reader), reads_only=True)
        if not heard:
            return Found({"id": f"<id of {name}>"})
        try:
            request, number = search.send(heard[0]), number + 1
        except StopIteration as end:
            finding: Finding = end.value
            return finding


def _hear(heard: list[Answer], reader: Reader, answer: Answer) -> Outcome:
    trouble = reader.trouble(answer)
    if trouble is not None:
        return trouble
    heard[:] = [answer]
    return Done({})


def _finding(
    seen: Sequence[Bill], listed: Mapping[str, frozenset[str]], record: Record, options: CreateOrderOptions
) -> Finding:
    ours = [bill.id for bill in seen if is_ours(bill, record, options)]
    if len(ours) == 1:
        return Found({"id": ours[0]})
    if ours:
        return Unclear(f"several orders carry our mark: {', '.join(ours)}")
    unmarked = [bill.id for bill in seen if _could_be_ours(bill, listed[bill.id], record, options)]
    if unmarked:
        return Unclear(f"same customer and products, but without our mark: {', '.join(unmarked)}")
    blind_spot = _blind_spot(len(listed), record, options)
    return Unclear(blind_spot) if blind_spot else Absent()


def _blind_spot(bills: int, record: Record, options: CreateOrderOptions) -> str:
    if bills > MAX_BILLS:
        return f"the customer has {bills} orders, only the newest {MAX_BILLS} were read"
    if order_status(record, options) == "MoneyBack":
        return "the lists show waiting, paid and cancelled orders, and this one was sent as refunded"
    return ""


def _could_be_ours(bill: Bill, goods: frozenset[str], record: Record, options: CreateOrderOptions) -> bool:
    """Our products (or none shown) and no mark at all: that a mark always arrives is documented nowhere."""
    mark = bill.tag if options.mark_in == "order_tag" else bill.comment
    return not (mark or "").strip() and (not goods or goods == frozenset(product_keys(record, options)))


def _listed(bill: Bill) -> Listed:
    """The key is our order id where the order carries it: in the note, else as its tag."""
    notes = [part.strip() for part in (bill.comment or "").split("|")]
    marked = next((part.removeprefix(MARK).strip() for part in notes if part.startswith(MARK)), "")
    facts = {"email": bill.email} if bill.email else {}
    return Listed("order", marked or (bill.tag or "").strip(), bill.id, facts)
