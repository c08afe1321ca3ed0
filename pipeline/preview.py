"""The dry run: the same reading, mapping, checking and plans as a run, with nobody listening."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import asdict, replace

from pipeline.delivery.verdicts import without_sending
from pipeline.errors import FileRefused, OrderdropError
from pipeline.intake.archives import archive_kind, unpack
from pipeline.judging import Judging, judge
from pipeline.ledger import deliveries as book
from pipeline.ledger.deliveries import Delivery
from pipeline.ledger.engine import open_readonly
from pipeline.mapping.spec import FeedMapping
from pipeline.model import DeliverTo, Record
from pipeline.project import Plan
from pipeline.recognise import recognise
from pipeline.sampling import FirstRows
from pipeline.targets.contract import Account, Operation, Prior, Request, Result, Step

MOST_ROWS = 100_000
"""Rows of a file that are looked at, unless all are asked for: a preview is waited for."""

MOST_TOLD = 10_000
"""Rejections, and requests, that are told; the others are counted."""


def preview(plan: Plan, path: Path, feed: str | None, *, whole: bool = False) -> dict[str, Any]:
    """Everything a run would do with a file, as plain values; nothing is written and nothing is sent.

    Of a long file the first rows, unless the ``whole`` is asked for: memory does not grow with it either way.
    """
    if not path.is_file():  # a pipe would be waited for as long as nobody writes into it
        raise OrderdropError(f"There is no file {path}.")
    kind = archive_kind(path)
    if kind is not None:
        return _inside(plan, path, kind, feed, whole=whole)
    try:
        recognised = recognise(None, path, feed, plan)
        first = FirstRows(recognised.table, MOST_ROWS)
        if not whole:
            recognised = replace(recognised, table=first.table)
        judged = judge(plan, recognised)
        told = _told(plan, judged)
    except FileRefused as refused:
        raise OrderdropError(f"{path.name} would be refused: {refused.message} {refused.advice}") from None
    if first.cut:
        told["notes"].append(
            f"Only the first {MOST_ROWS:,} rows were looked at, and what is said of columns and counts is of these; "
            "the last order may go on behind them. `--all` looks at the whole file."
        )
    return {"file": path.name, "partial": first.cut, **told}


def _told(plan: Plan, judged: Judging) -> dict[str, Any]:
    """The verdict portion by portion; what is beyond ``MOST_TOLD`` is counted."""
    rows = dict.fromkeys(("read", "accepted", "rejected", "skipped"), 0)
    rejections: list[dict[str, Any]] = []
    sending = _Sending(plan)
    beyond = {"rejections": 0, "records": 0}
    for checked in judged.portions():
        rows = {name: count + getattr(checked, name) for name, count in rows.items()}
        shown = checked.rejections[: max(0, MOST_TOLD - len(rejections))]
        rejections += [rejection._asdict() for rejection in shown]
        beyond["rejections"] += len(checked.rejections) - len(shown)
        for number, record in enumerate(checked.records):
            if sending.told >= MOST_TOLD:
                beyond["records"] += len(checked.records) - number
                break
            for to in judged.mapping.deliver:
                sending.add(judged.mapping, to, record)
    return {
        "feed": judged.mapping.feed,
        "found": {name: value for name, value in asdict(judged.table.found).items() if name != "notes"},
        "notes": list(judged.notes),
        "rows": rows,
        "rejections": rejections,
        "refusals": sending.refusals,
        "requests": sending.requests,
        "unsent": sending.unsent,
        "beyond": beyond,
    }


def _inside(plan: Plan, path: Path, kind: str, feed: str | None, *, whole: bool) -> dict[str, Any]:
    """The dry run of the one file in an archive."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            members = unpack(path, kind, Path(folder) / "unpacked")
        except FileRefused as refused:
            raise OrderdropError(f"{path.name} would be refused: {refused.message} {refused.advice}") from None
        if len(members) > 1:
            names = ", ".join(member.name for member in members[:20])
            raise OrderdropError(
                f"{path.name} holds {len(members)} files, and each would be taken for itself: {names}. "
                "Unpack it and preview one of them."
            )
        told = preview(plan, members[0], feed, whole=whole)
    return told | {"file": f"{path.name}/{told['file']}"}


class _Sending:
    """Walks the plans of all records with stand-in results and notes the calls they would make."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._ledger = open_readonly(plan.settings.ledger_url)
        self.requests: list[dict[str, Any]] = []
        self.refusals: list[dict[str, Any]] = []
        self.unsent: list[dict[str, Any]] = []

    @property
    def told(self) -> int:
        """How much there is to show by now."""
        return len(self.requests) + len(self.refusals) + len(self.unsent)

    def add(self, mapping: FeedMapping, to: DeliverTo, record: Record) -> None:
        """Note what one record would send to one operation."""
        account = self._plan.accounts[to.account]
        operation = account.operation(to.operation, to.options)
        who = {"account": to.account, "operation": to.operation, "key": record.key}
        before = self._before(mapping, to, record)
        if before is not None:
            verdict = without_sending(_as_delivery(mapping, to, record), before, operation)
            if verdict is not None:
                told = "; ".join(problem.message for problem in verdict.problems) or "the same was delivered before"
                self.unsent.append({**who, "state": str(verdict.state), "message": told})
                return
        problems = operation.problems(record)
        if problems:
            self.refusals += [
                {**who, "code": p.code, "message": p.message, "advice": p.advice, "field": p.field} for p in problems
            ]
            return
        prior = self._prior(mapping, to, record, before) if before is not None else None
        self.requests += [{**who, **call} for call in _calls(account, operation, record, prior)]

    def _prior(self, mapping: FeedMapping, to: DeliverTo, record: Record, before: Delivery) -> Prior:
        assert self._ledger is not None  # noqa: S101 - it told of the one before
        with self._ledger.connect() as connection:
            return Prior(before.result or {}, book.told(connection, _as_delivery(mapping, to, record)) or before.record)

    def _before(self, mapping: FeedMapping, to: DeliverTo, record: Record) -> Delivery | None:
        if self._ledger is None:
            return None
        try:
            with self._ledger.connect() as connection:
                return book.prior(connection, _as_delivery(mapping, to, record))
        except sa.exc.SQLAlchemyError:
            return None


def _as_delivery(mapping: FeedMapping, to: DeliverTo, record: Record) -> Delivery:
    """The delivery this record would become, newer than all there are."""
    return Delivery(
        id=2**53, batch_id=0, account=to.account, operation=to.operation, record_key=record.key,
        fingerprint=record.fingerprint(), record=record, state="waiting", due_at=None, tries=0, result=None,
        remote_id=None, problems=(), created_at=0, updated_at=0, options=to.options, on_change=mapping.on_change,
        feed=mapping.feed,
    )  # fmt: skip


def _calls(account: Account, operation: Operation, record: Record, prior: Prior | None) -> Iterator[dict[str, Any]]:
    plan = operation.begin(record, prior)
    try:
        step = next(plan)
        while True:
            if step.look_first and step.find is not None and (first := next(step.find(), None)) is not None:
                yield _shown(account, msgspec.structs.replace(step, request=first), look=True)
            yield _shown(account, step, look=step.reads_only)
            step = plan.send(_stand_in(step))
    except StopIteration:
        return


def _shown(account: Account, step: Step, *, look: bool) -> dict[str, Any]:
    signed = account.show(step.request)
    return {
        "step": step.name,
        "look": look,
        "method": signed.method,
        "url": signed.url,
        "headers": dict(signed.headers),
        "body": _body(step.request, signed.content),
    }


def _body(request: Request, content: bytes) -> Any:  # noqa: ANN401 - a JSON value, or text
    if not content:
        return None
    return json.loads(content) if request.json is not None else content.decode("utf-8", "replace")


def _stand_in(step: Step) -> Result:
    """What later calls show in place of an id nobody knows yet."""
    return step.preview if step.preview is not None else {"id": f"<id of {step.name}>"}
