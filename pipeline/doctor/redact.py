"""What of settings and log may leave the house: what is known to be harmless, and nothing else."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pipeline.doctor.machine import without_password
from pipeline.log_file import recent

_SHOWN = frozenset({
    "timezone", "target", "api", "level", "listen", "schedule", "after", "into", "env", "archive_folder", "done_marker",
})  # fmt: skip
"""Settings whose text is shown. Numbers and yes or no are shown of every setting."""
_VALUES = frozenset({"constant", "default", "options", "is"})
"""Keys of a mapping whose texts are only measured."""
_ADDRESSES = frozenset({"base_url", "url"})
_FACTS = frozenset({
    "event", "level", "timestamp", "account", "pickup", "feed", "batch", "state", "code", "read", "accepted",
    "rejected", "skipped", "seconds", "status", "exit_code", "operation", "delivery", "files", "known", "attended",
    "size",
})  # fmt: skip
_SENTENCES = frozenset({
    "settings_wrong", "feed_stopped", "pickup_stopped", "account_waits", "run_failed", "command_failed", "inbox_away",
    "clock_was_set", "file_events_missing", "watching", "watch_ended", "monitoring",
})  # fmt: skip
"""Events whose sentence is about the set-up, not about a file or a record."""


def settings(folder: Path) -> Any:  # noqa: ANN401 - a TOML tree
    """``pipeline.toml`` as a tree in which every text that is not known to be harmless is only measured."""
    try:
        return _tree(tomllib.loads((folder / "pipeline.toml").read_text(encoding="utf-8-sig")), "")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        return {"unreadable": type(problem).__name__}


def _tree(value: Any, key: str) -> Any:  # noqa: ANN401 - a TOML tree
    if isinstance(value, Mapping):
        return {name: _tree(one, str(name)) for name, one in value.items()}
    if isinstance(value, list):
        return [_tree(one, key) for one in value]
    if not isinstance(value, str):
        return value
    if key in _ADDRESSES:
        return without_password(value)
    return value if key in _SHOWN else f"<text of {len(value)} characters>"


def mapping(path: Path) -> Any:  # noqa: ANN401 - a YAML tree
    """A mapping without its comments, constants, defaults and options: they may hold anybody's data."""
    try:
        return _without_values(yaml.safe_load(path.read_text(encoding="utf-8-sig")), measured=False)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        return {"unreadable": type(problem).__name__}


def _without_values(value: Any, *, measured: bool) -> Any:  # noqa: ANN401 - a YAML tree
    if isinstance(value, Mapping):
        return {str(name): _without_values(one, measured=measured or name in _VALUES) for name, one in value.items()}
    if isinstance(value, list):
        return [_without_values(one, measured=measured) for one in value]
    return f"<text of {len(value)} characters>" if measured and isinstance(value, str) else value


def log(folder: Path, most: int) -> Iterator[Mapping[str, Any]]:
    """The last lines of the log: what happened, without names of files, record keys, and sentences that hold them."""
    for line in recent(folder / "var" / "log", most):
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict):
            kept = {name: value for name, value in told.items() if name in _FACTS}
            if told.get("event") in _SENTENCES and "message" in told:
                kept["message"] = told["message"]
            yield kept


def lines(told: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The doctor's findings without what names files, hosts or people: the inbox and the log are counted elsewhere."""
    return [line for line in told if line["what"] not in {"inbox", "log"}]
