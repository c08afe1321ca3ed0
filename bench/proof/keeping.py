"""Kill -9 at every durable boundary of what people do to the ledger: decide about a doubt, purge, restore a backup.

    python bench/proof/keeping.py [--only decide]

Each trial makes a project of its own, brings it to the moment in question, kills the command at one boundary, lets it
be done again, and compares what exists at the target, what the ledger says and what lies in the folders.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
from ground import SECRETS, Ground, fast_folder, orders_at, row
from warm import KILLED, Harm, WarmCommand

from pipeline.sandbox.faults import Fault
from pipeline.sandbox.influencersoft import SimulatedInfluencerSoft
from pipeline.sandbox.server import SandboxServer

TARGET = "influencersoft"
"""It cannot be asked: there every step that is done twice shows."""

DAY = 86_400.0


@dataclass
class Stage:
    """One project at one sandbox, and the command that works on it."""

    ground: Ground
    sandbox: SandboxServer
    warm: WarmCommand
    name: str

    def call(self, *arguments: str, kill_at: int | None = None) -> int:
        """One command line to its end, or to its kill."""
        harm = Harm(kill_at) if kill_at is not None else None
        return self.warm.call(*arguments, folder=self.ground.path, harm=harm).code

    def told(self, *arguments: str) -> str:
        """What a command prints."""
        return self.warm.call(*arguments, folder=self.ground.path).out

    def seen(self) -> Mapping[str, int]:
        """How often each order of this trial exists."""
        return orders_at(self.sandbox.truth(), TARGET, f"{self.name}-")

    @property
    def saved(self) -> Path:
        """Where the backup lies."""
        return self.ground.path / "saved.db"

    def in_ledger(self, statement: str, *values: object) -> None:
        """Turn the ledger's own time back, or the like."""
        connection = sqlite3.connect(self.ground.path / "var" / "ledger.db")
        with connection:
            connection.execute(statement, values)
        connection.close()


@dataclass(frozen=True, slots=True)
class Moment:
    """``prepare`` leads up to ``command``; ``wrong`` says in sentences what is not as it should be after it."""

    prepare: Callable[[Stage], None]
    command: Callable[[Stage], tuple[str, ...]]
    wrong: Callable[[Stage], list[str]]


# --- a doubt settled by a workbook -------------------------------------------------------------------------------


def _a_decision_waits(stage: Stage) -> None:
    stage.sandbox.faults.clear()
    stage.sandbox.faults.add([Fault("drop_after", target=TARGET, times=1)])
    stage.ground.drop("orders.csv", [row(f"{stage.name}-{n}") for n in range(2)])
    stage.call("run")
    (name,) = stage.ground.files_in("errors")
    book = openpyxl.load_workbook(stage.ground.path / "errors" / name)
    sheet = book["Settle these doubts"]
    decision = next(cell.column for cell in sheet[1] if cell.value == "Decision")
    sheet.cell(2, decision).value = "It is there"
    book.save(stage.ground.path / "inbox" / name)
    book.close()


def _decided(stage: Stage) -> list[str]:
    doubts = json.loads(stage.told("doubt", "--json"))["in_doubt"]
    wrong = [f"still in doubt: {doubts}"] if doubts else []
    wrong += [f"{key} is there {n} times" for key, n in stage.seen().items() if n != 1]
    wrong += [f"{folder} holds {found}" for folder in ("errors", "inbox") if (found := stage.ground.files_in(folder))]
    return wrong + _unbalanced(stage)


# --- a purge -----------------------------------------------------------------------------------------------------


def _something_is_old(stage: Stage) -> None:
    stage.sandbox.faults.clear()
    stage.ground.drop("orders.csv", [row(f"{stage.name}-{n}") for n in range(2)])
    stage.call("run")
    stage.in_ledger("UPDATE batches SET closed_at = closed_at - ?", 40 * DAY)


def _purged(stage: Stage) -> list[str]:
    kept = b"".join(p.read_bytes() for p in (stage.ground.path / "var").rglob("*") if p.is_file())
    wrong = ["an e-mail address is left"] if b"@example.com" in kept else []
    stage.ground.drop("orders_again.csv", [row(f"{stage.name}-{n}") for n in (1, 0)])
    stage.call("run")
    counts = json.loads(stage.told("status", "--json"))["files"][-1]["deliveries"]
    wrong += [] if counts["unchanged"] == 2 else [f"not known any more: {counts}"]
    wrong += [f"{key} is there {n} times" for key, n in stage.seen().items() if n != 1]
    return wrong + _unbalanced(stage)


# --- a backup put back -------------------------------------------------------------------------------------------


def _a_backup_is_old(stage: Stage) -> None:
    stage.sandbox.faults.clear()
    stage.ground.drop("orders.csv", [row(f"{stage.name}-0")])
    stage.call("run")
    stage.call("backup", str(stage.saved))
    stage.ground.drop("orders_later.csv", [row(f"{stage.name}-1")])
    stage.call("run")


def _put_back(stage: Stage) -> list[str]:
    known = json.loads(stage.told("status", "--json"))["files"]
    wrong = [] if len(known) == 1 else [f"the ledger knows {len(known)} files"]
    stage.ground.drop("orders_later.csv", [row(f"{stage.name}-1")])
    stage.call("run")
    wrong += [f"{key} is there {n} times" for key, n in stage.seen().items() if n != 1]
    doubts = json.loads(stage.told("doubt", "--json"))["in_doubt"]
    wrong += [] if [d["key"] for d in doubts] == [f"{stage.name}-1"] else [f"nobody is asked: {doubts}"]
    return wrong + _unbalanced(stage)


def _unbalanced(stage: Stage) -> list[str]:
    return [] if json.loads(stage.told("status", "--json"))["balanced"] else ["the balance does not close"]


MOMENTS: Mapping[str, Moment] = {
    "decide": Moment(_a_decision_waits, lambda _stage: ("run",), _decided),
    "purge": Moment(_something_is_old, lambda _stage: ("purge", "--older-than", "30"), _purged),
    "restore": Moment(_a_backup_is_old, lambda stage: ("restore", str(stage.saved)), _put_back),
}


# --- the trials --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """How many boundaries were struck, and what was wrong afterwards."""

    boundaries: int = 0
    wrong: list[str] = field(default_factory=list)


def prove(name: str, every: int = 1) -> Tally:
    """A kill at each ``every``-th boundary of one moment, until the command comes to its end unharmed."""
    moment, tally = MOMENTS[name], Tally()
    with (
        tempfile.TemporaryDirectory(prefix="orderdrop-keeping-", dir=fast_folder()) as root,
        SandboxServer([SimulatedInfluencerSoft()]) as sandbox,
        WarmCommand(SECRETS) as warm,
    ):
        at, code = 1, KILLED
        while code == KILLED:
            trial = f"{name}{at:04}"
            ground = Ground.make(Path(root) / trial, sandbox.base_urls(), [TARGET], settle=0.1)
            stage = Stage(ground, sandbox, warm, trial)
            moment.prepare(stage)
            code = stage.call(*moment.command(stage), kill_at=at)
            if code == KILLED:
                tally.boundaries += 1
                again = stage.call(*moment.command(stage))
                tally.wrong += [f"{trial}: done again it ends with {again}"] if again else []
            tally.wrong += [f"{trial}: {sentence}" for sentence in moment.wrong(stage)]
            at += every
    return tally


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(MOMENTS))
    parser.add_argument("--every", type=int, default=1, help="strike each N-th boundary only")
    asked = parser.parse_args()
    bad = 0
    for name in [asked.only] if asked.only else MOMENTS:
        begun = time.monotonic()
        tally = prove(name, asked.every)
        bad += len(tally.wrong)
        seconds = time.monotonic() - begun
        print(
            f"{name:8} killed at {tally.boundaries} boundaries: {len(tally.wrong)} wrong ({seconds:.0f} s)", flush=True
        )
        for wrong in tally.wrong[:20]:
            print("    WRONG", wrong)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(_main())
