"""What a store says of itself when it is asked on purpose: that the key is good, its zone and its folders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.targets.contract import Answer, Done, Outcome, Paused, Plan, Request, Step
from pipeline.targets.orderdesk.answers import Kind, Redact, trouble


def probe(redact: Redact, folders: frozenset[str | int]) -> Plan:
    """The vendor's own test call, then zone and folder names; ``folders`` are those the mappings move orders to.

    The store's answer holds the key and a mail password: two things are picked from it, and nothing of it is kept or
    quoted, also when it is a failure.
    """

    def tested(answer: Answer) -> Outcome:
        bad = trouble(answer, redact, Kind.READ)
        return Done({"id": ""}) if bad is None else bad

    yield Step("test", Request("GET", "/test"), tested, reads_only=True)
    store = yield Step("store", Request("GET", "/store"), lambda answer: _store(answer, folders), reads_only=True)
    return {"id": "", "note": _note(store)}


def _store(answer: Answer, folders: frozenset[str | int]) -> Outcome:
    body = answer.json()
    store = body.get("store") if answer.ok and isinstance(body, Mapping) else None
    if not isinstance(store, Mapping):
        return Done({})
    names = _folders(store.get("folders"))
    unknown = [str(folder) for folder in folders if names and not _known(folder, names)]
    if unknown:
        return Paused(
            "no_such_folder",
            f"The store has no folder {' and none '.join(repr(name) for name in sorted(unknown))}.",
            f"Correct the option folder of the mapping. Its folders: {', '.join(names.values())}.",
        )
    settings = store.get("settings")
    zone = settings.get("timezone") if isinstance(settings, Mapping) else None
    return Done({"folders": list(names.values()), "timezone": zone if isinstance(zone, str) else ""})


def _folders(value: Any) -> dict[str, str]:  # noqa: ANN401 - whatever the vendor sent
    return {str(key): str(name) for key, name in value.items()} if isinstance(value, Mapping) else {}


def _known(folder: str | int, names: Mapping[str, str]) -> bool:
    return str(folder) in names if isinstance(folder, int) else folder in names.values()


def _note(store: Mapping[str, Any]) -> str:
    said = "Order Desk answers and takes the key."
    if store.get("timezone"):
        said += f" The store's zone is {store['timezone']}."
    if store.get("folders"):
        said += f" Its folders: {', '.join(store['folders'])}."
    return said
