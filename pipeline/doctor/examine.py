"""The examination: set-up, machine, inbox, ledger, one after the other; what is broken does not hide the rest."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.check import check
from pipeline.doctor.books import books
from pipeline.doctor.finding import Finding, good, gravest
from pipeline.doctor.machine import machine
from pipeline.errors import SetupError
from pipeline.intake.folder import look
from pipeline.log_file import recent
from pipeline.mapping.spec import load_good_mappings
from pipeline.settings import load_settings

_DAY = 86400.0


def examine(folder: Path, *, online: bool) -> dict[str, Any]:
    """``lines`` as of ``orderdrop check``, and the exit code they come to."""
    findings = [*_set_up(folder, online=online), *machine(folder.resolve()), *_inbox(folder), *books(ledger_of(folder))]
    findings += _log(folder)
    return {"lines": [finding.told() for finding in findings], "exit_code": gravest(findings)}


def ledger_of(folder: Path) -> str:
    """The address of the ledger, also where the settings cannot be read."""
    try:
        return load_settings(folder).ledger_url
    except SetupError:
        return f"sqlite:///{(folder / 'var' / 'ledger.db').resolve()}"


def _set_up(folder: Path, *, online: bool) -> Iterator[Finding]:
    told = check(folder, online=online)
    for line in told["lines"]:
        code = int(told["exit_code"]) if line["verdict"] == "problem" else 0
        yield Finding(line["what"], line["verdict"], line["message"], code)


def _inbox(folder: Path) -> Iterator[Finding]:
    feeds: list[str] = []
    with suppress(SetupError, OSError):
        feeds = list(load_good_mappings(folder / "mappings")[0])
    listing = look(folder.resolve() / "inbox", feeds, {}, 0.0, time.time())
    if listing.away is None:
        yield good("inbox", f"{len(listing.settled) + len(listing.unsettled)} files lie there for the next run")
    for remark in listing.remarks:
        yield Finding("inbox", "warning", remark)


def _log(folder: Path) -> Iterator[Finding]:
    """The last error of the last day, if any: it is often the answer."""
    for line in reversed(recent(folder / "var" / "log", 5000)):
        with suppress(ValueError):
            told = json.loads(line)
            if isinstance(told, dict) and told.get("level") == "error" and _is_new(str(told.get("timestamp", ""))):
                yield Finding("log", "warning", f"{told['timestamp']}: {told.get('message', told.get('event'))}")
                return


def _is_new(timestamp: str) -> bool:
    from datetime import datetime

    try:
        return time.time() - datetime.fromisoformat(timestamp).timestamp() < _DAY
    except ValueError:
        return False
