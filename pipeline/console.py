"""What people read on the terminal: the same facts as the JSON, in sentences."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.closing.balance import in_words
from pipeline.delivery.plain_words import age_in_words

if TYPE_CHECKING:  # the balance is told without loading what a run needs
    from pipeline.run import Report
    from pipeline.visit import Fetched

# --- run and status ----------------------------------------------------------------------------------------------


def told_run(report: Report) -> str:
    """What a run did, file by file."""
    taken = {batch.sha256 + batch.file_name for batch in report.batches}
    lines = [in_words(entry) for entry in report.balance["files"] if entry["sha256"] + entry["file"] in taken]
    lines += [
        line for entry in report.balance["files"] if entry["sha256"] + entry["file"] in taken for line in entry["notes"]
    ]
    waiting = [_waiting(account) for account in report.balance["accounts"]]
    lines += [line for line in waiting if line]
    lines = lines or ["Nothing new in the inbox."]
    left = [entry["workbook"] for entry in report.balance["files"] if entry["workbook"]]
    if left:
        lines.append(
            f"Waiting for a person: {', '.join(left)}. Correct the red cells and drop the workbook into inbox/."
        )
    return "\n".join(lines)


def _waiting(account: Mapping[str, Any]) -> str:
    parts = [
        f"{account[state]} {text}"
        for state, text in (("waiting", "waiting"), ("in_doubt", "in doubt"))
        if account[state]
    ]
    paused = f" Paused: {account['paused']}" if account["paused"] else ""
    if not parts and not paused:
        return ""
    hint = " `orderdrop doubt` lists the doubts." if account["in_doubt"] else ""
    return f"Account {account['account']} ({account['target']}): {', '.join(parts) or 'nothing waiting'}.{paused}{hint}"


def told_balance(told: Mapping[str, Any]) -> str:
    """The balance in sentences, files first."""
    lines = [in_words(entry) for entry in told["files"]] or ["No file was taken in so far."]
    lines.append("")
    for account in told["accounts"]:
        counted = ", ".join(
            f"{account[state]} {state.replace('_', ' ')}"
            for state in ("delivered", "already_there", "unchanged", "refused", "waiting", "in_doubt")
            if account[state]
        )
        paused = f" PAUSED: {account['paused']}" if account["paused"] else ""
        lines.append(f"{account['account']} ({account['target']}): {counted or 'nothing so far'}.{paused}")
    lines.append("The balance closes." if told["balanced"] else "THE BALANCE DOES NOT CLOSE.")
    return "\n".join(lines)


# --- find, doubt -------------------------------------------------------------------------------------------------


def told_life(told: Mapping[str, Any]) -> str:
    """The life of one record, oldest first."""
    lines = []
    for d in told["deliveries"]:
        rows = ", ".join(map(str, d["rows"]))
        remote = f", id there {d['remote_id']}" if d["remote_id"] else ""
        where = f"{d['file']} row {rows} → {d['account']} {d['operation']}"
        lines.append(f"{where}: {_state(d['state'])}{remote} (delivery {d['id']})")
        lines += [f"    {problem['message']} {problem['advice']}".rstrip() for problem in d["problems"]]
        for step in d["steps"]:
            lines.append(f"    step {step['step']}: {_state(step['state'])}, sent {step['sends']} times")
            lines += [
                f"        {_time(a['sent_at'])} {_state(a['outcome'])} {a['message']}".rstrip()
                for a in step["attempts"]
            ]
    lines += [f"{r['file']} row {r['row']}: rejected. {r['message']} {r['advice']}" for r in told["rejections"]]
    return "\n".join(lines) or f"Nothing is known of {told['key']}."


def _state(state: str) -> str:
    return state.replace("_", " ")


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def told_doubts(doubts: Sequence[Mapping[str, Any]]) -> str:
    """Each doubt with its age and what to do about it."""
    if not doubts:
        return "Nothing is in doubt."
    lines = []
    for d in doubts:
        who = "a person has to tell" if d["waits_for_person"] else "the next look-up may tell"
        age = age_in_words(d["age_seconds"])
        lines.append(f"{d['id']}  {d['key']} at {d['account']} ({d['step']}), for {age}: {who}")
        lines.append(f"    {d['in_words']}")
        lines.append(
            f"    last look-up: {(d['last_look'] or 'none so far').rstrip('.')}. Search there for: {d['search_for']}"
        )
        lines += [f"    {problem}" for problem in d["problems"]]
    lines.append("Decide with: orderdrop doubt settle ID --as delivered|resend|drop")
    if any(d["waits_for_person"] for d in doubts):
        lines.append(
            "Or choose in the sheet 'Settle these doubts' of its workbook in errors/, and drop it into inbox/."
        )
    return "\n".join(lines)


# --- alerts ------------------------------------------------------------------------------------------------------


def told_alerts(told: Mapping[str, Any]) -> str:
    """Each thing that is open with what to do, and which channel was told of it."""
    lines = [] if told["open"] else ["Nothing is open."]
    for one in told["open"]:
        lines += [one["headline"], f"    What to do: {one['advice']}", f"    {_who_was_told(one['told'])}"]
    for channel in told["channels"]:
        if channel["problem"]:
            again = f"; tried again {_time(channel['next_try_at'])}" if channel["next_try_at"] else ""
            lines.append(f"Channel {channel['channel']} could not be told: {channel['problem']}{again}.")
    if not told["channels"]:
        lines.append("Nobody is told: [alerts.channels.NAME] in pipeline.toml describes a channel.")
    return "\n".join(lines)


def _who_was_told(told: Mapping[str, Any]) -> str:
    heard = [f"{name} {_time(one['at'])} ({one['times']} times)" for name, one in told.items() if one["at"]]
    return f"Told: {', '.join(heard)}" if heard else "Nobody was told so far."


# --- reconcile ---------------------------------------------------------------------------------------------------


_SHOWN = 40


def told_reconcile(told: Mapping[str, Any], written: Sequence[str]) -> str:
    """Account by account: what is missing there, extra there, different there."""
    lines = [line for account in told["accounts"] for line in _reconciled(account)]
    lines += [f"Written: {path}" for path in written]
    return "\n".join(lines) or "There is no account to compare with."


def _reconciled(account: Mapping[str, Any]) -> Iterator[str]:
    counted = ", ".join(f"{len(account[kind])} {kind}" for kind in ("missing", "extra", "differing") if account[kind])
    said = counted or ("no difference" if account["checked"] else "nothing compared")
    yield f"{account['account']} ({account['target']}), since {account['since']}: {account['checked']} checked, {said}"
    if account["note"]:
        yield f"    {account['note']}"
    yield from _first(account["missing"], lambda one: f"missing    {one['key']}{_there(one)}, from {_origin(one)}")
    yield from _first(account["extra"], lambda one: f"extra      {one['key'] or '?'}{_there(one)}: {one['why']}")
    yield from _first(
        account["differing"],
        lambda one: f"differing  {one['key']} {one['field']}: sent '{one['ours']}', there '{one['theirs']}'",
    )


def _first(entries: Sequence[Mapping[str, Any]], line: Callable[[Mapping[str, Any]], str]) -> Iterator[str]:
    yield from (f"    {line(one)}" for one in entries[:_SHOWN])
    if len(entries) > _SHOWN:
        yield f"    … and {len(entries) - _SHOWN} more: --json and --workbook show them all."


def _there(one: Mapping[str, Any]) -> str:
    return f" (id there {one['remote_id']})" if one["remote_id"] else ""


def _origin(one: Mapping[str, Any]) -> str:
    return f"{one['file']} row {', '.join(map(str, one['rows']))}"


# --- fetch -------------------------------------------------------------------------------------------------------


def told_fetch(fetched: Sequence[Fetched]) -> str:
    """Pickup by pickup: what came, what is left and why."""
    return "\n".join(line for one in fetched for line in _fetched(one))


def _fetched(one: Fetched) -> Iterator[str]:
    came = f"{len(one.files)} files fetched" if len(one.files) != 1 else "1 file fetched"
    yield f"{one.pickup}: {came}" + (f", {one.known} known from before" if one.known else "")
    yield from (f"    {path}" for path in one.files[:_SHOWN])
    if len(one.files) > _SHOWN:
        yield f"    … and {len(one.files) - _SHOWN} more"
    yield from (f"    {text}" for text in (*one.remarks, *one.troubles))
    if one.problem:
        yield f"    {one.problem}"


# --- preview, check ----------------------------------------------------------------------------------------------


def told_preview(told: Mapping[str, Any]) -> str:
    """The dry run: what was found, what is wrong, what would be sent."""
    rows = told["rows"]
    found = ", ".join(f"{name} {value}" for name, value in told["found"].items() if value not in (None, "", []))
    lines = [
        f"{told['file']}: feed {told['feed']} ({found})",
        ", ".join(f"{rows[kind]} {kind}" for kind in ("read", "accepted", "rejected", "skipped")) + " rows",
        *told["notes"],
    ]
    for r in told["rejections"]:
        where = f"row {r['row']}" + (f", column '{r['column']}'" if r["column"] else "")
        lines.append(f"  rejected {where}: {r['message']} {r['advice']}")
    lines += [f"  {r['account']} would refuse {r['key']}: {r['message']} {r['advice']}" for r in told["refusals"]]
    for request in told["requests"]:
        lines.append(
            f"{request['account']} {request['operation']} {request['key']} [{request['step']}] {_condition(request)}"
        )
        lines.append(f"    {request['method']} {request['url']}")
        if request["body"] is not None:
            body = request["body"]
            lines.append(f"    {body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)}")
    lines += [f"{u['account']} {u['operation']} {u['key']}: {u['message']}" for u in told["unsent"]]
    lines += [f"… and {number:,} more {what}." for what, number in told["beyond"].items() if number]
    return "\n".join(lines)


def _condition(request: Mapping[str, Any]) -> str:
    return "(a look, sent before it)" if request["look"] else ""


def told_check(told: Mapping[str, Any]) -> str:
    """What was proved, line by line."""
    marks = {"ok": "ok      ", "warning": "warning ", "problem": "PROBLEM "}
    return "\n".join(f"{marks[line['verdict']]}{line['what']}: {line['message']}" for line in told["lines"])
