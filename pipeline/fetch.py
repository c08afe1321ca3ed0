"""``orderdrop fetch``: one pickup now. A file counts as fetched when it is whole, in the inbox, and on the disk.

In this order, so that a crash anywhere loses nothing and takes nothing twice: read under a temporary name, prove it,
give it its name in the inbox, write it down in the ledger, and only then archive or delete it on the server.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from pipeline.errors import LedgerError, OrderdropError, SetupError, TargetError, nearest
from pipeline.events import Event
from pipeline.intake.schedule import Schedule, parse_schedule
from pipeline.intake.sftp import Interrupted, Unwritable
from pipeline.intake.sftp_login import connected
from pipeline.ledger import pickups as memory
from pipeline.progress import Bound, Progress
from pipeline.project import Plan, Project
from pipeline.settings import SETTINGS_FILE, PickupTable
from pipeline.visit import Fetched, Visit

_IDLE_VISITS, _MOST_VISITS = 3, 200
"""How often a broken connection is made anew: while no further byte comes, and in all."""


# --- what the settings ask for -----------------------------------------------------------------------------------


def chosen(plan: Plan, name: str | None) -> list[str]:
    """The pickups to fetch: the one of that name, or all; proved. ``SetupError`` when there is none."""
    pickups = plan.settings.pickups
    if name is not None and name not in pickups:
        known = ", ".join(sorted(pickups)) or "none"
        raise SetupError(f"There is no pickup '{name}'.{nearest(name, pickups)} Known: {known}.")
    if not pickups:
        raise SetupError(f"There is no pickup in {SETTINGS_FILE}: [pickups.NAME] describes one.")
    names = [name] if name is not None else list(pickups)
    for one in names:
        prove(plan, one)
    return names


def prove(plan: Plan, name: str) -> Schedule | None:
    """Prove one pickup without touching anything, and read its schedule; ``SetupError`` says what is wrong."""
    table, where = plan.settings.pickups[name], f"{SETTINGS_FILE} [pickups.{name}]"
    known = {*plan.mappings, *plan.stopped}
    if table.into is not None and table.into not in known:
        raise SetupError(f"{where} into: no feed is called '{table.into}'.{nearest(table.into, known)}")
    if not (table.key_file or table.password or table.agent):
        raise SetupError(f"{where}: no way in; give key_file, password = {{ env = … }}, or agent = true.")
    if any(part in table.archive_folder for part in ("/", "\\")) or table.archive_folder in {"", ".", ".."}:
        raise SetupError(f"{where} archive_folder: write the name of one folder; it is made beside the file.")
    if table.timeout_seconds <= 0 or not 0 < table.port < 65536:
        raise SetupError(f"{where}: timeout_seconds must be more than 0, and port between 1 and 65535.")
    if table.old_algorithms:
        from pipeline.intake.old_ways import prove_old

        prove_old(table.old_algorithms, where)
    _prove_patterns(table, where)
    return parse_schedule(table.schedule, plan.settings.timezone, where) if table.schedule else None


def _prove_patterns(table: PickupTable, where: str) -> None:
    if not table.patterns:
        raise SetupError(f'{where} remote: name at least one pattern, as in ["/outgoing/*.csv"].')
    for pattern in table.patterns:
        folder, _, name = pattern.rpartition("/")
        if not name or any(ch in folder for ch in "*?["):
            raise SetupError(
                f"{where} remote: '{pattern}' must end in a file name or pattern, and only there may * and ? stand."
            )


def reach(plan: Plan, name: str) -> int:
    """How many files fit the patterns of a pickup now; nothing is fetched. Raises what connecting raises."""
    table = plan.settings.pickups[name]
    prove(plan, name)
    with connected(name, table, plan.settings.folder) as remote:
        return len(remote.listed(table.patterns))


# --- one pickup --------------------------------------------------------------------------------------------------


def fetch(project: Project, name: str, stop: threading.Event, progress: Progress) -> Fetched:
    """Fetch what is new; trouble with the server is told in ``problem``. Only the ledger's trouble is raised."""
    progress = Bound(progress, pickup=name)
    visit = Visit(project, name, project.plan.settings.pickups[name], stop, progress)
    try:
        with _alone(project, stop, progress):
            _visits(visit)
    except LedgerError:
        raise
    except OrderdropError as problem:
        visit.told.problem = problem
    finally:
        visit.drop()
    _note_end(project, visit.told)
    return visit.told


def _note_end(project: Project, told: Fetched) -> None:
    """An interrupted fetch has not ended: what was due stays due."""
    if not isinstance(told.problem, Interrupted):
        now, problem = project.clock.now(), str(told.problem) if told.problem else None
        project.writer.write(lambda c: memory.note_end(c, told.pickup, now, problem))


def _visits(visit: Visit) -> None:
    """Connect, and after a break connect anew as long as that brings something."""
    idle = 0
    for breaks in range(_MOST_VISITS):
        moved = visit.moved
        try:
            with connected(visit.name, visit.table, visit.project.folder) as remote:
                visit.pay(remote, ahead=breaks < 2)
            return
        except Unwritable:
            raise
        except TargetError:
            idle = 0 if visit.moved > moved else idle + 1
            if not visit.inside or idle == _IDLE_VISITS or breaks == _MOST_VISITS - 1 or visit.stop.is_set():
                raise
        visit.project.clock.wait(2.0**idle, visit.stop)


@contextmanager
def _alone(project: Project, stop: threading.Event, progress: Progress) -> Iterator[None]:
    """One fetch at a time per project: two would read the same files. ``Interrupted`` when asked to stop meanwhile."""
    path = project.plan.settings.var / "fetch.lock"
    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _acquire(lock, stop, progress)
    except OSError as problem:
        raise LedgerError(f"{path} cannot be locked ({problem}). Make the project's var folder writable.") from None
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock, stop: threading.Event, progress: Progress) -> None:
    waiting = False
    while not stop.is_set():
        try:
            lock.acquire(timeout=0.5 if waiting else 0)
            return
        except Timeout:
            if not waiting:
                progress.say(
                    "Another fetch is at work in this project; waiting for it to end.", Event.FETCH_LOCK_WAITED
                )
            waiting = True
    raise Interrupted("Stopped before anything was fetched.")
