"""Settings, mappings and schemas while the watch runs: have their files changed, and which feeds have to stop?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.comparing import prove_comparing
from pipeline.errors import SetupError
from pipeline.events import Event
from pipeline.fetch import prove
from pipeline.intake.schedule import Schedule
from pipeline.progress import Progress
from pipeline.project import Plan


def marks(folder: Path) -> object:
    """Name, size and time of every file the plan is made of."""
    places = [
        folder / "pipeline.toml",
        *sorted((folder / "mappings").glob("*")),
        *sorted((folder / "schemas").glob("*.py")),
    ]
    found = []
    for path in places:
        try:
            seen = path.stat()
        except OSError:
            continue
        found.append((path, seen.st_size, seen.st_mtime_ns))
    return found


def wrong_schemas(plan: Plan) -> dict[str, str]:
    """What is wrong with the schema of each feed's records, by feed."""
    from pipeline.checking import schema_to_judge_by

    wrong = {}
    for feed, mapping in plan.mappings.items():
        try:
            schema_to_judge_by(plan.settings.folder, mapping.record)
        except SetupError as problem:
            wrong[feed] = str(problem)
    return wrong


def pickup_schedules(plan: Plan, progress: Progress) -> Mapping[str, Schedule]:
    """The schedules by pickup; one that is wrongly set up is said, and stopped."""
    schedules = {}
    for name in plan.settings.pickups:
        try:
            schedule = prove(plan, name)
        except SetupError as problem:
            text = f"{problem}\nPickup {name} is stopped until that is right."
            progress.say(text, Event.PICKUP_STOPPED, pickup=name)
            continue
        if schedule is not None:
            schedules[name] = schedule
    return schedules


def comparing_schedule(plan: Plan, progress: Progress) -> Schedule | None:
    """When to compare with the targets; what is wrong with it is said, and nothing is compared."""
    try:
        return prove_comparing(plan)
    except SetupError as problem:
        progress.say(f"{problem}\nNothing is compared until that is right.", Event.SETTINGS_WRONG)
        return None
