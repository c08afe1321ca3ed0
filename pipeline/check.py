"""``orderdrop check``: settings, mappings, schemas and accounts proved without touching anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.alerts.rules import EVENTS, Rules, read_rules
from pipeline.checking import load_schema
from pipeline.comparing import prove_comparing
from pipeline.delivery.clock import RealClock
from pipeline.errors import OrderdropError, SetupError
from pipeline.fetch import prove, reach
from pipeline.intake.schedule import Schedule
from pipeline.mapping.spec import FeedMapping
from pipeline.online import Named, ask_accounts
from pipeline.project import Plan, load_plan
from pipeline.send_out import TransportOf, http_transport


def check(
    folder: Path, *, online: bool, create_fields: bool = False, transport_of: TransportOf = http_transport
) -> dict[str, Any]:
    """What was proved, as plain values: ``lines`` of ``what``, ``verdict`` (ok, warning, problem) and ``message``.

    ``exit_code`` 2: the set-up is wrong; 3: only accounts are not as they should be, which ``online`` alone sees.
    """
    try:
        plan = load_plan(folder)
    except SetupError as problem:
        lines = [_line("set-up", "problem", line) for line in str(problem).splitlines()]
        return {"lines": lines, "exit_code": 2}
    lines = _offline(plan)
    if online:
        lines += _online(plan, transport_of, create_fields=create_fields)
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
        lines += [_line(f"mappings: {name}", "warning", text) for text in _uncleared(plan, mapping)]
    lines += [_line(f"account {a.name}", "warning", text) for a in plan.accounts.values() for text in a.warnings]
    lines += [_pickup(plan, name) for name in plan.settings.pickups]
    return lines + [_channel(rules) for rules in read_rules(plan.settings).values()] + _comparing(plan)


def _channel(rules: Rules) -> dict[str, str]:
    from pipeline.alerts.channel import prove as prove_channel

    try:
        kind = prove_channel(rules)
    except SetupError as problem:
        return _line(f"alerts: {rules.name}", "problem", str(problem))
    events = "every event" if rules.events == frozenset(EVENTS) else ", ".join(sorted(rules.events))
    return _line(f"alerts: {rules.name}", "ok", f"{kind}; {events}. `orderdrop alerts test {rules.name}` sends a test")


def _comparing(plan: Plan) -> list[dict[str, str]]:
    try:
        schedule = prove_comparing(plan)
    except SetupError as problem:
        return [_line("reconcile", "problem", str(problem))]
    return [_line("reconcile", "ok", _next_due(plan, schedule))] if schedule is not None else []


def _uncleared(plan: Plan, mapping: FeedMapping) -> Iterator[str]:
    """Where ``when_empty: clear`` comes to nothing: a target that cannot empty the field."""
    wanted = [name for name, rule in mapping.fields.items() if rule.when_empty == "clear"]
    for to in mapping.deliver:
        operation = plan.accounts[to.account].operation(to.operation, to.options)
        kept = [name for name in wanted if not (operation.can_update and operation.clears(name))]
        if kept:
            yield f"{to.account} {to.operation} cannot empty {', '.join(kept)}: there when_empty: clear leaves what is"


def _pickup(plan: Plan, name: str) -> dict[str, str]:
    try:
        schedule = prove(plan, name)
    except SetupError as problem:
        return _line(f"pickup {name}", "problem", str(problem))
    if schedule is None:
        return _line(f"pickup {name}", "ok", f"only by `orderdrop fetch {name}`: it has no schedule")
    return _line(f"pickup {name}", "ok", _next_due(plan, schedule))


def _next_due(plan: Plan, schedule: Schedule) -> str:
    at = datetime.fromtimestamp(schedule.next_after(RealClock().now()) or 0.0, plan.settings.timezone)
    return f"next due {at:%Y-%m-%d %H:%M %Z}, while `orderdrop watch` runs"


def _online(plan: Plan, transport_of: TransportOf, *, create_fields: bool) -> list[dict[str, str]]:
    named = {name: _named_products(plan, name) for name in plan.accounts}
    told = ask_accounts(plan.accounts, transport_of, RealClock(), create_fields=create_fields, named=named)
    lines = [{**_line(one.what, one.verdict, one.message), "code": one.code} for one in told]
    return lines + [_pickup_online(plan, name) for name in plan.settings.pickups]


def _named_products(plan: Plan, account: str) -> list[Named]:
    """Per feed, how to ask the account for the products that its mapping itself names, or its options."""
    found = []
    for feed, mapping in plan.mappings.items():
        words = {name: rule.words() for name in ("sku", "product_name") if (rule := mapping.fields.get(name))}
        for to in mapping.deliver if mapping.record == "order" else ():
            ask = plan.accounts[to.account].operation(to.operation, to.options).named_products
            if to.account == account and ask is not None:
                found.append(Named(feed, partial(ask, words)))
    return found


def _pickup_online(plan: Plan, name: str) -> dict[str, str]:
    try:
        fitting = reach(plan, name)
    except OrderdropError as problem:
        return _line(f"pickup {name} online", "problem", str(problem))
    return _line(f"pickup {name} online", "ok", f"lets us in; {fitting} files fit its patterns now")


def _line(what: str, verdict: str, message: str) -> dict[str, str]:
    return {"what": what, "verdict": verdict, "message": message}


def _exit_code(lines: list[dict[str, str]]) -> int:
    problems = [line["what"] for line in lines if line["verdict"] == "problem"]
    if not problems:
        return 0
    return 3 if all(what.endswith(" online") for what in problems) else 2
