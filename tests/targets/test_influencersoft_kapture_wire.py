"""Both targets over a real connection to the sandbox server, faults included."""

from __future__ import annotations

from typing import Any

import pytest
from walk import FULL_ORDER, first_step, order

from pipeline.sandbox.faults import Fault
from pipeline.sandbox.influencersoft import SimulatedInfluencerSoft
from pipeline.sandbox.kapture import SimulatedKapture
from pipeline.sandbox.server import SandboxServer
from pipeline.settings import Secret
from pipeline.targets.contract import Account, Answer, Done, Found, InDoubt, Paused, Step
from pipeline.targets.http import HttpTransport, Unanswered
from pipeline.targets.registry import build_account

SCHOOL_KEY = Secret("sandbox-key", "test")
DESK_KEYS = {call: Secret(f"sandbox-{call}-key", "test") for call in ("push", "pull")}
OPERATIONS = {"school": "create_order", "desk": "push_order"}


def accounts(server: SandboxServer) -> dict[str, Account]:
    urls = server.base_urls()
    school = {"target": "influencersoft", "login": "demo-shop", "api_key": SCHOOL_KEY, "secret": SCHOOL_KEY,
              "check_products": False}  # fmt: skip
    return {
        "school": build_account("school", {**school, "base_url": urls["influencersoft"]}),
        "desk": build_account("desk", {"target": "kapture", "base_url": urls["kapture"], "keys": DESK_KEYS}),
    }


def send(account: Account, step: Step) -> Answer:
    with HttpTransport(account.base_url, account.timeout, 1) as transport:
        return transport.send(account.sign(step.request))


def look(account: Account, step: Step) -> Any:
    assert step.find is not None
    search = step.find()
    with HttpTransport(account.base_url, account.timeout, 1) as transport:
        try:
            request = next(search)
            while True:
                request = search.send(transport.send(account.sign(request)))
        except StopIteration as end:
            return end.value


@pytest.fixture
def server() -> Any:
    with SandboxServer([SimulatedInfluencerSoft(), SimulatedKapture(pull_shows_erp_id=True)], port=0) as running:
        yield running


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_order_arrives_over_the_wire(server: SandboxServer, name: str) -> None:
    account = accounts(server)[name]
    step = first_step(account.operation(OPERATIONS[name], {}), order(note="Ærlig & ☃ ~"))
    assert isinstance(step.read(send(account, step)), Done)
    assert len(server.truth()[account.target]["orders"]) == 1


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("kind", ["drop_after", "error_after", "cut", "html", "empty"])
def test_a_lost_answer_is_in_doubt_and_the_order_is_found(server: SandboxServer, name: str, kind: str) -> None:
    account = accounts(server)[name]
    step = first_step(account.operation(OPERATIONS[name], {}), order())
    server.faults.add([Fault(kind=kind, times=1)])
    try:
        outcome: Any = step.read(send(account, step))
    except Unanswered:
        outcome = InDoubt("no_answer", "")
    assert isinstance(outcome, InDoubt)
    assert isinstance(look(account, step), Found)
    assert len(server.truth()[account.target]["orders"]) == 1


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("kind", ["redirect", "unauthorized"])
def test_account_trouble_pauses_and_does_nothing(server: SandboxServer, name: str, kind: str) -> None:
    account = accounts(server)[name]
    step = first_step(account.operation(OPERATIONS[name], {}), order())
    server.faults.add([Fault(kind=kind, times=1)])
    assert isinstance(step.read(send(account, step)), Paused)
    assert server.truth()[account.target]["orders"] == []


def test_a_full_order_is_the_same_at_both(server: SandboxServer) -> None:
    for name, account in accounts(server).items():
        options = {"coupons": {"WINTER": "31"}} if name == "school" else {}
        step = first_step(account.operation(OPERATIONS[name], options), FULL_ORDER)
        assert isinstance(step.read(send(account, step)), Done)
    truth = server.truth()
    assert truth["influencersoft"]["orders"][0]["tag"] == truth["kapture"]["orders"][0]["erp_order_id"]
