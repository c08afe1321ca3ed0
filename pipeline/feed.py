"""``orderdrop feed SAMPLE``: a proposed mapping, written beside the others without touching any of them."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from pipeline.errors import FileRefused, OrderdropError, SetupError, nearest
from pipeline.fields import RECORD_KINDS
from pipeline.judging import judge
from pipeline.mapping.spec import FeedMapping, load_mapping, match_feed
from pipeline.model import DeliverTo, Rejection
from pipeline.pairing import Paired, paired_files, paired_sheets
from pipeline.project import Plan
from pipeline.proposing.as_yaml import as_yaml
from pipeline.proposing.examples import examples
from pipeline.proposing.propose import Proposal, propose
from pipeline.reading import open_table
from pipeline.reading.table import Block, Hints, Table
from pipeline.recognise import Recognised
from pipeline.sampling import SAMPLE_ROWS, shaped_columns_of
from pipeline.targets.contract import Account

_FIRST_OPERATIONS = ("order", "place_order", "create_order", "push_order")
_SAFE_NAME = re.compile(r"[a-z0-9_-]{1,64}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asked for beside the sample; ``None`` and empty mean: find it."""

    kind: str | None = None
    feed: str | None = None
    sheet: str | None = None
    to: tuple[str, ...] = ()


def feed(plan: Plan, sample: Path, wish: Wish) -> dict[str, Any]:
    """Propose a mapping for a sample and write it into ``mappings/``; everything a person should know, as plain values.

    It becomes ``<feed>.yaml`` only when it proves and nobody has to decide anything; else ``<feed>.proposal.yaml.txt``,
    which no run loads. ``OrderdropError`` when the sample cannot be read or the wish cannot be met.
    """
    _check(plan, wish)
    table, pair = _opened(sample, wish.sheet)
    proposal = _proposed(table, sample.name, wish, pair)
    if pair is None and proposal.missing and wish.kind in {None, "order"} and (pair := paired_files(sample, table)):
        better = _proposed(pair.table, pair.name, wish, pair)
        table, proposal, pair = (pair.table, better, pair) if _is_better(better, proposal) else (table, proposal, None)
    places, asked = _places(plan, proposal, wish.to)
    proposal = replace(proposal, places=places, questions=(*proposal.questions, *asked))
    name = pair.name if pair else sample.name
    proposal = replace(proposal, questions=(*proposal.questions, *_neighbours(plan, proposal, name)))
    tried = _tried(plan, table, as_yaml(proposal, name, _found(table)), proposal)
    proposal = replace(proposal, questions=(*proposal.questions, *tried.problems))
    written = _write(plan.settings.folder / "mappings", proposal, as_yaml(proposal, name, _found(table)))
    return _told(plan, proposal, table, tried, written)


def _check(plan: Plan, wish: Wish) -> None:
    if wish.feed is not None and not _SAFE_NAME.fullmatch(wish.feed):
        raise OrderdropError(f"'{wish.feed}' is no name for a feed: use letters, digits, - and _, 64 at most.")
    if wish.kind is not None and wish.kind not in RECORD_KINDS:
        known = ", ".join(RECORD_KINDS)
        raise OrderdropError(f"'{wish.kind}' is no record kind.{nearest(wish.kind, RECORD_KINDS)} Known: {known}.")
    unknown = [name for name in wish.to if name not in plan.accounts]
    if unknown:
        raise OrderdropError(f"There is no account '{unknown[0]}'. Known: {', '.join(plan.accounts) or 'none'}.")


def _opened(sample: Path, sheet: str | None) -> tuple[Table, Paired | None]:
    """The sample as a table; two of its sheets that belong together as one, where no sheet is named."""
    if not sample.is_file():
        raise OrderdropError(f"There is no file {sample}.")
    try:
        return open_table(sample, Hints(sheet=sheet)), None
    except FileRefused as refused:
        pair = paired_sheets(sample, refused.choices) if sheet is None and len(refused.choices) > 1 else None
        if pair is not None:
            return pair.table, pair
        way = " Name the sheet with --sheet." if refused.code == "which_sheet" else f" {refused.advice}"
        raise OrderdropError(f"{sample.name} cannot be read as a table: {refused.message}{way}") from None


def _proposed(table: Table, name: str, wish: Wish, pair: Paired | None) -> Proposal:
    columns, shape = shaped_columns_of(table)
    sheet = pair.sheet if pair else wish.sheet
    found = propose(columns, name, wish.kind, wish.feed, sheet, shape)
    if pair is None:
        return found
    asked = (pair.question,) if pair.question else ()
    if pair.pattern is not None:
        found = replace(found, patterns=(pair.pattern,))
    return replace(found, join=pair.join, joined=pair.why, questions=(*found.questions, *asked))


def _is_better(joined: Proposal, alone: Proposal) -> bool:
    return joined.kind == "order" and (alone.kind != "order" or len(joined.missing) < len(alone.missing))


def _found(table: Table) -> str:
    told = table.found
    parts = (told.format, told.encoding, told.delimiter and f"delimiter {told.delimiter!r}", told.sheet)
    return ", ".join([*filter(None, parts), f"header in row {told.header_row}"])


# --- where the records may go ------------------------------------------------------------------------------------


def _places(plan: Plan, proposal: Proposal, wanted: Sequence[str]) -> tuple[tuple[DeliverTo, ...], tuple[str, ...]]:
    """One operation of each account that takes this kind; which of several accounts is meant only a person knows."""
    fitting = {name: found for name, account in plan.accounts.items() if (found := _operation(account, proposal.kind))}
    chosen = {name: fitting.get(name, "") for name in wanted} if wanted else fitting
    idle = [name for name, operation in chosen.items() if not operation]
    if idle:
        raise OrderdropError(f"The account {idle[0]} has no operation that takes {proposal.kind} records.")
    places = tuple(DeliverTo(name, operation) for name, operation in chosen.items())
    if len(places) == 1 or wanted:
        return places, ()
    if not places:
        return (), (f"deliver: no account of this project takes {proposal.kind} records. Say where they go.",)
    names = ", ".join(place.account for place in places)
    several = f"deliver: {len(places)} accounts take {proposal.kind} records ({names})."
    return places, (f"{several} Keep those that are meant, or name them, as in --to {places[0].account}.",)


def _operation(account: Account, kind: str) -> str:
    """The operation of an account that makes such a record, "" when it has none that works as it is set up."""
    taking = [name for name in account.operation_names if _takes(account, name, kind)]
    first = [name for name in _FIRST_OPERATIONS if name in taking]
    return next(iter(first or taking), "")


def _takes(account: Account, operation: str, kind: str) -> bool:
    try:
        return kind in account.operation(operation, {}).kinds
    except SetupError:
        return False


def _neighbours(plan: Plan, proposal: Proposal, file_name: str) -> Iterator[str]:
    try:
        taken = match_feed(plan.mappings, file_name).feed
    except FileRefused:
        taken = ""
    if taken:
        yield f"files: names like this belong to the feed {taken} already, so two would fit. Make one pattern narrower."
    if proposal.feed.casefold() in {name.casefold() for name in plan.mappings}:
        yield f"feed: the feed {proposal.feed} is there already. Replace its mapping by hand, or choose another --name."


# --- does it hold? -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Tried:
    """What became of the sample's rows; ``problems`` are what a person must know before the mapping is used."""

    rows: Mapping[str, int]
    reasons: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def _tried(plan: Plan, table: Table, text: str, proposal: Proposal) -> _Tried:
    """Prove the text and read the sample with it, as a run would, sending nothing."""
    mapping, problems = _proved(text)
    if mapping is None:
        known = {"fields", "deliver"} if proposal.missing or not proposal.places else set()
        told = [line for line in problems if line.partition(":")[0] not in known]
        return _Tried({}, problems=tuple(told))
    try:
        checked = judge(plan, Recognised(mapping, _first_rows(table), returned=False)).checked
    except (FileRefused, SetupError) as problem:
        return _Tried({}, problems=(f"The sample itself would be refused: {problem}",))
    rows = {
        "read": checked.read,
        "accepted": checked.accepted,
        "rejected": checked.rejected,
        "skipped": checked.skipped,
    }
    reasons = _reasons(checked.rejections)
    none_good = checked.read > checked.skipped and not checked.accepted
    return _Tried(rows, reasons, ("Not one row of the sample would be accepted.",) if none_good else ())


def _proved(text: str) -> tuple[FeedMapping | None, list[str]]:
    with tempfile.TemporaryDirectory(prefix="orderdrop-feed-") as folder:
        path = Path(folder) / "mappings" / "proposal.yaml"
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
        try:
            return load_mapping(path), []
        except SetupError as problem:
            return None, [line.removeprefix("mappings/proposal.yaml: ") for line in str(problem).splitlines()]


def _first_rows(table: Table) -> Table:
    def blocks(_size: int) -> Iterator[Block]:
        return islice(table.blocks(SAMPLE_ROWS), 1)

    return msgspec.structs.replace(table, blocks=blocks)


def _reasons(rejections: Sequence[Rejection]) -> tuple[str, ...]:
    """Each kind of trouble once, the most frequent first, with its count and one example."""
    first = {(r.code, r.column): r for r in reversed(rejections)}
    counted = Counter((r.code, r.column) for r in rejections).most_common(5)
    return tuple(f"{number} × {first[pair].message}" for pair, number in counted)


# --- writing and telling -----------------------------------------------------------------------------------------


def _write(folder: Path, proposal: Proposal, text: str) -> Path:
    """Write to the first name that is free; nothing is ever overwritten."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in _names(folder, proposal):
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            continue
        return path
    raise AssertionError("the names never end")


def _names(folder: Path, proposal: Proposal) -> Iterator[Path]:
    if not proposal.questions:
        yield folder / f"{proposal.feed}.yaml"
    yield folder / f"{proposal.feed}.proposal.yaml.txt"
    number = 2
    while True:
        yield folder / f"{proposal.feed}.proposal-{number}.yaml.txt"
        number += 1


def _told(plan: Plan, proposal: Proposal, table: Table, tried: _Tried, written: Path) -> dict[str, Any]:
    rules = {rule.column.at: rule for rule in reversed(proposal.rules)}
    fields: dict[int, list[str]] = {}
    for rule in proposal.rules:
        fields.setdefault(rule.column.at, []).append(rule.field)
    seen = sorted({c.at: c for c in (*proposal.left, *(r.column for r in proposal.rules))}.items())
    return {
        "feed": proposal.feed,
        "record": proposal.kind,
        "layout": proposal.layout,
        "shape": proposal.shape.why if proposal.shape else "",
        "join": proposal.joined,
        "file": written.relative_to(plan.settings.folder).as_posix(),
        "live": written.suffix == ".yaml",
        "found": _found(table),
        "columns": [
            {
                "column": column.header,
                "fields": fields.get(at, []),
                "confidence": rules[at].sure if at in rules else 0.0,
                "parse": rules[at].rule.get("parse", "") if at in rules else "",
                "format": rules[at].rule.get("format", "") if at in rules else "",
                "examples": list(examples(column.look, rules[at].field if at in rules else "")),
                "why": rules[at].why if at in rules else "",
            }
            for at, column in seen
        ],
        "missing": list(proposal.missing),
        "deliver": [{"account": to.account, "operation": to.operation} for to in proposal.places],
        "decide": list(proposal.questions),
        "rows": dict(tried.rows),
        "problems": list(tried.reasons),
    }
