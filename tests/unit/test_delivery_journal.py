"""The journal against a shelf that loses answers: never lost, never twice, by the shelf's own count."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from shelf import FakeClock, Shelf, shelf_account

from pipeline.delivery import doubts
from pipeline.delivery.deliver import Drain, Drained
from pipeline.errors import LedgerError, OrderdropError
from pipeline.ledger import batches as files
from pipeline.ledger import deliveries as book
from pipeline.ledger import sends
from pipeline.ledger.batches import Accepted
from pipeline.ledger.engine import open_engine
from pipeline.ledger.writer import GroupWriter
from pipeline.model import DeliverTo, Record
from pipeline.targets.contract import Account, PaceHint, Plan, Prior, Rate


class Desk:
    """A ledger, a shelf and a clock, with the moves a test makes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = open_engine(self.url)
        self.writer = GroupWriter(self.engine)
        self.clock = FakeClock()
        self.shelf = Shelf()

    def drop(self, *keys: str, note: str = "", on_change: str = "update") -> int:
        """Take in a file with one order per key; returns the batch id."""
        values = {
            "link": f"b{self.clock.time}{note}{keys}"[-16:], "file_name": "orders.csv", "sha256": "0" * 64,
            "size": 1, "received_at": self.clock.now(), "path": "var/work/x",
        }  # fmt: skip
        batch = self.writer.write(lambda c: files.begin(c, values))
        records = [Record("order", key, {"order_id": key, "note": note}, rows=(n + 2,)) for n, key in enumerate(keys)]
        accepted = Accepted(
            feed="f", mapping_fingerprint="m", found={}, header=[], deliver=[DeliverTo("shelf", "put")],
            on_change=on_change, records=records, rejections=[],
            read=len(keys), accepted=len(keys), rejected=0, skipped=0,
        )  # fmt: skip
        self.writer.write(lambda c: files.accept(c, batch, accepted, self.clock.now()))
        self.clock.time += 1
        return batch.id

    def drain(self, account: Account | None = None, **options: Any) -> Drained:
        """One drain, as a run would do it."""
        self.writer.write(lambda c: book.recover(c, self.clock.now()))
        return Drain(
            account or shelf_account(), self.shelf, self.engine, self.writer, self.clock,
            patience=options.pop("patience", 15.0), stop=threading.Event(), **options,
        ).run()  # fmt: skip

    def states(self) -> dict[str, int]:
        """Deliveries counted by state."""
        with self.engine.connect() as connection:
            return dict(Counter(state for _, _, state, n in book.counts(connection) for _ in range(n)))

    def all(self, *states: str) -> list[book.Delivery]:
        with self.engine.connect() as connection:
            return book.in_states(connection, *states)

    def write(self, what: Any) -> Any:
        return self.writer.write(what)


@pytest.fixture
def desk(ledger_url: str) -> Iterator[Desk]:
    desk = Desk(ledger_url)
    yield desk
    desk.writer.close()
    desk.engine.dispose()


def once(fault: str, times: int = 1, method: str = "POST") -> Any:
    """Weather that strikes the first ``times`` calls of a method."""
    left = [times]

    def weather(called: str, _path: str) -> str:
        if called == method and left[0] > 0:
            left[0] -= 1
            return fault
        return ""

    return weather


def test_every_record_arrives_once(desk: Desk) -> None:
    desk.drop("1", "2", "3")
    desk.drain()
    assert sorted(desk.shelf.keys()) == ["order:1", "order:2", "order:3"]
    assert desk.states() == {"delivered": 3}


def test_a_plan_is_begun_while_the_answer_before_it_is_awaited_and_not_a_second_time(desk: Desk) -> None:
    begun: list[tuple[str, int]] = []
    account = shelf_account()
    shelf = account.operation("put", {})

    def plan(record: Record, prior: Prior | None) -> Plan:
        begun.append((record.key, len(desk.shelf.things)))
        return (yield from shelf.plan(record, prior))

    desk.drop("1", "2", "3")
    desk.drain(replace(account, operation=lambda _name, _options: replace(shelf, plan=plan)))
    assert begun == [("1", 0), ("2", 0), ("3", 1)]  # the call before each is under way, its work not done yet
    assert desk.states() == {"delivered": 3}


def test_what_goes_wrong_ahead_of_its_turn_is_told_in_its_turn(desk: Desk) -> None:
    account = shelf_account()
    shelf = account.operation("put", {})

    def plan(record: Record, prior: Prior | None) -> Plan:
        if record.key == "2":
            raise ValueError("nobody foresaw this")
        return (yield from shelf.plan(record, prior))

    desk.drop("1", "2", "3")
    desk.drain(replace(account, operation=lambda _name, _options: replace(shelf, plan=plan)))
    assert desk.states() == {"delivered": 2, "refused": 1}
    (refused,) = desk.all("refused")
    assert (refused.record_key, refused.problems[0]["code"]) == ("2", "cannot_be_sent")


def test_a_plan_without_a_step_is_done_with_its_result(desk: Desk) -> None:
    def plan(_record: Record, _prior: Prior | None) -> Plan:
        yield from ()
        return {"id": "as it was"}

    account = shelf_account()
    nothing_to_do = replace(account.operation("put", {}), plan=plan)
    desk.drop("1", "2")
    desk.drain(replace(account, operation=lambda _name, _options: nothing_to_do))
    assert [delivery.remote_id for delivery in desk.all("delivered")] == ["as it was"] * 2
    assert desk.shelf.calls == []


def test_an_answer_lost_after_the_work_is_looked_up_and_not_sent_again(desk: Desk) -> None:
    desk.shelf.weather = once("lost_after")
    desk.drop("1")
    desk.drain()
    assert desk.shelf.keys() == ["order:1"]
    assert [method for method, _ in desk.shelf.calls] == ["POST", "GET"]
    (delivery,) = desk.all("delivered")
    assert delivery.remote_id == "1"


def test_an_answer_lost_before_the_work_is_sent_again_only_after_the_settle_time(desk: Desk) -> None:
    desk.shelf.weather = once("lost_before")
    desk.drop("1")
    begun = desk.clock.now()
    desk.drain()
    assert desk.shelf.keys() == ["order:1"]
    assert desk.clock.now() - begun >= 30
    assert [method for method, _ in desk.shelf.calls] == ["POST", "GET", "GET", "POST"]


def test_work_that_arrives_late_but_within_the_settle_time_is_not_doubled(desk: Desk) -> None:
    desk.shelf.weather = once("late")
    begun = desk.clock.now()

    def later() -> None:
        if desk.clock.now() - begun > 20:
            desk.shelf.arrive_late()

    desk.clock.on_wait = later
    desk.drop("1")
    desk.drain()
    assert desk.shelf.keys() == ["order:1"]
    assert desk.states() == {"delivered": 1}


def test_a_run_that_ends_between_a_proved_absence_and_the_next_send_leaves_a_doubt_that_can_be_told(desk: Desk) -> None:
    account = shelf_account(find=False)
    desk.shelf.weather = once("lost_after")
    desk.drop("1")
    desk.drain(account)
    (delivery,) = desk.all("in_doubt")
    desk.write(
        lambda c: [sends.note_step(c, delivery.id, name, state="open") for name in sends.steps_of(c, delivery.id)]
    )
    with desk.engine.connect() as connection:
        (doubt,) = doubts.listed(connection, desk.clock.now())
    assert doubt.told()["key"] == delivery.record_key


def test_a_clock_set_ahead_between_two_runs_brings_no_absence_forward(desk: Desk) -> None:
    desk.shelf.weather = once("late")
    desk.drop("1")

    def killed() -> None:
        raise KeyboardInterrupt

    desk.clock.on_wait = killed
    with pytest.raises(KeyboardInterrupt):
        desk.drain()
    assert desk.states() == {"in_doubt": 1}
    desk.clock.time += 100_000
    begun = desk.clock.now()

    def later() -> None:
        if desk.clock.now() - begun > 20:
            desk.shelf.arrive_late()

    desk.clock.on_wait = later
    desk.drain()
    desk.shelf.arrive_late()
    assert desk.shelf.keys() == ["order:1"]
    assert desk.states() == {"delivered": 1}


@pytest.mark.parametrize("fault", ["error", "nonsense"])
def test_an_unreadable_answer_is_a_doubt_not_a_failure(desk: Desk, fault: str) -> None:
    desk.shelf.weather = once(fault)
    desk.drop("1")
    desk.drain()
    assert desk.shelf.keys() == ["order:1"]


def test_without_a_look_up_a_doubt_waits_for_a_person(desk: Desk) -> None:
    account = shelf_account(find=False)
    desk.shelf.weather = once("lost_after")
    desk.drop("1", "2")
    desk.drain(account)
    desk.clock.time += 100_000
    desk.drain(account)
    assert sorted(desk.shelf.keys()) == ["order:1", "order:2"]
    assert desk.states() == {"in_doubt": 1, "delivered": 1}
    with desk.engine.connect() as connection:
        (doubt,) = doubts.listed(connection, desk.clock.now())
    assert doubt.told()["waits_for_person"]
    assert doubt.age >= 100_000


@pytest.mark.parametrize(
    ("decision", "state", "sent"), [("delivered", "delivered", 1), ("resend", "delivered", 2), ("drop", "refused", 1)]
)
def test_a_person_settles_a_doubt(desk: Desk, decision: str, state: str, sent: int) -> None:
    account = shelf_account(find=False)
    desk.shelf.weather = once("lost_before")
    desk.drop("1")
    desk.drain(account)
    (delivery,) = desk.all("in_doubt")
    desk.write(lambda c: doubts.settle(c, delivery.id, decision, None, desk.clock.now()))
    desk.drain(account)
    assert desk.states() == {state: 1}
    assert len([1 for method, _ in desk.shelf.calls if method == "POST"]) == sent


def test_settling_with_the_remote_id_lets_the_steps_after_it_run(desk: Desk) -> None:
    account = shelf_account(find=False, steps=("order", "payment"))
    desk.shelf.weather = once("lost_after")
    desk.drop("1")
    desk.drain(account)
    (delivery,) = desk.all("in_doubt")
    desk.write(lambda c: doubts.settle(c, delivery.id, "delivered", "1", desk.clock.now()))
    desk.drain(account)
    assert desk.shelf.keys() == ["order:1", "payment:1"]


def test_only_a_doubt_can_be_settled(desk: Desk) -> None:
    desk.drop("1")
    desk.drain()
    (delivery,) = desk.all("delivered")
    with pytest.raises(OrderdropError, match="not in doubt: it is delivered"):
        desk.write(lambda c: doubts.settle(c, delivery.id, "resend", None, 0.0))
    with pytest.raises(OrderdropError, match="no such delivery"):
        desk.write(lambda c: doubts.settle(c, 999, "resend", None, 0.0))


def test_steps_that_are_done_are_not_sent_again(desk: Desk) -> None:
    account = shelf_account(steps=("contact", "order", "payment"))
    desk.shelf.weather = lambda method, path: "lost_after" if (method, path) == ("POST", "/order") else ""
    desk.drop("1")
    desk.drain(account)
    assert desk.shelf.keys() == ["contact:1", "order:1", "payment:1"]


def test_a_run_killed_before_a_delivery_is_noted_as_done_sends_nothing_of_it_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    account = shelf_account(find=False, steps=("order", "payment"))
    desk.drop("1")
    monkeypatch.setattr(desk.writer, "post_at_leisure", killed)
    with pytest.raises(KeyboardInterrupt):
        desk.drain(account)
    monkeypatch.undo()
    assert desk.states() == {"waiting": 1}
    calls = len(desk.shelf.calls)
    assert calls == 2
    desk.drain(account)
    assert len(desk.shelf.calls) == calls
    (delivered,) = desk.all("delivered")
    assert delivered.remote_id == desk.shelf.things[-1]["id"]


def test_a_delivery_is_not_noted_as_done_where_its_outcome_could_not_be_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_options: object) -> None:
        raise LedgerError("The disk is full.")

    desk.drop("1", "2")
    monkeypatch.setattr(sends, "conclude", full)
    with pytest.raises(LedgerError, match="full"):
        desk.drain()
    monkeypatch.undo()
    assert "delivered" not in desk.states()
    desk.drain()
    assert desk.states() == {"delivered": 2}
    assert sorted(desk.shelf.keys()) == ["order:1", "order:2"]


def test_a_killed_process_leaves_a_doubt_that_the_next_run_looks_up(desk: Desk) -> None:
    desk.drop("1")
    (delivery,) = desk.all("waiting")
    desk.write(lambda c: sends.intend(c, sends.Intent(delivery.id, "order", {}), "shelf", desk.clock.now()))
    desk.shelf.things.append({"kind": "order", "key": "1", "id": "77"})  # the bytes had left before the kill
    desk.drain()
    assert desk.shelf.keys() == ["order:1"]
    (delivered,) = desk.all("delivered")
    assert delivered.remote_id == "77"


def test_a_bad_key_pauses_the_account_and_blames_no_row(desk: Desk) -> None:
    desk.shelf.weather = lambda _method, _path: "bad_key"
    desk.drop("1", "2")
    drained = desk.drain()
    assert drained.paused is not None
    assert desk.states() == {"waiting": 2}
    assert len(desk.shelf.calls) == 1
    with desk.engine.connect() as connection:
        assert "not accepted" in book.paused(connection)["shelf"]
    desk.shelf.weather = lambda _method, _path: ""
    desk.drain()
    assert desk.states() == {"delivered": 2}
    with desk.engine.connect() as connection:
        assert book.paused(connection) == {}


def test_told_to_wait_it_waits_that_long(desk: Desk) -> None:
    desk.shelf.weather = once("busy")
    desk.drop("1")
    desk.drain()
    assert desk.shelf.keys() == ["order:1"]
    assert max(desk.clock.waits) == pytest.approx(3.0, abs=0.1)


def test_a_target_that_is_down_keeps_its_work_waiting(desk: Desk) -> None:
    desk.shelf.weather = lambda _method, _path: "refused_connection"
    desk.drop("1", "2", "3")
    drained = desk.drain()
    assert drained.trouble is not None
    assert desk.states() == {"waiting": 3}
    assert len(desk.shelf.calls) < 10
    desk.clock.time += 1000
    desk.shelf.weather = lambda _method, _path: ""
    desk.drain()
    assert sorted(desk.shelf.keys()) == ["order:1", "order:2", "order:3"]


def test_a_refused_record_does_not_hold_up_the_others(desk: Desk) -> None:
    desk.drop("bad", "2")
    desk.drain()
    assert desk.states() == {"refused": 1, "delivered": 1}
    (refused,) = desk.all("refused")
    assert refused.problems[0]["message"] == "not liked"
    assert refused.problems[0]["field"] == "sku"


def test_the_same_content_again_is_unchanged(desk: Desk) -> None:
    desk.drop("1")
    desk.drop("1")
    desk.drain()
    assert desk.shelf.keys() == ["order:1"]
    assert desk.states() == {"delivered": 1, "unchanged": 1}


@pytest.mark.parametrize(
    ("on_change", "can_update", "state", "things"),
    [
        ("update", True, "delivered", 2),
        ("update", False, "refused", 1),
        ("reject", True, "refused", 1),
        ("ignore", True, "unchanged", 1),
    ],
)
def test_other_content_under_a_known_key_follows_on_change(
    desk: Desk, on_change: str, can_update: bool, state: str, things: int
) -> None:
    account = shelf_account(can_update=can_update)
    desk.drop("1")
    desk.drain(account)
    desk.drop("1", note="changed", on_change=on_change)
    desk.drain(account)
    assert desk.all(state)[-1].record.fields["note"] == "changed"
    assert len(desk.shelf.things) == things


def test_a_second_delivery_of_a_key_waits_behind_the_first_in_doubt(desk: Desk) -> None:
    account = shelf_account(find=False, can_update=True)
    desk.shelf.weather = once("lost_after")
    desk.drop("1")
    desk.drop("1", note="changed")
    desk.drain(account)
    assert desk.states() == {"in_doubt": 1, "waiting": 1}
    assert desk.shelf.keys() == ["order:1"]


def test_looking_first_finds_what_somebody_else_put_there(desk: Desk) -> None:
    desk.shelf.things.append({"kind": "order", "key": "1", "id": "5"})
    desk.drop("1", "2")
    desk.drain(shelf_account(look_first=True))
    assert sorted(desk.shelf.keys()) == ["order:1", "order:2"]
    assert desk.states() == {"already_there": 1, "delivered": 1}


def test_a_target_that_never_answers_is_not_hammered(desk: Desk) -> None:
    desk.shelf.weather = lambda method, _path: "lost_before" if method == "POST" else ""
    desk.drop("1")
    for _ in range(10):
        desk.drain()
        desk.clock.time += 1000
    assert len([1 for method, _ in desk.shelf.calls if method == "POST"]) == 4
    assert desk.states() == {"in_doubt": 1}


def test_concurrent_calls_share_the_journal_and_nothing_is_doubled(desk: Desk) -> None:
    rolls = iter(range(10_000))
    lock = threading.Lock()

    def weather(method: str, _path: str) -> str:
        with lock:
            roll = next(rolls)
        fault = {0: "lost_after", 3: "lost_before", 5: "busy"}.get(roll % 7, "")
        return fault if method == "POST" and roll < 60 else ""  # four unanswered sends would go to a person

    desk.shelf.weather = weather
    keys = [str(n) for n in range(60)]
    desk.drop(*keys)
    account = shelf_account(concurrency=8, settle_seconds=0.0)
    for _ in range(8):
        desk.drain(account)
        desk.clock.time += 1000
    assert desk.states() == {"delivered": len(keys)}
    assert Counter(desk.shelf.keys()) == Counter(f"order:{key}" for key in keys)


def test_a_restart_does_not_burst(desk: Desk) -> None:
    account = shelf_account(rate=Rate(5, 1))
    desk.drop(*map(str, range(5)))
    begun = desk.clock.now()
    desk.drain(account)
    first = desk.clock.now() - begun
    desk.drop(*map(str, range(5, 10)))
    begun = desk.clock.now()
    desk.drain(account)
    assert first < 2
    assert desk.clock.now() - begun > 3  # the allowance was used up by the drain before


def test_a_plan_that_breaks_refuses_its_record_and_no_other(desk: Desk) -> None:
    account = shelf_account()
    broken = account.operation("put", {})

    def plan(record: Any, prior: Any) -> Any:
        if record.key == "odd":
            raise KeyError("nobody foresaw this")
        return (yield from broken.plan(record, prior))

    changed = replace(account, operation=lambda _n, _o: replace(broken, plan=plan))
    desk.drop("odd", "2")
    desk.drain(changed)
    assert desk.states() == {"refused": 1, "delivered": 1}


def test_the_intent_is_in_the_ledger_before_the_first_byte_leaves(desk: Desk) -> None:
    seen: list[str] = []

    def weather(method: str, _path: str) -> str:
        if method == "POST":
            other = sa.create_engine(desk.url)  # another connection sees only what is committed
            with other.connect() as connection:
                seen.extend(connection.execute(sa.text("SELECT state FROM steps")).scalars())
            other.dispose()
        return ""

    desk.shelf.weather = weather
    desk.drop("1")
    desk.drain()
    assert seen == ["intended"]


def test_what_records_share_is_not_made_twice_while_one_answer_is_missing(desk: Desk) -> None:
    """Two orders bring the same new product; the answer about it is lost and the work arrives late."""
    account = shelf_account(steps=("product", "order"), shares=("product",), look_first=True)
    desk.shelf.weather = once("late")
    begun = desk.clock.now()

    def later() -> None:
        if desk.clock.now() - begun > 10:
            desk.shelf.arrive_late()

    desk.clock.on_wait = later
    desk.drop("1", "2")
    for _ in range(3):
        desk.drain(account)
        desk.clock.time += 100
    desk.shelf.arrive_late()  # sooner or later it always does
    assert Counter(desk.shelf.keys()) == {"product:all": 1, "order:1": 1, "order:2": 1}
    assert desk.states() == {"delivered": 2}


def _at_most(desk: Desk, seconds: float) -> None:
    """No run may wait any longer than that."""
    end = desk.clock.now() + seconds

    def check() -> None:
        assert desk.clock.now() < end, f"the run still waits after {seconds} s"

    desk.clock.on_wait = check


def test_a_run_ends_while_a_person_is_asked_about_what_records_share(desk: Desk) -> None:
    account = shelf_account(steps=("product", "order"), shares=("product",), find=False)
    desk.shelf.weather = once("lost_after")
    desk.drop("1", "2")
    _at_most(desk, 120)

    desk.drain(account)

    assert desk.states() == {"in_doubt": 1, "waiting": 1}
    (waiting,) = desk.all("waiting")
    assert waiting.problems[0]["code"] == "waits_for_another"


def test_a_run_ends_where_it_is_told_to_wait_a_moment_time_and_again(desk: Desk) -> None:
    desk.shelf.weather = lambda _method, _path: "busy"
    desk.drop("1", "2")
    _at_most(desk, 120)

    drained = desk.drain()

    assert drained.trouble is not None
    assert drained.trouble.code == "busy"
    assert desk.states() == {"waiting": 2}


def test_a_run_does_not_wait_for_a_quota_that_opens_tomorrow(desk: Desk) -> None:
    """The answer that used up the quota is a good one."""
    account = replace(shelf_account(), pace=lambda _answer: PaceHint(remaining=0, wait=40_000.0))
    desk.drop("1", "2", "3")
    _at_most(desk, 120)

    drained = desk.drain(account)

    assert drained.trouble is not None
    assert "asks to wait 40000 seconds" in drained.trouble.message
    assert desk.states() == {"delivered": 1, "waiting": 2}


def test_a_target_that_answers_nothing_any_more_makes_few_doubts(desk: Desk) -> None:
    account = shelf_account(find=False)
    desk.shelf.weather = lambda _method, _path: "lost_after"
    desk.drop(*map(str, range(60)))
    _at_most(desk, 300)

    drained = desk.drain(account)
    assert drained.trouble is not None
    assert drained.trouble.code == "no_answer"
    doubts_made = desk.states()["in_doubt"]
    assert doubts_made <= 16

    desk.drain(account)  # the next run makes one call to see whether the target is well again
    assert desk.states()["in_doubt"] == doubts_made + 1

    desk.shelf.weather = lambda _method, _path: ""
    assert desk.drain(account).trouble is None
    assert desk.states() == {"in_doubt": doubts_made + 1, "delivered": 60 - doubts_made - 1}


def test_lost_answers_that_are_looked_up_are_no_sign_that_the_target_is_gone(desk: Desk) -> None:
    desk.shelf.weather = lambda method, _path: "lost_after" if method == "POST" else ""
    desk.drop(*map(str, range(30)))
    desk.drain(shelf_account(look_first=True))
    assert desk.states() == {"delivered": 30}
    assert max(desk.clock.waits) <= 1


def test_however_often_it_is_told_to_wait_a_run_goes_on_that_gets_somewhere(desk: Desk) -> None:
    """Each order is put off for a while, all together for longer than a run waits for nothing."""
    put_off: set[int] = set()

    def weather(_method: str, _path: str) -> str:
        there = len(desk.shelf.things)
        if there in put_off:
            return ""
        put_off.add(there)
        return "busy"

    desk.shelf.weather = weather
    desk.drop(*map(str, range(100)))
    desk.drain()
    assert desk.states() == {"delivered": 100}


def test_a_corrected_record_goes_on_where_the_refused_one_stopped(desk: Desk) -> None:
    account = shelf_account(steps=("order", "payment"))
    desk.shelf.weather = lambda method, path: "refused" if (method, path) == ("POST", "/payment") else ""
    desk.drop("1")
    desk.drain(account)
    assert desk.states() == {"refused": 1}
    desk.shelf.weather = lambda _method, _path: ""
    desk.drop("1", note="corrected")
    desk.drain(account)
    assert desk.shelf.keys() == ["order:1", "payment:1"]
    assert desk.states() == {"refused": 1, "delivered": 1}


def test_a_look_up_that_breaks_never_passes_for_an_absence(desk: Desk) -> None:
    desk.shelf.weather = lambda method, _path: "lost_after" if method == "POST" else "odd_list"
    desk.drop("1")
    for _ in range(10):
        desk.drain()
        desk.clock.time += 1000
    assert desk.shelf.keys() == ["order:1"]
    assert desk.states() == {"in_doubt": 1}


def test_a_transport_that_breaks_in_an_unforeseen_way_leaves_a_doubt(desk: Desk) -> None:
    desk.shelf.weather = once("breaks")
    desk.drop("1")
    desk.drain()
    assert desk.shelf.keys() == ["order:1"]
    assert desk.states() == {"delivered": 1}
