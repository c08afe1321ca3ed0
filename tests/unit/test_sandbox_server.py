"""The sandbox server: one port for all targets, every kind of bad weather, and a log of what arrived."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from pipeline.errors import SetupError
from pipeline.sandbox import all_targets
from pipeline.sandbox.contract import Call, Reply
from pipeline.sandbox.duplicates import duplicates
from pipeline.sandbox.faults import KINDS, Fault, Weather, read_faults
from pipeline.sandbox.orderdesk import SimulatedOrderDesk
from pipeline.sandbox.server import SandboxServer

HEADERS = {"ORDERDESK-STORE-ID": "90001", "ORDERDESK-API-KEY": "sandbox-key"}
ORDER = {"source_id": "1", "customer": {"last_name": "Berg"}, "order_items": [{"code": "A", "quantity": 1}]}
ORDERS = "/orderdesk/api/v2/orders"
FAILS = {"drop_before", "drop_after", "late", "cut"}


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer([SimulatedOrderDesk()]) as server:
        yield server
    assert server.log.mistakes == []


@pytest.fixture
def client(sandbox: SandboxServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url, headers=HEADERS, trust_env=False, timeout=10) as client:
        yield client


def number_of_orders(sandbox: SandboxServer) -> int:
    return len(sandbox.truth()["orderdesk"]["orders"])


def send(client: httpx.Client, **order: object) -> httpx.Response | None:
    try:
        return client.post(ORDERS, json=ORDER | order)
    except httpx.RemoteProtocolError:
        return None


# --- fair weather -------------------------------------------------------------------------------------------


def test_calls_reach_the_target_named_first_in_the_path(sandbox: SandboxServer, client: httpx.Client) -> None:
    base = sandbox.base_urls()["orderdesk"]
    assert base == f"http://127.0.0.1:{sandbox.port}/orderdesk/api/v2"
    assert client.get(f"{base}/test").json()["status"] == "success"
    assert client.post(f"{base}/orders", json=ORDER).json()["order"]["source_id"] == "1"
    assert number_of_orders(sandbox) == 1


def test_all_four_targets_have_an_address_and_a_truth() -> None:
    with SandboxServer(all_targets()) as sandbox:
        assert sandbox.base_urls() == {
            "orderdesk": f"{sandbox.url}/orderdesk/api/v2",
            "keap": f"{sandbox.url}/keap/crm",
            "influencersoft": f"{sandbox.url}/influencersoft",
            "kapture": f"{sandbox.url}/kapture",
        }
        assert set(sandbox.truth()) == set(sandbox.base_urls())
        assert all(found == {} for found in sandbox.duplicates().values())


def test_an_unknown_target_is_told_which_there_are(client: httpx.Client) -> None:
    answer = client.get("/orderdisk/api/v2/test")
    assert answer.status_code == 404
    assert "/orderdesk" in answer.json()["message"]


def test_one_connection_carries_many_calls(sandbox: SandboxServer, client: httpx.Client) -> None:
    for _ in range(20):
        assert client.get("/orderdesk/api/v2/test").http_version == "HTTP/1.1"
    assert len(sandbox._door._open) == 1


def test_calls_from_many_threads_are_all_done(sandbox: SandboxServer, client: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: client.post(ORDERS, json=ORDER | {"source_id": str(n)}), range(40)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["order"]["id"] for answer in answers}) == 40
    assert number_of_orders(sandbox) == 40


def test_every_call_is_logged_and_no_key_is(sandbox: SandboxServer, client: httpx.Client) -> None:
    client.post(f"{ORDERS}?rpsKey=very-secret&a=%20b", json=ORDER)
    form = {"rpsKey": "very-secret", "product_keys": "a", "note": "key=1"}
    client.post("/orderdesk/x", data=form, headers={"Authorization": "very-secret"})
    first, second = sandbox.calls
    assert (first.target, first.method, first.path, first.status) == (
        "orderdesk",
        "POST",
        "/api/v2/orders",
        200,
    )
    assert first.query == (("rpsKey", "[redacted]"), ("a", " b"))
    assert first.headers["orderdesk-api-key"] == "[redacted]"
    assert first.headers["orderdesk-store-id"] == "90001"
    assert '"source_id":"1"' in first.body
    assert second.body == "rpsKey=[redacted]&product_keys=a&note=key%3D1"
    assert second.fault is None
    seen = client.get("/_sandbox/calls")
    assert "very-secret" not in seen.text
    assert "sandbox-key" not in seen.text
    assert len(seen.json()) == 2


def test_a_mistake_of_the_simulation_is_kept_apart() -> None:
    class Broken(SimulatedOrderDesk):
        def handle(self, call: Call) -> Reply:
            raise KeyError(call.path)

    with SandboxServer([Broken()]) as sandbox:
        assert httpx.get(f"{sandbox.url}/orderdesk/api/v2/test", trust_env=False).status_code == 500
        assert "KeyError" in sandbox.log.mistakes[0]


# --- bad weather --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_does_the_work_or_not_and_shows_what_it_says(
    sandbox: SandboxServer, client: httpx.Client, kind: str
) -> None:
    sandbox.faults.add([Fault(kind, times=1, seconds=0.01 if kind in {"stall", "slow_bytes"} else 60)])
    answer = send(client)
    answered = {"stall", "slow_bytes", "html", "empty", "hang_up", "error_200"}
    worked = kind in answered | {"drop_after", "error_after", "cut"}
    assert number_of_orders(sandbox) == int(worked)
    assert (answer is None) == (kind in FAILS)
    expected = {
        "error_before": 500,
        "error_after": 500,
        "throttle": 429,
        "redirect": 307,
        "unauthorized": 401,
        "refuse": 400,
    }
    if answer is not None:
        assert answer.status_code == expected.get(kind, 200)
    assert sandbox.calls[-1].fault == kind
    assert sandbox.calls[-1].status == (None if kind in FAILS - {"cut"} else expected.get(kind, 200))
    # After a quiet hang-up the next call may meet the dead connection, and is not answered.
    calm = send(client, source_id="2") or (send(client, source_id="2") if kind == "hang_up" else None)
    assert calm is not None
    assert calm.json()["status"] == "success"


def test_late_work_is_done_after_the_connection_is_gone(sandbox: SandboxServer, client: httpx.Client) -> None:
    sandbox.faults.add([Fault("late", times=1, seconds=3600)])
    assert send(client) is None
    assert number_of_orders(sandbox) == 0
    assert sandbox.finish_late() == 1
    assert number_of_orders(sandbox) == 1
    assert sandbox.finish_late() == 0


def test_late_work_comes_by_itself_and_once(sandbox: SandboxServer, client: httpx.Client) -> None:
    sandbox.faults.add([Fault("late", times=1, seconds=0)])
    arrived = threading.Event()
    add = sandbox.targets["orderdesk"].store.add_order  # type: ignore[attr-defined]
    sandbox.targets["orderdesk"].store.add_order = lambda body: (add(body), arrived.set())[0]  # type: ignore[attr-defined]
    send(client)
    assert arrived.wait(10)
    sandbox.finish_late()
    assert number_of_orders(sandbox) == 1


def test_a_throttle_speaks_the_vendors_words(sandbox: SandboxServer, client: httpx.Client) -> None:
    sandbox.faults.add([Fault("throttle", times=1, seconds=7), Fault("throttle", times=1, header=False)])
    first, second = send(client), send(client)
    assert first is not None
    assert first.headers["x-retry-after"] == "7"
    assert "retry-after" not in first.headers
    assert second is not None
    assert not {"retry-after", "x-retry-after"} & set(second.headers)


def test_a_page_instead_of_an_answer_may_hide_work_or_none(sandbox: SandboxServer, client: httpx.Client) -> None:
    sandbox.faults.add([Fault("html", times=1, worked=False), Fault("empty", times=1, worked=False)])
    page, empty = send(client), send(client)
    assert page is not None
    assert page.text.startswith("<!DOCTYPE html>")
    assert page.headers["content-type"].startswith("text/html")
    assert empty is not None
    assert empty.content == b""
    assert number_of_orders(sandbox) == 0


def test_closing_the_server_ends_a_stall(client: httpx.Client) -> None:
    with SandboxServer([SimulatedOrderDesk()], faults=[Fault("stall", seconds=3600)]) as sandbox:
        arrived = threading.Event()
        add = sandbox.log.add
        sandbox.log.add = lambda *call: (add(*call), arrived.set())[0]  # type: ignore[method-assign]
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(
                httpx.post, sandbox.url + ORDERS, json=ORDER, headers=HEADERS, trust_env=False, timeout=60
            )
            assert arrived.wait(10)
            sandbox.stop()
            assert isinstance(waiting.exception(10), httpx.TransportError) or waiting.result().status_code == 200


def test_faults_spare_reads_unless_told(sandbox: SandboxServer, client: httpx.Client) -> None:
    sandbox.faults.add([Fault("error_before")])
    assert client.get(ORDERS).status_code == 200
    sandbox.faults.add([Fault("error_before", only_writes=False, method="get", path="/test")])
    assert client.get(ORDERS).status_code == 200
    assert client.get("/orderdesk/api/v2/test").status_code == 500


# --- which call is hit --------------------------------------------------------------------------------------


def struck(weather: Weather, calls: int = 10, method: str = "POST", target: str = "orderdesk") -> list[str]:
    call = Call(method, "/api/v2/orders", (), {}, b"")
    hits = [weather.strike(target, call, writes=method != "GET") for _ in range(calls)]
    return [hit.kind if hit else "" for hit in hits]


def test_skip_and_times_count_matching_calls() -> None:
    assert struck(Weather([Fault("html", skip=2, times=3)]), 7) == ["", "", "html", "html", "html", "", ""]
    assert struck(Weather([Fault("html", times=0)]), 2) == ["", ""]


def test_the_first_fault_that_strikes_wins_and_the_next_has_its_turn() -> None:
    assert struck(Weather([Fault("html", times=1), Fault("empty", times=1)]), 3) == ["html", "empty", ""]


def test_aim() -> None:
    assert struck(Weather([Fault("html", target="keap")]), 1) == [""]
    assert struck(Weather([Fault("html", method="PUT")]), 1) == [""]
    assert struck(Weather([Fault("html", path="shipments")]), 1) == [""]
    assert struck(Weather([Fault("html", path="orders", target="orderdesk", method="post")]), 1) == ["html"]


def test_chance_is_the_same_for_the_same_seed() -> None:
    once, again, other = (struck(Weather([Fault("html", probability=0.5, seed=s)]), 200) for s in (1, 1, 2))
    assert once == again != other
    assert 60 < once.count("html") < 140


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"kind": "drop_afer"}, "Did you mean 'drop_after'"),
        ({"kind": "html", "tims": 1}, "times"),
        ({"kind": "html", "probability": 2}, "between 0 and 1"),
        ({"kind": "html", "seconds": -1}, "negative"),
        ({"kind": "html", "times": "one"}, "int"),
        ([{"kind": "html"}, 7], "not a fault"),
        ("html", "not a fault"),
        (None, "not a fault"),
    ],
)
def test_a_wrong_fault_is_refused_with_a_sentence(raw: object, said: str) -> None:
    with pytest.raises(SetupError, match=said):
        read_faults(raw)


# --- for other processes ------------------------------------------------------------------------------------


def test_other_processes_set_and_clear_faults(sandbox: SandboxServer, client: httpx.Client) -> None:
    put = client.post("/_sandbox/faults", json={"kind": "error_after", "times": 1})
    assert (put.status_code, put.json()[0]["kind"]) == (200, "error_after")
    send(client)
    assert (
        client.get("/_sandbox/faults").json()[0] | {"seen": 1, "struck": 1} == client.get("/_sandbox/faults").json()[0]
    )
    assert client.delete("/_sandbox/faults").json() == []
    assert send(client, source_id="2") is not None
    assert len(client.get("/_sandbox/truth").json()["orderdesk"]["orders"]) == 2
    assert len(sandbox.calls) == 2  # talk to the sandbox itself is no call to a target


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'{"kind": "rain"}', b"\xff"])
def test_nonsense_for_the_control_gets_a_sentence(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/_sandbox/faults", content=body)
    assert answer.status_code == 400
    assert answer.json()["message"]
    assert client.get("/_sandbox/weather").status_code == 404
    assert client.post("/_sandbox/truth").status_code == 404


def test_what_exists_twice_is_told(sandbox: SandboxServer, client: httpx.Client) -> None:
    for _ in range(2):
        send(client)
    send(client, source_id="2")
    assert sandbox.duplicates() == {"orderdesk": {"orders 1": 2}}
    assert client.get("/_sandbox/duplicates").json() == {"orderdesk": {"orders 1": 2}}


def test_duplicates_by_business_key() -> None:
    shipments = [{"order_id": "1", "tracking_number": t} for t in ("A", "A", "B")]
    assert duplicates("orderdesk", {"shipments": shipments}) == {"shipments 1 A": 2}
    assert duplicates("kapture", {"orders": [{"erp_order_id": "7"}, {"erp_order_id": 7}]}) == {"orders 7": 2}
    assert duplicates("kapture", {"orders": [{"erp_order_id": ""}, {}]}) == {}
    assert duplicates("unheard of", {"orders": [{}, {}]}) == {}


# --- raw sockets --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"POST /orderdesk/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (b"POST /orderdesk/x HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", b"400"),
        (b"POST /orderdesk/x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", b"413"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"BREW /orderdesk/x HTTP/1.1\r\nHost: x\r\n\r\n", b"501"),
    ],
)
def test_broken_http_gets_an_answer_and_the_server_goes_on(
    sandbox: SandboxServer, client: httpx.Client, text: bytes, status: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port), 10) as raw:
        raw.sendall(text)
        assert status in raw.recv(4096).split(b"\r\n")[0]
    assert client.get("/orderdesk/api/v2/test").status_code == 200


def test_a_call_that_breaks_off_is_not_made(sandbox: SandboxServer, client: httpx.Client) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port), 10) as raw:
        raw.sendall(b"POST /orderdesk/api/v2/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nhalf")
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(4096) == b""
    assert client.get("/orderdesk/api/v2/test").status_code == 200
    assert [call.method for call in sandbox.calls] == ["GET"]


def test_a_port_in_use_is_said_plainly(sandbox: SandboxServer) -> None:
    with pytest.raises(SetupError, match=str(sandbox.port)):
        SandboxServer([SimulatedOrderDesk()], sandbox.port)


def test_a_server_that_never_started_can_be_stopped() -> None:
    SandboxServer([SimulatedOrderDesk()]).stop()
