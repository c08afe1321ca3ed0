"""The safeguards bear load: each is taken away in turn, and the proof that watches it has to go red.

    python bench/proof/mutations.py

Every check is run twice in processes of their own: with everything in place it must count nothing doubled, without
its safeguard something. A check fails when an order is lost on the way: a removal must not merely break the command.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from crash import Blow, Story
from desk import Desk, WaitedTime, account_at, order
from ground import SECRETS, Ground, fast_folder, orders_at, row
from powercut import build, cut
from safeguards import take_away
from warm import WarmCommand
from weather import FAULTS, LATE, PLAYS, Delivered, compare, perform

from pipeline.ledger import restores
from pipeline.ledger.backup import back_up, restore
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.influencersoft import SimulatedInfluencerSoft
from pipeline.sandbox.orderdesk import SimulatedOrderDesk
from pipeline.sandbox.server import SandboxServer

CANNOT = 77
"""Exit code of a check that this machine cannot make."""


def _only_doubled(lost: int, doubled: int) -> int:
    """What was doubled; a removal that loses orders has broken the command, and proves nothing about the safeguard."""
    assert not lost, f"{lost} lost"
    return doubled


def killed_around_calls(safeguard_off: str, *, power: bool = False) -> int:
    """A kill (or a power cut) before and after each call to a target without look-up; what was doubled."""
    with (
        tempfile.TemporaryDirectory(prefix="orderdrop-mutation-", dir=fast_folder()) as root,
        SandboxServer([SimulatedInfluencerSoft()]) as sandbox,
    ):
        library = build(Path(root)) if power else None
        if power and library is None:
            sys.exit(CANNOT)
        environment = {**SECRETS, "LD_PRELOAD": str(library)} if power else SECRETS
        with WarmCommand(environment, safeguard_off) as warm:
            story = Story(sandbox, warm, Path(root), ["influencersoft"], 2)
            if power:
                story.after_kill = lambda ground: cut(ground.path / "var")
            calls = [at for at, name in enumerate(story.first_run().boundaries, 1) if name.startswith("call")]
            for at in calls:
                story.play(Blow(0, at))
            return _only_doubled(story.tally.lost, story.tally.doubled)


def _in_bad_weather(fault: str, safeguard_off: str) -> int:
    """One fault at the first write of two Order Desk orders; what was doubled."""
    play = replace(PLAYS[0], story=(Delivered("order", [order("1"), order("2")]),))
    fair = perform(play, None)
    if safeguard_off:
        take_away(safeguard_off)
    cell = compare(perform(play, FAULTS[fault], 1), fair, FAULTS[fault], looks_up=True)
    return _only_doubled(cell.lost, cell.duplicated)


def answer_lost(safeguard_off: str) -> int:
    """An answer lost after the work."""
    return _in_bad_weather("connection dropped after the work", safeguard_off)


def work_late(safeguard_off: str) -> int:
    """Work that is done after our time-out and our first look-up."""
    return _in_bad_weather("work done late, after our look-up", safeguard_off)


def _same_order_twice(safeguard_off: str, faults: tuple[Fault, ...]) -> int:
    """The same order in two files, to a target without look-up."""
    if safeguard_off:
        take_away(safeguard_off)
    with (
        tempfile.TemporaryDirectory(prefix="orderdrop-mutation-", dir=fast_folder()) as folder,
        SandboxServer([SimulatedInfluencerSoft()]) as sandbox,
    ):
        sandbox.faults.add(faults)
        desk = Desk(Path(folder), account_at("influencersoft", sandbox))
        for _ in range(2):
            desk.take_in("create_order", [order("1")])
            desk.drain()
        desk.close()
        seen = orders_at(sandbox.truth(), "influencersoft")["1"]
        return _only_doubled(int(seen == 0), max(0, seen - 1))


def dropped_again(safeguard_off: str) -> int:
    """An order that was delivered comes again in another file."""
    return _same_order_twice(safeguard_off, ())


def dropped_again_in_doubt(safeguard_off: str) -> int:
    """An order that is in doubt comes again in another file."""
    return _same_order_twice(safeguard_off, (Fault("drop_after", times=1),))


class _Killed(BaseException):
    """The end of a run, in the place of a kill."""


def clock_set_ahead(safeguard_off: str) -> int:
    """A run is killed while work is late, the clock is set a day ahead, and the next run looks."""
    if safeguard_off:
        take_away(safeguard_off)
    with (
        tempfile.TemporaryDirectory(prefix="orderdrop-mutation-", dir=fast_folder()) as folder,
        SandboxServer([SimulatedOrderDesk()]) as sandbox,
    ):
        begun: list[float] = []

        def passes(passed: float) -> None:
            if not begun:
                begun.append(passed)
                raise _Killed
            if passed - begun[0] >= 86_400.0 + LATE:
                sandbox.finish_late()

        sandbox.faults.add([Fault("late", seconds=3600, times=1)])
        desk = Desk(Path(folder), account_at("orderdesk", sandbox), WaitedTime(passes))
        desk.take_in("order", [order("1")])
        with suppress(_Killed):
            desk.drain()
        desk.clock.set_ahead(86_400.0)
        desk.drain()
        sandbox.finish_late()
        desk.close()
        seen = orders_at(sandbox.truth(), "orderdesk")["1"]
        return _only_doubled(int(seen == 0), max(0, seen - 1))


def backup_put_back(safeguard_off: str) -> int:
    """An order is sent after a backup of the ledger was made, and the backup is put back."""
    if safeguard_off:
        take_away(safeguard_off)
    with (
        tempfile.TemporaryDirectory(prefix="orderdrop-mutation-", dir=fast_folder()) as folder,
        SandboxServer([SimulatedInfluencerSoft()]) as sandbox,
    ):
        ledger, saved = f"sqlite:///{folder}/ledger.db", Path(folder) / "saved.db"
        desk = Desk(Path(folder), account_at("influencersoft", sandbox))
        desk.take_in("create_order", [order("1")])
        back_up(ledger, saved)
        desk.drain()
        desk.close()
        restore(ledger, saved, "proof", lambda c: restores.note(c, 0.0, ()))
        desk = Desk(Path(folder), account_at("influencersoft", sandbox))
        desk.drain()
        desk.close()
        seen = orders_at(sandbox.truth(), "influencersoft")["1"]
        return _only_doubled(int(seen == 0), max(0, seen - 1))


def two_runs_at_once(safeguard_off: str) -> int:
    """Two runs of one project at the same time."""
    keys = [f"o{n}" for n in range(15)]
    with (
        tempfile.TemporaryDirectory(prefix="orderdrop-mutation-", dir=fast_folder()) as root,
        SandboxServer([SimulatedInfluencerSoft()]) as sandbox,
        WarmCommand(SECRETS, safeguard_off) as one,
        WarmCommand(SECRETS, safeguard_off) as other,
    ):
        sandbox.faults.add([Fault("unauthorized")])
        ground = Ground.make(Path(root) / "p", sandbox.base_urls(), ["influencersoft"], settle=1)
        ground.drop("orders.csv", [row(key) for key in keys])
        one.call("run", folder=ground.path)  # the key is not accepted: now all of them wait
        sandbox.faults.clear()
        sandbox.faults.add([Fault("stall", seconds=0.05)])
        for run in (one, other):
            run.start("run", folder=ground.path)
        ended = [run.finish() for run in (one, other)]
        ended.append(one.call("run", folder=ground.path))
        seen = orders_at(sandbox.truth(), "influencersoft")
    broken = sum("Traceback" in run.err for run in ended)
    return _only_doubled(broken + sum(not seen[key] for key in keys), sum(seen.values()) - len(seen))


@dataclass(frozen=True, slots=True)
class Check:
    """What is done, and the safeguard that it needs."""

    said: str
    bad: Callable[[str], int]


CHECKS: Mapping[str, Check] = {
    "intent record before the call": Check("kill -9 around each call", killed_around_calls),
    "sync of each commit": Check("power cut around each call", lambda off: killed_around_calls(off, power=True)),
    "look-up": Check("an answer lost after the work", answer_lost),
    "settle time": Check("work done late, after the first look-up", work_late),
    "a settle time of the run's own": Check("the clock set ahead between two runs, work late", clock_set_ahead),
    "caution after a restore": Check("an order sent after the backup", backup_put_back),
    "memory of the key": Check("a delivered order dropped again", dropped_again),
    "waiting behind an open delivery of the key": Check("an order in doubt dropped again", dropped_again_in_doubt),
    "run lock": Check("two runs at once", two_runs_at_once),
}


def measure(name: str, *, removed: bool) -> int | None:
    """What one check doubles, in a process of its own; ``None`` where this machine cannot make it."""
    command = [sys.executable, __file__, "--check", name, *(["--removed"] if removed else [])]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode == CANNOT:
        return None
    if ended.returncode != 0:
        raise RuntimeError(f"{name}: {ended.stderr[-2000:]}")
    return int(ended.stdout.strip().splitlines()[-1])


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", choices=list(CHECKS))
    parser.add_argument("--removed", action="store_true")
    asked = parser.parse_args()
    if asked.check:
        print(CHECKS[asked.check].bad(asked.check if asked.removed else ""))
        return 0
    wrong = 0
    print("| safeguard | what is done | doubled with it | without it |\n|---|---|---|---|")
    for name, check in CHECKS.items():
        whole, removed = measure(name, removed=False), measure(name, removed=True)
        wrong += whole not in {0, None} or removed == 0
        shown = ["no C compiler here" if bad is None else str(bad) for bad in (whole, removed)]
        print(f"| {name} | {check.said} | {shown[0]} | {shown[1]} |", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(_main())
