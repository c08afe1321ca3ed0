"""The simulated targets behind one loopback port, the first part of the path naming the target.

::

    with SandboxServer(all_targets()) as sandbox:
        sandbox.faults.add([Fault("drop_after", target="orderdesk", times=1)])
        ...                                        # accounts point at sandbox.base_urls()["orderdesk"]
        assert not sandbox.duplicates()["orderdesk"]

Other processes reach it through ``/_sandbox/truth``, ``/_sandbox/calls``, ``/_sandbox/duplicates`` (GET)
and ``/_sandbox/faults`` (GET, POST one fault or a list, DELETE all).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from pipeline.errors import SetupError
from pipeline.sandbox.calls import CallLog, LoggedCall
from pipeline.sandbox.contract import Call, RefusesInItsOwnWay, Reply, SimulatedTarget
from pipeline.sandbox.door import Door, Exchange
from pipeline.sandbox.duplicates import duplicates
from pipeline.sandbox.faults import Fault, Weather, read_faults, what_is_seen

ACCOUNT_PATHS = {"orderdesk": "/orderdesk/api/v2", "keap": "/keap/crm"}
"""What stands below the port in an account's ``base_url``, where it is more than the target's name."""


class SandboxServer:
    """Simulated targets on one port of 127.0.0.1 (``0``: any free one), started by ``with`` or ``start``."""

    def __init__(self, targets: Sequence[SimulatedTarget], port: int = 0, faults: Sequence[Fault] = ()) -> None:
        self.targets = {target.name: target for target in targets}
        self.faults = Weather(faults)
        self.log = CallLog()
        self._lock = threading.RLock()
        self._late: dict[threading.Timer, Callable[[], Reply]] = {}
        try:
            self._door = Door(("127.0.0.1", port), self._answer)
        except OSError as problem:
            raise SetupError(f"The sandbox cannot listen on port {port}: {problem.strerror}.") from None
        self._thread = threading.Thread(target=self._door.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._door.server_address[1])

    @property
    def url(self) -> str:
        """The address all targets stand below."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def calls(self) -> tuple[LoggedCall, ...]:
        """Every call that reached a target, in the order of arrival, keys redacted."""
        return self.log.calls()

    def base_urls(self) -> dict[str, str]:
        """The ``base_url`` to give an account of each target."""
        return {name: self.url + ACCOUNT_PATHS.get(name, f"/{name}") for name in self.targets}

    def truth(self) -> dict[str, dict[str, Any]]:
        """What exists at each target."""
        with self._lock:
            return {name: target.truth() for name, target in self.targets.items()}

    def duplicates(self) -> dict[str, dict[str, int]]:
        """Business keys that exist more than once, by target: ``{"orderdesk": {"orders 1001": 2}}``."""
        return {name: duplicates(name, truth) for name, truth in self.truth().items()}

    def start(self) -> Self:
        """Listen, in a thread of its own."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Finish late work, close every connection, free the port."""
        self.finish_late()
        if self._thread.is_alive():
            self._door.shutdown()
            self._thread.join()
        self._door.server_close()

    def wait(self) -> None:
        """Block until the server stops (the sandbox command does nothing else)."""
        self._thread.join()

    def finish_late(self) -> int:
        """Do now what ``late`` faults put off; the number of calls it was."""
        with self._lock:
            waiting, self._late = self._late, {}
            for timer, work in waiting.items():
                timer.cancel()
                work()
        return len(waiting)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- one call -------------------------------------------------------------------------------------------

    def _answer(self, call: Call) -> Exchange:
        name, _, rest = call.path.lstrip("/").partition("/")
        if name == "_sandbox":
            return Exchange(self._control(call, rest))
        target = self.targets.get(name)
        if target is None:
            known = ", ".join(f"/{known}" for known in self.targets)
            return Exchange(Reply(404, {"message": f"Nothing is simulated at /{name}. Known: {known}."}))
        below = Call(call.method, f"/{rest}", call.query, call.headers, call.body)
        with self._lock:
            return self._at_target(target, below)

    def _at_target(self, target: SimulatedTarget, call: Call) -> Exchange:
        fault = self.faults.strike(target.name, call, writes=target.writes(call))
        if fault is None:
            exchange = Exchange(self._work(target, call))
        else:
            reply = self._work(target, call) if fault.works else Reply(200)
            seen = what_is_seen(fault, target.name, reply)
            if fault.kind == "refuse" and isinstance(target, RefusesInItsOwnWay):
                seen = target.refusal(call, fault.message)
            exchange = Exchange(seen, fault)
        if fault is not None and fault.kind == "late":
            self._do_later(target, call, fault.seconds)
        self.log.add(target.name, call, exchange.reply.status if exchange.reply else None, fault)
        return exchange

    def _work(self, target: SimulatedTarget, call: Call) -> Reply:
        try:
            return target.handle(call)
        except Exception as problem:  # noqa: BLE001 - a mistake of the simulation is no vendor's refusal
            self.log.mistakes.append(f"{target.name} {call.method} {call.path}: {problem!r}")
            return Reply(500, {"sandbox_mistake": repr(problem)})

    def _do_later(self, target: SimulatedTarget, call: Call, seconds: float) -> None:
        def due() -> None:
            with self._lock:
                work = self._late.pop(timer, None)
                if work is not None:  # None: finish_late was quicker
                    work()

        timer = threading.Timer(seconds, due)
        timer.daemon = True
        self._late[timer] = lambda: self._work(target, call)
        timer.start()

    # --- for other processes --------------------------------------------------------------------------------

    def _control(self, call: Call, what: str) -> Reply:
        match call.method, what:
            case "GET", "truth":
                return Reply(200, self.truth())
            case "GET", "duplicates":
                return Reply(200, self.duplicates())
            case "GET", "calls":
                return Reply(200, [logged.plain() for logged in self.calls])
            case _, "faults":
                return self._control_faults(call)
        return Reply(404, {"message": "Here are: truth, duplicates, calls, faults."})

    def _control_faults(self, call: Call) -> Reply:
        with self._lock:
            if call.method == "POST":
                try:
                    self.faults.add(read_faults(call.json()))
                except (SetupError, ValueError) as problem:
                    return Reply(400, {"message": str(problem)})
            elif call.method == "DELETE":
                self.faults.clear()
            return Reply(200, self.faults.report())
