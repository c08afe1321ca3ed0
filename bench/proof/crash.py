"""Kill -9 at every durable boundary of a run, restart, finish, compare the sandbox's truth with the input.

    python bench/proof/crash.py [--targets orderdesk,keap] [--orders 2] [--recovery]

One trial plays a whole story: a file with one bad row is dropped and run, its workbook is corrected, dropped back and
run. The kill strikes one of the two runs at one boundary; with ``--recovery`` the run after it is killed too, and the
one after that finishes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
from ground import SECRETS, Ground, fast_folder, orders_at, row
from warm import KILLED, Ended, Harm, WarmCommand

from pipeline.sandbox import all_targets
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.server import SandboxServer

WITHOUT_LOOK_UP = frozenset({"influencersoft", "kapture"})
"""Targets that cannot prove an absence: there a doubt may be left to a person, and is then counted as one."""


@dataclass(frozen=True, slots=True)
class Blow:
    """Where to kill: run 0 (first file) or 1 (corrected workbook), boundary, and boundary of the run after it."""

    run: int
    at: int
    again: int | None = None


@dataclass(slots=True)
class Tally:
    """What the trials showed."""

    trials: int = 0
    boundaries: int = 0
    killed: int = 0
    lost: int = 0
    doubled: int = 0
    doubts: int = 0
    wrong: list[str] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, doubled or left in disorder."""
        return not (self.lost or self.doubled or self.wrong)


def pack(archive: Path, dropped: Sequence[Path]) -> None:
    """Put dropped files into one archive that is dropped in their place."""
    with zipfile.ZipFile(archive, "w") as whole:
        for path in dropped:
            whole.write(path, path.name)
            path.unlink()


class Story:
    """The trials of one set of targets against one sandbox; every trial has order numbers of its own."""

    def __init__(
        self,
        sandbox: SandboxServer,
        warm: WarmCommand,
        root: Path,
        targets: Sequence[str],
        orders: int,
        *,
        packed: bool = False,
    ) -> None:
        self._sandbox = sandbox
        self._warm = warm
        self._root = root
        self._targets = targets
        self._orders = orders
        self._packed = packed
        self.tally = Tally()
        self.after_kill: Callable[[Ground], None] = lambda _ground: None

    def first_run(self) -> Ended:
        """The first run of a trial that nobody harms."""
        return self.play(Blow(0, at=sys.maxsize))

    def play(self, blow: Blow | None) -> Ended:
        """One trial from empty folder to verdict; returns how the run to be killed ended.

        A blow at the first run ends the trial with that run's verdict, one at the second plays both.
        """
        name = f"t{self.tally.trials:05}"
        ground = Ground.make(self._root / name, self._sandbox.base_urls(), self._targets, settle=0.15)
        self.tally.trials += 1
        good = [row(f"{name}-{n}") for n in range(self._orders)]
        bad = row(f"{name}-bad", qty="two")
        if self._packed:
            pack(
                ground.path / "inbox/orders.zip",
                [ground.drop("orders.csv", [*good[1:], bad]), ground.drop("orders_2.csv", good[:1])],
            )
        else:
            ground.drop("orders.csv", [*good, bad])
        ended = self._run(ground, blow, 0)
        both = blow is None or blow.run == 1
        if both:
            self._correct(ground, name)
            ended = self._run(ground, blow, 1)
        self._judge(ground, name, both=both)
        return ended

    def _run(self, ground: Ground, blow: Blow | None, number: int) -> Ended:
        strikes = blow is not None and blow.run == number
        ended = self._warm.call("run", folder=ground.path, harm=Harm(blow.at) if blow and strikes else None)
        if blow and strikes and ended.code == KILLED:
            self.tally.killed += 1
            self.after_kill(ground)
            self.tally.struck[ended.boundaries[-1].split()[0].rstrip(",")] += 1
            if blow.again is not None:
                self._warm.call("run", folder=ground.path, harm=Harm(blow.again))
        if ended.code not in {0, 1}:
            self._finish(ground)
        return ended

    def _finish(self, ground: Ground) -> None:
        """Run until nothing but people is waited for."""
        for _ in range(5):
            ended = self._warm.call("run", folder=ground.path)
            if ended.code in {0, 1} or "Traceback" in ended.err:
                break
        if ended.code not in {0, 1} or "Traceback" in ended.err:
            self.tally.wrong.append(f"{ground.path.name}: exit {ended.code}: {ended.err[-400:]}")

    def _correct(self, ground: Ground, name: str) -> None:
        """What a person does: correct the one red cell and drop the workbook back."""
        found = ground.files_in("errors")
        if found != ["orders.errors.xlsx"]:
            self.tally.wrong.append(f"{name}: errors/ held {found}")
            return
        book = openpyxl.load_workbook(ground.path / "errors" / found[0])
        sheet = book["Fix these rows"]
        column = next(cell.column for cell in sheet[1] if cell.value == "Qty")
        sheet.cell(2, column).value = "1"
        book.save(ground.path / "inbox" / "orders.errors.xlsx")
        book.close()

    # --- the verdict ---

    def _judge(self, ground: Ground, name: str, *, both: bool) -> None:
        truth = self._sandbox.truth()
        told = json.loads(self._warm.call("status", "--json", folder=ground.path).out)
        wanted = [*(f"{name}-{n}" for n in range(self._orders)), *([f"{name}-bad"] * both)]
        open_doubts = {a["account"]: a["in_doubt"] for a in told["accounts"]}
        for target in self._targets:
            seen = orders_at(truth, target, f"{name}-")
            missing = sum(1 for key in wanted if not seen[key])
            doubts = open_doubts[target]
            self.tally.doubts += doubts
            self.tally.doubled += sum(number - 1 for number in seen.values())
            self.tally.lost += max(0, missing - doubts)
            if doubts and target not in WITHOUT_LOOK_UP:
                self.tally.wrong.append(f"{name}: {doubts} doubts left at {target}")
        if not told["balanced"]:
            self.tally.wrong.append(f"{name}: the balance does not close")
        self._judge_folders(ground, name, both=both, done=not any(open_doubts.values()))

    def _judge_folders(self, ground: Ground, name: str, *, both: bool, done: bool) -> None:
        """Folders hold what they should and nothing else; a doubt has its workbook, and its original waits."""
        expected: dict[str, list[str]] = {"inbox": [], "errors": [] if both else ["orders.errors.xlsx"]}
        if done:
            expected["var/work"] = []
        elif ground.files_in("errors"):
            del expected["errors"]
        else:
            self.tally.wrong.append(f"{name}: no workbook shows what is in doubt")
        for folder, content in expected.items():
            if ground.files_in(folder) != content:
                self.tally.wrong.append(f"{name}: {folder} holds {ground.files_in(folder)}")
        originals = [path for path in ground.files_in("var") if path.endswith("/orders.csv")]
        if len(originals) != 1:
            self.tally.wrong.append(f"{name}: the original is there {len(originals)} times: {originals}")


def every_boundary(story: Story, runs: Sequence[int], *, recovery: bool) -> None:
    """A kill at each boundary of each run, until a run comes to its end unharmed: then it has no further ones.

    With ``recovery`` the run after it is killed as well, at a boundary that wanders through all of it.
    """
    for number in runs:
        at, ended = 0, None
        while ended is None or ended.code == KILLED:
            at += 1
            ended = story.play(Blow(number, at, again=1 + (at * 7) % 40 if recovery else None))
        story.tally.boundaries += at - 1


def prove(
    targets: Sequence[str],
    orders: int,
    *,
    recovery: bool = False,
    lose: float = 0.0,
    runs: Sequence[int] = (0, 1),
    in_parts: bool = False,
    packed: bool = False,
) -> Tally:
    """All trials of one set of targets on a fresh sandbox; ``killed`` of ``boundaries`` were struck.

    ``runs``: 0 the first file, 1 the corrected workbook. ``lose`` is the share of answers lost after the work, so
    that kills meet doubts as well. ``in_parts`` takes every file in as the longest ones are: part by part.
    ``packed``: the orders come as two files in one archive.
    """
    with (
        tempfile.TemporaryDirectory(prefix="orderdrop-crash-", dir=fast_folder()) as root,
        SandboxServer(all_targets()) as sandbox,
        WarmCommand(SECRETS, in_parts=in_parts) as warm,
    ):
        sandbox.faults.add([Fault("drop_after", probability=lose, seed=7)])
        story = Story(sandbox, warm, Path(root), targets, orders, packed=packed)
        every_boundary(story, runs, recovery=recovery)
        return story.tally


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", default="orderdesk")
    parser.add_argument("--orders", type=int, default=2)
    parser.add_argument("--recovery", action="store_true", help="kill the recovery too")
    parser.add_argument("--lose", type=float, default=0.0, help="share of answers lost after the work")
    parser.add_argument("--in-parts", action="store_true", help="take files in as the longest ones are")
    parser.add_argument("--packed", action="store_true", help="drop the orders as two files in an archive")
    asked = parser.parse_args()
    begun = time.monotonic()
    tally = prove(
        asked.targets.split(","), asked.orders, recovery=asked.recovery, lose=asked.lose, in_parts=asked.in_parts,
        packed=asked.packed,
    )  # fmt: skip
    print(f"killed at {tally.killed} of {tally.boundaries} boundaries{' and again in the recovery' * asked.recovery}")
    print(f"lost {tally.lost}, duplicated {tally.doubled}, left to a person {tally.doubts}")
    print(f"in {time.monotonic() - begun:.0f} s; where the kills struck: {dict(tally.struck.most_common(12))}")
    for wrong in tally.wrong[:20]:
        print("WRONG", wrong)
    return 0 if tally.clean else 1


if __name__ == "__main__":
    sys.exit(_main())
