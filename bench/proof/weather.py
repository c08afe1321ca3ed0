"""Every kind of bad weather at every write of every target, through the real delivery over real HTTP.

    python bench/proof/weather.py [--only orderdesk]

For each target a small story is delivered in fair weather first: its writes are counted and what then exists is the
truth to meet. Then each write is hit by each fault in turn, on a fresh target and a fresh ledger. The verdict is the
target's own record: what exists twice was duplicated, what is missing without the ledger saying so was lost.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from desk import Desk, WaitedTime, account_at, order
from ground import fast_folder

from pipeline.ledger import deliveries as book
from pipeline.model import DeliveryState, Record
from pipeline.sandbox.calls import LoggedCall
from pipeline.sandbox.contract import Call, SimulatedTarget
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.influencersoft import SimulatedInfluencerSoft
from pipeline.sandbox.kapture import SimulatedKapture
from pipeline.sandbox.keap import SimulatedKeap
from pipeline.sandbox.orderdesk import SimulatedOrderDesk
from pipeline.sandbox.server import SandboxServer

LATE = 20.0
"""Seconds after which late work is done: after our time-out and our first look-up, within the settle time of 30."""

_REFUSING = frozenset({"error_200"})
"""Faults by which the target says no: the row is refused, and a person sees it."""

_PROVING_NOT_DONE = frozenset({"throttle", "unauthorized", "error_200", "redirect"})
"""Faults that say the work was not done: to send again is right."""

_NEVER = threading.Event()
FAULTS: Mapping[str, Fault] = {
    "connection dropped before the work": Fault("drop_before"),
    "connection dropped after the work": Fault("drop_after"),
    "5xx before the work": Fault("error_before"),
    "5xx after the work": Fault("error_after"),
    "work done late, after our look-up": Fault("late", seconds=3600),
    "stalled answer": Fault("stall", seconds=0.5),
    "slow bytes, in the end too slow": Fault("slow_bytes", seconds=1.0),
    "slow bytes, just in time": Fault("slow_bytes", seconds=0.1),
    "answer cut off": Fault("cut"),
    "429 with the wait header": Fault("throttle", seconds=3),
    "429 without it": Fault("throttle", header=False),
    "200 with a web page, work done": Fault("html"),
    "200 with a web page, work not done": Fault("html", worked=False),
    "200 with no body, work done": Fault("empty"),
    "200 with no body, work not done": Fault("empty", worked=False),
    "200 with an error, work not done": Fault("error_200", worked=False),
    "redirect to another host": Fault("redirect"),
    "kept-alive connection closed after an answer": Fault("hang_up"),
    "key expired in mid-run": Fault("unauthorized"),
}


@dataclass(frozen=True, slots=True)
class Delivered:
    """One part of a story: an operation, its records and options."""

    operation: str
    records: Sequence[Record]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Play:
    """A target, how to make it and its account, and what is delivered there, file by file.

    ``looks_up``: it can be asked whether an unanswered write happened; without that a doubt waits for a person.
    """

    title: str
    target: str
    make: Callable[[], SimulatedTarget]
    story: Sequence[Delivered]
    looks_up: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)


def _shipment(order_id: str) -> Record:
    fields = {"order_id": order_id, "tracking_number": f"T{order_id}", "carrier": "Bring"}
    return Record("shipment", f"{order_id}|T{order_id}", fields, rows=(2,))


def _stock(sku: str, price: str) -> Record:
    return Record("inventory_item", sku, {"sku": sku, "name": f"The {sku}", "price": Decimal(price)}, rows=(2,))


_PAID = order("1", fields={"order_total": Decimal("12.50"), "amount_paid": Decimal("12.50"), "currency": "USD"})
PLAYS: tuple[Play, ...] = (
    Play("Order Desk: orders, a changed one, shipments", "orderdesk", SimulatedOrderDesk, (
        Delivered("order", [order("1"), order("2")], {"folder": "Closed"}),
        Delivered("order", [order("2", price="14.00")], {"folder": "Closed"}),
        Delivered("shipment", [_shipment("1")]),
    )),
    Play("Order Desk: stock, new and changed", "orderdesk", SimulatedOrderDesk, (
        Delivered("inventory_item", [_stock("A-1", "3.00"), _stock("A-2", "4.00")]),
        Delivered("inventory_item", [_stock("A-2", "5.00")]),
    )),
    Play("Order Desk: stock, changed rows in one call", "orderdesk", SimulatedOrderDesk, (
        Delivered("inventory_item", [_stock("A-1", "3.00"), _stock("A-2", "4.00"), _stock("A-3", "5.00")]),
        Delivered("inventory_item", [_stock(f"A-{n}", "6.00") for n in (1, 2, 3)], {"together": 100}),
    )),
    Play("Order Desk: stock, an array of which half is taken", "orderdesk",
         lambda: SimulatedOrderDesk(halves_batches="silently"), (
        Delivered("inventory_item", [_stock("A-1", "3.00"), _stock("A-2", "4.00"), _stock("A-3", "5.00")]),
        Delivered("inventory_item", [_stock(f"A-{n}", "6.00") for n in (1, 2, 3)], {"together": 100}),
    )),
    Play("Keap: contact, product, order, payment, a change", "keap", SimulatedKeap, (
        Delivered("place_order", [_PAID, order("2")], {"create_products": True}),
        Delivered("place_order", [order("2", fields={"shipping_city": "Salem"})], {"create_products": True}),
    )),
    Play("Keap: a line less in a changed order", "keap", SimulatedKeap, (
        Delivered("place_order", [order("1", fields={"shipping_total": Decimal(3)})], {"create_products": True}),
        Delivered("place_order", [replace(order("1"), cleared=("shipping_total",))],
                  {"create_products": True, "removed_lines": "delete"}),
    )),
    Play("Kapture: orders, its list shows our number", "kapture", lambda: SimulatedKapture(pull_shows_erp_id=True), (
        Delivered("push_order", [order("1"), order("2")]),
    ), settings={"pull_proves_absence": True}),
    Play("Kapture: orders, a changed one, its list as documented", "kapture", SimulatedKapture, (
        Delivered("push_order", [order("1"), order("2")]),
        Delivered("push_order", [order("2", price="14.00")]),
    ), looks_up=False),
    Play("InfluencerSoft with the secret of its reads", "influencersoft", SimulatedInfluencerSoft, (
        Delivered("create_order", [order("1"), order("2")]),
    ), settings={"secret": "sandbox-key"}),
    Play("InfluencerSoft without it", "influencersoft", SimulatedInfluencerSoft, (
        Delivered("create_order", [order("1"), order("2")]),
    ), looks_up=False),
)  # fmt: skip


@dataclass(slots=True)
class Cell:
    """What one fault at one write led to."""

    lost: int = 0
    duplicated: int = 0
    resent: int = 0
    doubts: int = 0
    refused: int = 0
    writes: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    mistakes: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, duplicated or sent again blindly."""
        return not (self.lost or self.duplicated or self.resent or self.mistakes)


def perform(play: Play, fault: Fault | None, at_write: int = 0) -> Cell:
    """Deliver the story, its ``at_write``-th write (from 1) hit by ``fault``."""
    with (
        tempfile.TemporaryDirectory(prefix="orderdrop-weather-", dir=fast_folder()) as folder,
        SandboxServer([play.make()]) as sandbox,
    ):
        clock = WaitedTime(lambda passed: _finish_late(sandbox, passed))
        account = account_at(play.target, sandbox, timeout_seconds=0.2, **play.settings)
        desk = Desk(Path(folder), account, clock)
        if fault is not None:
            sandbox.faults.add([_aimed(fault, at_write)])
        try:
            for part in play.story:
                desk.take_in(part.operation, part.records, part.options)
                _drain_until_nothing_moves(desk)
            sandbox.finish_late()
            return _seen(desk, sandbox, play)
        finally:
            desk.close()


def _finish_late(sandbox: SandboxServer, passed: float) -> None:
    if passed >= LATE:
        sandbox.finish_late()


def _aimed(fault: Fault, at_write: int) -> Fault:
    import msgspec

    return msgspec.structs.replace(fault, skip=at_write - 1, times=1)


def _drain_until_nothing_moves(desk: Desk) -> None:
    """As runs follow one another; a person has put a good key in by the second."""
    for _ in range(6):
        desk.drain()
        with desk.engine.connect() as connection:
            upcoming = book.next_due(connection, desk.account.name)
        if upcoming is None:
            return
        desk.clock.wait(max(0.0, upcoming[0] - desk.clock.now()), _NEVER)


def _seen(desk: Desk, sandbox: SandboxServer, play: Play) -> Cell:
    truth = sandbox.truth()[play.target]
    states = desk.states()
    writes = [call for call in sandbox.calls if sandbox.targets[play.target].writes(_again(call))]
    return Cell(
        doubts=states[DeliveryState.IN_DOUBT] + states[DeliveryState.WAITING],
        refused=states[DeliveryState.REFUSED],
        writes=len(writes),
        counts=Counter({kind: len(things) for kind, things in truth.items()}),
        duplicated=sum(number - 1 for number in sandbox.duplicates()[play.target].values()),
        mistakes=list(sandbox.log.mistakes),
    )


def compare(cell: Cell, fair: Cell, fault: Fault, *, looks_up: bool) -> Cell:
    """Complete a cell against fair weather."""
    missing = sum((fair.counts - cell.counts).values())
    more = sum((cell.counts - fair.counts).values())
    cell.duplicated = max(cell.duplicated, more)
    told = cell.doubts + cell.refused
    cell.lost = missing if not told else 0
    if looks_up and told and fault.kind not in _REFUSING:
        cell.lost = max(cell.lost, told)  # what can be looked up must come to its end by itself
    if not looks_up and fault.kind not in _PROVING_NOT_DONE:
        cell.resent = max(0, cell.writes - fair.writes)
    return cell


def matrix(play: Play, faults: Mapping[str, Fault] = FAULTS) -> dict[tuple[str, int], Cell]:
    """Each fault at each write of one play."""
    fair = perform(play, None)
    assert fair.writes, f"{play.title}: nothing was sent in fair weather"
    assert not fair.doubts, f"{play.title}: fair weather left doubts"
    assert not fair.refused, f"{play.title}: fair weather left refusals"
    return {
        (name, at): compare(perform(play, fault, at), fair, fault, looks_up=play.looks_up)
        for name, fault in faults.items()
        for at in range(1, fair.writes + 1)
    }


def told(play: Play, cells: Mapping[tuple[str, int], Cell]) -> str:
    """One line of the table."""
    total = {name: sum(getattr(c, name) for c in cells.values()) for name in ("lost", "duplicated", "resent", "doubts")}
    left = f"{total['doubts']} left to a person" if total["doubts"] else "none left to a person"
    return (
        f"{play.title:55} {max(at for _, at in cells)} writes x {len({name for name, _ in cells})} faults: "
        f"lost {total['lost']}, duplicated {total['duplicated']}, sent again blindly {total['resent']}, {left}"
    )


def _again(logged: LoggedCall) -> Call:
    return Call(logged.method, logged.path, logged.query, logged.headers, logged.body.encode())


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="a target")
    asked = parser.parse_args()
    wrong = 0
    for play in PLAYS:
        if asked.only in {"", play.target}:
            cells = matrix(play)
            print(told(play, cells), flush=True)
            for (name, at), cell in cells.items():
                if not cell.clean:
                    wrong += 1
                    print(f"    WRONG {name}, write {at}: {cell}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(_main())
