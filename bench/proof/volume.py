"""A great many orders, lost answers and kills, in bounded time: what remains of "never lost, never twice"?

    python bench/proof/volume.py --orders 1000000 --lost 100000 --kills 1000

The orders are split over lanes, one per core. In each lane a parent holds a simulated Order Desk store and forks the
process that delivers: the real ledger, journal and drain, over a transport that is a socket pair instead of HTTP. The
parent loses answers (four in five after the work, one before it), kills the deliverer with SIGKILL before the work,
after it or after the answer, starts the next one, and counts what exists by its own record.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from desk import order, sealed_account
from ground import fast_folder

from pipeline.delivery.clock import RealClock
from pipeline.delivery.deliver import Drain
from pipeline.ledger import batches as files
from pipeline.ledger import deliveries as book
from pipeline.ledger.batches import Accepted
from pipeline.ledger.engine import open_engine
from pipeline.ledger.writer import GroupWriter
from pipeline.model import DeliverTo, DeliveryState
from pipeline.sandbox.contract import Call
from pipeline.sandbox.orderdesk import SimulatedOrderDesk
from pipeline.targets.contract import Account, Answer, Signed
from pipeline.targets.http import Unanswered

ADDRESS = "http://127.0.0.1:9/orderdesk/api/v2"
CHUNK = 20_000
"""Orders per file; after each the store is counted and emptied, so that memory does not grow with the proof."""

WORKERS = 16
AFTER_WORK = 0.8
_HEAD = struct.Struct("<I")


@dataclass(slots=True)
class Tally:
    """What the lanes counted.

    ``lost``: neither in the store nor shown to a person. ``looked_up``: doubts that a look-up, not a person, brought to
    their end. ``left_to_a_person``: shown as a doubt, as after four sends in a row that were never answered.
    """

    orders: int = 0
    answers_lost: int = 0
    kills: int = 0
    lost: int = 0
    duplicated: int = 0
    in_doubt: int = 0
    looked_up: int = 0
    left_to_a_person: int = 0
    seconds: float = 0.0

    def add(self, other: Tally) -> None:
        """Sum up, but for the time, which the lanes spent side by side."""
        for name in (f.name for f in fields(self) if f.name != "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.seconds = max(self.seconds, other.seconds)


# --- the wire: one call and its answer, as lengths and JSON -----------------------------------------------------


def _put(wire: socket.socket, message: object) -> None:
    content = json.dumps(message).encode()
    wire.sendall(_HEAD.pack(len(content)) + content)


def _get(wire: socket.socket) -> object:
    (length,) = _HEAD.unpack(_exactly(wire, _HEAD.size))
    return json.loads(_exactly(wire, length))


def _exactly(wire: socket.socket, length: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < length:
        piece = wire.recv(length - len(pieces))
        if not piece:
            raise EOFError
        pieces += piece
    return bytes(pieces)


class WireTransport:
    """Sends a signed call over the socket pair; an empty answer is one that was lost."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        self._lock = threading.Lock()

    def send(self, signed: Signed, meanwhile: Callable[[], object] = lambda: None) -> Answer:  # noqa: ARG002
        """One call; raises ``Unanswered`` when its answer was lost."""
        path = signed.url.removeprefix("http://127.0.0.1:9/orderdesk")
        with self._lock:
            _put(self._wire, [signed.method, path, dict(signed.headers), signed.content.decode()])
            told = _get(self._wire)
        if not isinstance(told, list):
            raise Unanswered("the answer was lost")
        return Answer(told[0], {}, told[1].encode())

    def close(self) -> None:
        """The parent owns the wire."""


# --- the process that delivers, and is killed -------------------------------------------------------------------


def _account() -> Account:
    return sealed_account("orderdesk", ADDRESS, concurrency=WORKERS, settle_seconds=0.05)


def _take_in(ledger: str, first: int, number: int) -> None:
    """A file's worth of orders into the ledger, before the killing begins."""
    engine = open_engine(ledger)
    writer, now = GroupWriter(engine), time.time()
    values = {"link": f"b{first}", "file_name": "o.csv", "sha256": "0" * 64, "size": 1, "received_at": now, "path": "x"}
    batch = writer.write(lambda c: files.begin(c, values))
    records = [order(f"o{key}") for key in range(first, first + number)]
    accepted = Accepted(
        feed="f", mapping_fingerprint="m", found={}, header=[], deliver=[DeliverTo("orderdesk", "order")],
        on_change="update", records=records, rejections=[], read=number, accepted=number, rejected=0, skipped=0,
    )  # fmt: skip
    writer.write(lambda c: files.accept(c, batch, accepted, now))
    writer.close()
    engine.dispose()


def _deliver(ledger: str, wire: socket.socket) -> None:
    """What a run does between taking in and handing back."""
    engine = open_engine(ledger)
    writer, clock = GroupWriter(engine), RealClock()
    writer.write(lambda c: book.recover(c, clock.now()))
    Drain(_account(), WireTransport(wire), engine, writer, clock, patience=5.0, stop=threading.Event()).run()
    writer.close()
    engine.dispose()


def _child(work: object, *arguments: object) -> int:
    """Fork; the child does ``work`` and is gone."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work(*arguments)  # type: ignore[operator]
            code = 0
        finally:
            os._exit(code)
    return child


# --- the lane: store, weather, killer, judge ---------------------------------------------------------------------


class Lane:
    """One share of the orders, from the first to the count."""

    def __init__(self, ledger: Path, orders: int, lost: int, kills: int, seed: int) -> None:
        self._ledger = f"sqlite:///{ledger}"
        self._chance = random.Random(seed)
        self._share_lost = lost / orders
        # Two calls an order; a little too often, because there are no more kills once there were enough.
        self._share_killed = 1.3 * kills / (2 * orders)
        self._orders, self._kills = orders, kills
        self._store = SimulatedOrderDesk()
        self.tally = Tally(orders=orders)

    def run(self, seed: int) -> Tally:
        """Deliver everything, chunk by chunk."""
        begun = time.monotonic()
        for first in range(0, self._orders, CHUNK):
            number = min(CHUNK, self._orders - first)
            base = seed * 10_000_000 + first
            _, status = os.waitpid(_child(_take_in, self._ledger, base, number), 0)
            assert status == 0, "taking in failed"
            while self._serve_one_life():
                pass
            self._count(base, number)
            self._say(seed, first + number, time.monotonic() - begun)
        self._count_doubts()
        self.tally.seconds = time.monotonic() - begun
        return self.tally

    def _say(self, seed: int, orders: int, seconds: float) -> None:
        tally = self.tally
        print(
            f"lane {seed}: {orders:,} orders, {tally.answers_lost:,} answers lost, {tally.kills} kills, "
            f"lost {tally.lost}, duplicated {tally.duplicated}, {seconds:.0f} s",
            file=sys.stderr, flush=True,
        )  # fmt: skip

    def _serve_one_life(self) -> bool:
        """Answer one delivering process until it ends; ``True`` when it was killed and another is needed."""
        ours, theirs = socket.socketpair()
        child = _child(_deliver, self._ledger, theirs)
        theirs.close()
        killed = False
        try:
            while not killed:
                killed = self._answer(ours, child)
        except EOFError:
            pass  # the work is done and the process gone
        ours.close()
        _, status = os.waitpid(child, 0)
        assert killed or status == 0, "the delivering process failed"
        return killed

    def _answer(self, wire: socket.socket, child: int) -> bool:
        """One call: work, weather, and perhaps the end of the caller."""
        told = _get(wire)
        assert isinstance(told, list)
        method, path, headers, body = told
        blow = self._blow()
        if blow == "before the work":
            return self._kill(child)
        lost = method == "POST" and self._chance.random() < self._share_lost
        if lost and self._chance.random() >= AFTER_WORK:
            return self._lose(wire)
        reply = self._store.handle(_call(method, path, headers, body))
        if blow == "before the answer":
            return self._kill(child)
        if lost:
            return self._lose(wire)
        _put(wire, [reply.status, reply.encoded()[0].decode()])
        return blow == "after the answer" and self._kill(child)

    def _blow(self) -> str:
        if self.tally.kills >= self._kills or self._chance.random() >= self._share_killed:
            return ""
        return self._chance.choice(("before the work", "before the answer", "after the answer"))

    def _kill(self, child: int) -> bool:
        os.kill(child, signal.SIGKILL)
        self.tally.kills += 1
        return True

    def _lose(self, wire: socket.socket) -> bool:
        self.tally.answers_lost += 1
        _put(wire, None)
        return False

    def _count(self, first: int, number: int) -> None:
        """The store's own record decides; then it is emptied, and an order of this file seen later is one too many."""
        seen = Counter(found["source_id"] for found in self._store.store.orders.values())
        wanted = {f"o{key}" for key in range(first, first + number)}
        self.tally.lost += len(wanted - seen.keys() - self._shown_to_a_person())
        self.tally.duplicated += sum(times - (key in wanted) for key, times in seen.items())
        self._store = SimulatedOrderDesk()

    def _shown_to_a_person(self) -> set[str]:
        engine = open_engine(self._ledger)
        with engine.connect() as connection:
            shown = {doubt.record_key for doubt in book.in_states(connection, DeliveryState.IN_DOUBT)}
        engine.dispose()
        return shown

    def _count_doubts(self) -> None:
        engine = open_engine(self._ledger)
        with engine.connect() as connection:
            self.tally.left_to_a_person = len(book.in_states(connection, DeliveryState.IN_DOUBT))
            self.tally.in_doubt = _number(connection, "outcome = 'in_doubt' OR outcome IS NULL")
        self.tally.looked_up = self.tally.in_doubt - self.tally.left_to_a_person
        engine.dispose()


def _number(connection: object, condition: str) -> int:
    """Sends of which that is true: the first of a step, and the later ones."""
    import sqlalchemy as sa

    sends = "SELECT outcome FROM attempts UNION ALL SELECT outcome FROM steps WHERE sent_at IS NOT NULL"
    asked = sa.text(f"SELECT count(*) FROM ({sends}) AS sends WHERE {condition}")
    return int(connection.execute(asked).scalar() or 0)  # type: ignore[attr-defined]


def _call(method: str, path: str, headers: dict[str, str], body: str) -> Call:
    from urllib.parse import parse_qsl, urlsplit

    parts = urlsplit(path)
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    return Call(method, parts.path, query, {k.lower(): v for k, v in headers.items()}, body.encode())


# --- all lanes ---------------------------------------------------------------------------------------------------


def upper_bound(bad: int, orders: int) -> float:
    """The 95 % upper bound of the share of orders lost or doubled, given how many were (Clopper-Pearson).

    With none seen it is ``1 - 0.05 ** (1 / n)``, nearly 3 / n.
    """
    if bad == 0:
        return float(1 - 0.05 ** (1 / orders))
    low, high = bad / orders, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(bad, orders, middle) > 0.05 else (low, middle)
    return high


def _at_most(bad: int, orders: int, share: float) -> float:
    """The chance of at most ``bad`` among ``orders``."""
    import math

    logs = (
        math.lgamma(orders + 1) - math.lgamma(k + 1) - math.lgamma(orders - k + 1)
        + k * math.log(share) + (orders - k) * math.log1p(-share)
        for k in range(bad + 1)
    )  # fmt: skip
    return sum(math.exp(log) for log in logs)


def prove(orders: int, lost: int, kills: int, lanes: int = 2) -> Tally:
    """Run the lanes side by side, each in a process of its own, and sum up what they counted."""
    total = Tally()
    with tempfile.TemporaryDirectory(prefix="orderdrop-volume-", dir=fast_folder()) as folder:
        pipes = []
        for seed, share in enumerate(_shares(orders, lanes), 1):
            reading, writing = os.pipe()
            _child(_lane, Path(folder), writing, share, lost * share // orders, -(-kills * share // orders), seed)
            os.close(writing)
            pipes.append(reading)
        for reading in pipes:
            with os.fdopen(reading) as pipe:
                told = pipe.read()
            os.wait()
            assert told, "a lane failed"
            total.add(Tally(**json.loads(told)))
    return total


def _lane(folder: Path, writing: int, orders: int, lost: int, kills: int, seed: int) -> None:
    tally = Lane(folder / f"{seed}.db", orders, lost, kills, seed).run(seed)
    with os.fdopen(writing, "w") as pipe:
        json.dump(asdict(tally), pipe)


def _shares(orders: int, lanes: int) -> Iterator[int]:
    for lane in range(lanes):
        yield orders // lanes + (lane < orders % lanes)


def told(tally: Tally) -> str:
    """The figures in words."""
    bound = upper_bound(tally.lost + tally.duplicated, tally.orders)
    return (
        f"{tally.orders:,} orders, {tally.answers_lost:,} answers lost, {tally.kills:,} kills, {tally.seconds:,.0f} s\n"
        f"lost {tally.lost}, duplicated {tally.duplicated}\n"
        f"in doubt {tally.in_doubt:,}, resolved by look-up {tally.looked_up:,}, "
        f"left to a person {tally.left_to_a_person}\n"
        f"95 % upper bound of the share lost or doubled: {bound:.2g} (one in {1 / bound:,.0f})"
    )


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--lost", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--lanes", type=int, default=2)
    asked = parser.parse_args()
    tally = prove(asked.orders, asked.lost, asked.kills, asked.lanes)
    print(told(tally))
    return 1 if tally.lost or tally.duplicated else 0


if __name__ == "__main__":
    sys.exit(_main())
