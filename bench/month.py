"""A scripted month, in minutes: pickups from a real OpenSSH, drops, corrections, bad weather, kills, a clock change.

    python bench/month.py [--days 30] [--seed 6] [--keep DIR]

Every call goes over HTTP to the sandbox, which keeps its own record; every alert goes over real SMTP and HTTP. Time
passes when the watch waits, also at the sandbox. At the end the orders are counted by the sandbox's record, and every
sentence a person was told stands in ``messages.txt``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "proof"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))

from ground import SECRETS, Ground, orders_at
from listeners import Hook, Letters, http_hook, mail_server
from month_life import TARGETS, ZONE, SharedClock, order_ids
from sftp_servers import SSHD, Server, openssh

from pipeline.sandbox.influencersoft import SimulatedInfluencerSoft
from pipeline.sandbox.kapture import SimulatedKapture
from pipeline.sandbox.keap import SimulatedKeap
from pipeline.sandbox.orderdesk import SimulatedOrderDesk
from pipeline.sandbox.server import SandboxServer

HOUR = 3600.0
_MORE = """
[reconcile]
schedule = "0 5 * * *"
[alerts]
remind_hours = 24
[alerts.channels.office]
url = {{ env = "OFFICE_MAIL" }}
digest = ["08:00", "13:00"]
quiet = "18:00-07:00"
[alerts.channels.technicians]
url = {{ env = "HOOK" }}
{pickup}
"""


@dataclass
class Month:
    """What came of it."""

    days: int
    restarts: int = 0
    kills: int = 0
    expected: set[str] = field(default_factory=set)
    missing: dict[str, list[str]] = field(default_factory=dict)
    twice: dict[str, list[str]] = field(default_factory=dict)
    status: dict[str, Any] = field(default_factory=dict)
    calls: int = 0
    letters: int = 0
    hooks: int = 0
    workbooks: int = 0
    comparisons: int = 0
    differences: int = 0
    messages: str = ""
    log: str = ""

    @property
    def good(self) -> bool:
        """Nothing lost, nothing twice, every count closes, nothing is left open."""
        states = Counter(state for entry in self.status["files"] for state in [entry["state"]])
        open_ = sum(one["waiting"] + one["in_doubt"] for one in self.status["accounts"])
        lost = any(self.missing.values()) or any(self.twice.values())
        return bool(self.status["balanced"]) and not lost and not open_ and set(states) <= {"closed", "duplicate"}


def play(folder: Path, days: int, seed: int) -> Month:
    """The month in ``folder``; takes a minute or so per week."""
    first = _first_day(days)
    begin = datetime.combine(first, datetime.min.time(), ZONE).timestamp()
    clock = SharedClock(folder / "clock", begin)
    (folder / "played").write_text("0")
    with ExitStack() as stack:
        sandbox = stack.enter_context(_sandbox(clock))
        (folder / "sftp").mkdir()
        server = stack.enter_context(openssh(folder / "sftp"))
        mail, hook = stack.enter_context(mail_server()), stack.enter_context(http_hook())
        _project(folder, sandbox, server)
        environment = {**os.environ, **SECRETS, "OFFICE_MAIL": mail.address, "HOOK": hook.address}
        month = Month(days)
        _live(
            month, folder, (server.outgoing, sandbox.url, first.isoformat(), str(days), str(seed)), clock, environment
        )
        _count(month, folder, sandbox, environment)
        _collect(month, folder, mail, hook)
        return month


def _first_day(days: int) -> date:
    """So that the clocks change in the middle, and all of it lies in the future: files made now are settled then."""
    day = datetime.now(ZONE).date() + timedelta(days=days // 2 + 2)
    while _offset(day) == _offset(day + timedelta(days=1)):
        day += timedelta(days=1)
    return day - timedelta(days=days // 2)


def _offset(day: date) -> timedelta | None:
    return datetime.combine(day, datetime.min.time(), ZONE).utcoffset()


@contextmanager
def _sandbox(clock: SharedClock) -> Iterator[SandboxServer]:
    def now() -> datetime:
        return datetime.fromtimestamp(clock.now(), UTC)

    targets = (SimulatedOrderDesk(now=now), SimulatedKeap(now=now), SimulatedInfluencerSoft(), SimulatedKapture())
    with SandboxServer(targets) as server:
        yield server


def _project(folder: Path, sandbox: SandboxServer, server: Server) -> None:
    ground = Ground.make(folder / "project", sandbox.base_urls(), TARGETS, settle=30)
    path = ground.path / "pipeline.toml"
    pickup = server.settings(schedule="0 6 * * *", after="archive", expect_by="08:00")
    text = path.read_text().replace('{ env = "ORDERDESK_API_KEY" }', '{ file = "orderdesk.key" }')
    text = text.replace("settle_seconds = 0\n", "settle_seconds = 0\npoll_seconds = 1800\n", 1)
    path.write_text(text + _MORE.format(pickup=pickup))
    (ground.path / "orderdesk.key").write_text("sandbox-key")


def _live(
    month: Month, folder: Path, arguments: tuple[str, ...], clock: SharedClock, environment: dict[str, str]
) -> None:
    """Start the watch again whenever it is gone, some hours later, until the month is over."""
    chance = random.Random(arguments[-1])
    end = datetime.combine(date.fromisoformat(arguments[2]) + timedelta(days=month.days), datetime.min.time(), ZONE)
    program = [sys.executable, str(Path(__file__).parent / "month_life.py"), str(folder), *arguments]
    while clock.now() < (end + timedelta(hours=18)).timestamp():
        ended = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=1500, check=False)
        if ended.returncode not in {0, -9}:
            raise RuntimeError(f"The watch ended with {ended.returncode}:\n{ended.stderr}")
        month.restarts += 1
        month.kills += ended.returncode == -9
        clock.set(clock.now() + chance.uniform(0, 2) * HOUR)
    month.restarts -= 1


def _count(month: Month, folder: Path, sandbox: SandboxServer, environment: dict[str, str]) -> None:
    month.expected = {one for day in range(month.days) for ids in order_ids(day) for one in ids}
    truth = json.loads(json.dumps(sandbox.truth(), default=str))
    for target in TARGETS:
        seen = orders_at(truth, target)
        month.missing[target] = sorted(month.expected - set(seen))
        month.twice[target] = sorted(key for key, number in seen.items() if number > 1)
    month.calls = len(sandbox.calls)
    command = [sys.executable, "-m", "pipeline", "status", "--json", "--project", str(folder / "project")]
    month.status = json.loads(subprocess.run(command, env=environment, capture_output=True, check=False).stdout)


def _collect(month: Month, folder: Path, mail: Letters, hook: Hook) -> None:
    """Every sentence for people into one file."""
    month.letters, month.hooks = len(mail.got), len(hook.got)
    month.log = (folder / "log.txt").read_text(encoding="utf-8")
    workbooks = folder / "workbooks.txt"
    kept = workbooks.read_text(encoding="utf-8") if workbooks.exists() else ""
    month.workbooks = len({line.partition(":")[0] for line in kept.splitlines()})
    month.comparisons = month.log.count("Comparing the ledger")
    month.differences = month.log.count("shows them.")
    letters = "\n\n".join(f"Subject: {one['subject']}\n{mail.text(n)}" for n, one in enumerate(mail.got))
    hooks = "\n\n".join(f"{one['title']}\n{one['message']}" for one in hook.got)
    parts = {
        "Letters to the office": letters,
        "Messages to the technicians": hooks,
        "Workbooks": kept,
        "Log": month.log,
    }
    month.messages = "\n\n".join(f"===== {name} =====\n\n{text}" for name, text in parts.items())
    (folder / "messages.txt").write_text(month.messages, encoding="utf-8")


def table(month: Month) -> str:
    """The month in figures."""
    rows = [entry["rows"] for entry in month.status["files"]]
    counted = {kind: sum(one[kind] for one in rows) for kind in ("read", "accepted", "rejected", "skipped")}
    at_targets = [(name, f"{len(month.missing[name])}; {len(month.twice[name])}") for name in TARGETS]
    lines = [
        ("days, one of them with a clock change", month.days),
        ("orders that were dropped or fetched", len(month.expected)),
        ("files taken in, corrected workbooks among them", len(month.status["files"])),
        ("rows read = accepted + rejected + skipped", " / ".join(map(str, counted.values()))),
        ("calls at the four targets", month.calls),
        ("times the watch was started again; of these after a kill", f"{month.restarts}; {month.kills}"),
        ("comparisons with the targets; accounts that differed", f"{month.comparisons}; {month.differences}"),
        ("workbooks corrected; letters; messages", f"{month.workbooks}; {month.letters}; {month.hooks}"),
        *((f"{name}: missing; created twice", counted_there) for name, counted_there in at_targets),
        ("the balance closes, nothing is open", "yes" if month.good else "NO"),
    ]  # fmt: skip
    return "\n".join(f"  {name:<60} {value}" for name, value in lines)


def main() -> int:
    """Play it, print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--days", type=int, default=30)
    options.add_argument("--seed", type=int, default=6)
    options.add_argument("--keep", type=Path)
    chosen = options.parse_args()
    if SSHD is None:
        print("No OpenSSH server on this machine (Debian: apt-get install openssh-server).")
        return 2
    with tempfile.TemporaryDirectory() as spare:
        folder = chosen.keep or Path(spare)
        folder.mkdir(parents=True, exist_ok=True)
        month = play(folder, chosen.days, chosen.seed)
        print(table(month))
        if chosen.keep:
            print(f"  every sentence for people: {folder / 'messages.txt'}")
    return 0 if month.good else 1


if __name__ == "__main__":
    sys.exit(main())
