"""The balance: per file and per account, in numbers that must close."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from pipeline.ledger.figures import Figures, FileFigures
from pipeline.model import DeliveryState

STATES = tuple(DeliveryState)


def balance(figures: Figures, accounts: Mapping[str, str]) -> dict[str, Any]:
    """The whole balance as plain values (FACE: ``orderdrop status --json``); ``accounts`` gives the target by name."""
    counted: dict[int, Counter[str]] = {}
    by_account: dict[str, Counter[str]] = {}
    for batch_id, account, state, number in figures.deliveries:
        counted.setdefault(batch_id, Counter())[state] += number
        by_account.setdefault(account, Counter())[state] += number
    listed = [_file(batch, counted.get(batch.id, Counter())) for batch in figures.files]
    paused = dict(figures.paused)
    return {
        "balanced": all(_closes(entry) for entry in listed),
        "files": listed,
        "accounts": [
            _account(name, target, by_account.get(name, Counter()), paused.get(name))
            for name, target in accounts.items()
        ],
    }


def _file(batch: FileFigures, counted: Mapping[str, int]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "file": batch.file_name,
        "feed": batch.feed,
        "state": batch.state,
        "sha256": batch.sha256,
        "received_at": batch.received_at,
        "rows": {
            "read": batch.rows_read,
            "accepted": batch.rows_accepted,
            "rejected": batch.rows_rejected,
            "skipped": batch.rows_skipped,
        },
        "deliveries": {state.value: counted.get(state, 0) for state in STATES},
        "workbook": batch.workbook,
        "notes": list(batch.notes),
    }
    if batch.state == "refused":
        entry |= {"reason": batch.reason, "code": batch.reason_code, "advice": batch.advice}
    if batch.same_as is not None:
        entry["same_as"] = batch.same_as
    if batch.corrects is not None:
        entry["corrects"] = batch.corrects
    return entry


def _account(name: str, target: str, counted: Mapping[str, int], paused: str | None) -> dict[str, Any]:
    return {
        "account": name,
        "target": target,
        **{state.value: counted.get(state, 0) for state in STATES},
        "paused": paused,
    }


def _closes(entry: Mapping[str, Any]) -> bool:
    rows = entry["rows"]
    return bool(rows["read"] == rows["accepted"] + rows["rejected"] + rows["skipped"])


def in_words(entry: Mapping[str, Any]) -> str:
    """One file of the balance as a sentence."""
    rows, sent = entry["rows"], {k: n for k, n in entry["deliveries"].items() if n}
    if entry["state"] == "refused":
        return f"{entry['file']}: refused. {entry['reason']} {entry['advice']}"
    if entry["state"] == "duplicate":
        return f"{entry['file']}: the same file came before; nothing was done again."
    if entry["feed"] is None and not rows["read"]:
        return f"{entry['file']}: an archive; each file in it stands for itself."
    told = ", ".join(f"{n} {state.replace('_', ' ')}" for state, n in sent.items()) or "nothing to deliver"
    parts = (
        f"{rows['read']} rows read, {rows['accepted']} accepted, {rows['rejected']} rejected, {rows['skipped']} skipped"
    )
    workbook = f" To correct: {entry['workbook']}." if entry["workbook"] else ""
    return f"{entry['file']} ({entry['feed']}): {parts}; deliveries: {told}.{workbook}"


def owes_a_workbook(figures: Figures) -> bool:
    """Whether rows, or a file, wait for a person who has not been told: the workbook could not be written so far."""
    return any(
        batch.closed_at is None and not batch.workbook and (batch.rows_rejected or batch.state == "refused")
        for batch in figures.files
    )


def exit_code(told: Mapping[str, Any], *, in_doubt: bool) -> int:
    """What the balance comes to, by the table of the README: 3 work waits, 1 somebody has to act, 0 all good.

    Somebody has to act when a workbook lies in ``errors/``, an account is paused, or something is in doubt.
    """
    if any(account["waiting"] for account in told["accounts"]):
        return 3
    return int(
        in_doubt
        or any(entry["workbook"] for entry in told["files"])
        or any(entry["paused"] for entry in told["accounts"])
    )
