"""``orderdrop check``: settings, mappings, schemas and accounts proved without touching anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.checking import load_schema
from pipeline.delivery.walk import ask
from pipeline.errors import SetupError
from pipeline.project import Plan, load_plan
from pipeline.send_out import http_transport
from pipeline.targets.contract import Account, Done


def check(folder: Path, *, online: bool) -> dict[str, Any]:
    """What was proved, as plain values: ``lines`` of ``what``, ``verdict`` (ok, warning, problem) and ``message``."""
    try:
        plan = load_plan(folder)
    except SetupError as problem:
        lines = [_line("set-up", "problem", line) for line in str(problem).splitlines()]
        return {"lines": lines, "exit_code": 2}
    lines = _offline(plan)
    if online:
        lines += [_asked(account) for account in plan.accounts.values()]
    return {"lines": lines, "exit_code": _exit_code(lines)}


def _offline(plan: Plan) -> list[dict[str, str]]:
    lines = [_line("pipeline.toml", "ok", f"{len(plan.accounts)} accounts, every secret is there")]
    if not plan.mappings:
        lines.append(_line("mappings", "warning", "there is none yet; `orderdrop init` shows examples"))
    for name, mapping in plan.mappings.items():
        try:
            load_schema(plan.settings.folder, mapping.record)
        except SetupError as problem:
            lines.append(_line(f"schemas/{mapping.record}.py", "problem", str(problem)))
            continue
        goes = ", ".join(f"{d.account} {d.operation}" for d in mapping.deliver)
        lines.append(_line(f"mappings: {name}", "ok", f"{mapping.record} records to {goes or 'nowhere'}"))
    lines += [_line(f"account {a.name}", "warning", text) for a in plan.accounts.values() for text in a.warnings]
    return lines


def _asked(account: Account) -> dict[str, str]:
    """One harmless call per account: address and key."""
    transport = http_transport(account)
    try:
        outcome = ask(account, transport)
    finally:
        transport.close()
    what = f"account {account.name} online"
    if isinstance(outcome, Done):
        note = outcome.result.get("note")
        return _line(what, "ok", str(note) if note else f"{account.base_url} answers and takes the key")
    advice = getattr(outcome, "advice", "")
    return _line(what, "problem", f"{outcome.message} {advice}".strip())


def _line(what: str, verdict: str, message: str) -> dict[str, str]:
    return {"what": what, "verdict": verdict, "message": message}


def _exit_code(lines: list[dict[str, str]]) -> int:
    problems = [line["what"] for line in lines if line["verdict"] == "problem"]
    if not problems:
        return 0
    return 3 if all(what.endswith(" online") for what in problems) else 2
