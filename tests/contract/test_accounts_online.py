"""``check --online`` for every target: what it tells of reach, key, clock and custom fields."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import formatdate
from pathlib import Path

import pytest
from depot import STANDS, Depot
from msgspec.structs import replace
from shelf import FakeClock, Shelf, shelf_account

from pipeline.delivery.clock import RealClock
from pipeline.online import Told, ask_accounts
from pipeline.sandbox.faults import Fault
from pipeline.send_out import http_transport
from pipeline.targets import registry
from pipeline.targets.contract import Account, Answer, Done, Outcome, Plan, Refused, Request, Signed, Step
from pipeline.targets.registry import TARGETS


@pytest.fixture(autouse=True)
def fifth_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "TARGETS", {**TARGETS, "jsonbox": "jsonbox"})


@pytest.fixture(params=[stand for stand in STANDS if stand != "kapture without look-up"])
def depot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Depot]:
    with Depot(tmp_path, request.param) as depot:
        yield depot


def asked(account: Account, *, create_fields: bool = False) -> list[Told]:
    return ask_accounts({account.name: account}, http_transport, RealClock(), create_fields=create_fields)


def verdicts(told: list[Told]) -> dict[str, str]:
    return {one.what: one.verdict for one in told}


def test_a_good_account_is_ok_and_nothing_is_written(depot: Depot) -> None:
    assert set(verdicts(asked(depot.account)).values()) == {"ok"}
    assert depot.writes() == []


@pytest.mark.parametrize(
    "kind", ["unauthorized", "redirect", "html", "empty", "drop_before", "throttle", "error_before"]
)
def test_trouble_is_a_line_and_never_a_traceback(depot: Depot, kind: str) -> None:
    depot.sandbox.faults.add([Fault(kind, only_writes=False, message=repr(depot.stand.secrets()))])
    told = asked(depot.account)
    assert verdicts(told) == {"account acc online": "problem"}
    assert told[0].code
    assert told[0].message.endswith(".")
    assert not [one for one in depot.stand.secrets() if one in repr(told)]


def test_reasons_are_told_apart(depot: Depot) -> None:
    codes = {}
    for kind in ("unauthorized", "redirect", "drop_before"):
        depot.sandbox.faults.clear()
        depot.sandbox.faults.add([Fault(kind, only_writes=False)])
        codes[kind] = asked(depot.account)[0].code
    assert len(set(codes.values())) == 3, codes


def test_nobody_listens() -> None:
    account = replace(shelf_account(), base_url="http://127.0.0.1:9/")
    account = replace(account, sign=lambda request: Signed(request.method, "http://127.0.0.1:9" + request.path, {}))
    (told,) = asked(account)
    assert (told.verdict, told.code) == ("problem", "unreachable")
    assert "cannot be reached" in told.message


# --- clock -------------------------------------------------------------------------------------------------------


class Dated(Shelf):
    """A shelf whose answers carry a date."""

    date = ""

    def send(self, signed: Signed, meanwhile: Callable[[], object] = lambda: None) -> Answer:
        answer = super().send(signed, meanwhile)
        return Answer(answer.status, {**answer.headers, "date": self.date}, answer.content)


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (0, ""),
        (59, ""),
        (-59, ""),
        (90, "90 seconds behind"),
        (-600, "10 minutes ahead of"),
        (7200, "120 minutes behind"),
    ],
)
def test_a_clock_that_is_off_is_warned_of(ahead: int, said: str) -> None:
    clock = FakeClock(1_700_000_000.0)
    shelf = Dated()
    shelf.date = formatdate(clock.time + ahead, usegmt=True)
    account = replace(shelf_account(), probe=_probe)
    told = ask_accounts({"shelf": account}, lambda _account: shelf, clock, create_fields=False)
    assert told[0].verdict == "ok"
    assert [one.verdict for one in told[1:]] == (["warning"] if said else [])
    assert said in "".join(one.message for one in told[1:])


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 99 Jan 1970 99:00:00 GMT"])
def test_a_date_nobody_can_read_is_no_warning(date: str) -> None:
    shelf = Dated()
    shelf.date = date
    account = replace(shelf_account(), probe=_probe)
    told = ask_accounts({"shelf": account}, lambda _account: shelf, FakeClock(time.time()), create_fields=False)
    assert [one.verdict for one in told] == ["ok"]


def _probe() -> Plan:
    def read(answer: Answer) -> Outcome:
        return Done({}) if answer.ok else Refused("no", "No.", "")

    return (yield Step("probe", Request("GET", "/find/order/none"), read, reads_only=True))


# --- custom fields -----------------------------------------------------------------------------------------------


def fields_account(there: list[str]) -> Account:
    """An account that wants the fields a and b; what is made is remembered."""

    def plan(create: bool) -> Plan:
        missing = [name for name in ("a", "b") if name not in there]
        for name in missing if create else []:
            yield Step(name, Request("GET", "/find/order/none"), lambda _answer: Done({}))
            there.append(name)
        return {"missing": [] if create else missing, "created": missing if create else []}

    return replace(shelf_account(), probe=_probe, fields_plan=plan)


def test_missing_custom_fields_are_named_and_made_only_when_asked() -> None:
    there = ["b"]

    def told(*, create_fields: bool) -> Mapping[str, str]:
        account = fields_account(there)
        lines = ask_accounts({"s": account}, lambda _account: Shelf(), RealClock(), create_fields=create_fields)
        return {one.what: f"{one.verdict}: {one.message}" for one in lines}

    what = "account shelf custom fields"
    assert told(create_fields=False)[what].startswith("problem: not there: a.")
    assert there == ["b"]
    assert told(create_fields=True)[what] == "ok: created there: a"
    assert told(create_fields=False)[what].startswith("ok")


def test_one_account_that_breaks_does_not_hide_the_others() -> None:
    def broken() -> Plan:
        raise KeyError("nobody foresaw this")
        yield

    accounts = {"x": replace(shelf_account(), name="x", probe=broken), "y": replace(shelf_account(), probe=_probe)}
    told = ask_accounts(accounts, lambda _account: Shelf(), RealClock(), create_fields=False)
    assert [one.verdict for one in told] == ["problem", "ok"]
    assert "KeyError" in told[0].message
