"""Ledger against a target's own list: what is missing there, what is extra, what differs. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from pipeline.ledger.standing import Known, Standing
from pipeline.model import DeliveryState, Record, Value
from pipeline.targets.contract import Listed

Standings = Mapping[tuple[str, str], Standing]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that the ledger and the target both tell, and tell differently."""

    standing: Standing
    remote_id: str
    field: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """How one account fares. ``checked`` records of the ledger were looked for; ``older`` ones were not found in the
    list and need not be in it, because they were there before the time it covers."""

    checked: int
    missing: tuple[Standing, ...]
    extra: tuple[tuple[Listed, str], ...]
    differing: tuple[Difference, ...]
    older: int


def compare(
    known: Known,
    listed: Sequence[Listed],
    span: tuple[float, float],
    content_of: Callable[[Standing], Record],
    listed_from: float = 0.0,
) -> Comparison:
    """Compare what the ledger knows with a whole list; a record we made within ``span`` (seconds since 1970) has to be
    in it, unless its own date lies before ``listed_from``: some targets list by the date an order bears."""
    matched, extra = _match(known.standings, listed)
    there = [one for one in known.standings.values() if one.content is not None]
    unlisted = [one for one in there if (one.kind, one.key) not in matched]
    missing = [one for one in unlisted if _made_within(one, span) and (one.dated or listed_from) >= listed_from]
    seen = [(one, matched[one.kind, one.key]) for one in there if (one.kind, one.key) in matched]
    return Comparison(
        checked=len(seen) + len(missing),
        missing=tuple(missing),
        extra=tuple((entry, why) for entry, why in extra if (entry.kind, entry.key) not in known.others),
        differing=tuple(d for one, entry in seen for d in _differences(one, entry, content_of)),
        older=len(unlisted) - len(missing),
    )


def _made_within(one: Standing, span: tuple[float, float]) -> bool:
    begun, made = one.begun_at, one.made_at
    return begun is not None and made is not None and span[0] <= begun and made <= span[1]


def _match(ours: Standings, listed: Sequence[Listed]) -> tuple[dict[tuple[str, str], Listed], list[tuple[Listed, str]]]:
    by_remote_id = {(one.kind, remote): one for one in ours.values() for remote in one.remote_ids}
    by_key = {(one.kind, one.natural_key): one for one in ours.values()} | dict(ours)
    matched: dict[tuple[str, str], Listed] = {}
    extra: list[tuple[Listed, str]] = []
    # The entry with the id we were given is ours; a second one under the same key is the stranger.
    for entry in _ours_first(listed, by_remote_id):
        standing = by_remote_id.get((entry.kind, entry.remote_id)) or by_key.get((entry.kind, entry.key))
        why = _why_extra(standing, entry, matched)
        if why:
            extra.append((entry, why))
        elif standing is not None:
            matched.setdefault((standing.kind, standing.key), entry)
    return matched, extra


def _ours_first(listed: Sequence[Listed], by_remote_id: Mapping[tuple[str, str], Standing]) -> Iterable[Listed]:
    return sorted(listed, key=lambda entry: (entry.kind, entry.remote_id) not in by_remote_id)


def _why_extra(standing: Standing | None, entry: Listed, matched: Mapping[tuple[str, str], Listed]) -> str:
    if standing is None:
        return "the ledger does not know it"
    before = matched.get((standing.kind, standing.key))
    if before is not None and before.remote_id != entry.remote_id:
        return f"the same key is there twice: {before.remote_id} and {entry.remote_id}"
    if standing.content is None and standing.state == DeliveryState.REFUSED:
        return "the ledger counts it as refused"
    return ""


# --- facts -------------------------------------------------------------------------------------------------------


def _differences(one: Standing, entry: Listed, content_of: Callable[[Standing], Record]) -> Iterator[Difference]:
    if entry.key and entry.key not in {one.key, one.natural_key}:
        yield Difference(one, entry.remote_id, "record key", one.key, entry.key)
    # While an update is in doubt nobody knows which content is there.
    if not entry.facts or one.state == DeliveryState.IN_DOUBT:
        return
    record = content_of(one)
    for name, theirs in sorted(entry.facts.items()):
        ours = _own(record, name)
        if ours is not None and not same(ours, theirs):
            yield Difference(one, entry.remote_id, name, _shown(ours), theirs)


def _own(record: Record, name: str) -> Value:
    if name.startswith("extra."):
        return record.extra().get(name.removeprefix("extra."))
    value = record.fields.get(name)
    return None if value == "" else value


def same(ours: Value, theirs: str) -> bool:
    """Whether a target's text tells the value of a record: amounts as numbers, times as instants, texts as people read
    them (letter case and spaces do not count)."""
    match ours:
        case bool():
            return theirs.strip().casefold() in ({"true", "1", "yes"} if ours else {"false", "0", "no", ""})
        case Decimal() | int():
            return _number(theirs) == Decimal(ours)
        case datetime():
            return _same_time(ours, theirs.strip())
        case date():
            return theirs.strip()[:10] == ours.isoformat()
    return _plain(str(ours)) == _plain(theirs)


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        return None


def _same_time(ours: datetime, theirs: str) -> bool:
    try:
        told = datetime.fromisoformat(theirs)
    except ValueError:
        return False
    if len(theirs) == 10:
        return told.date() in {ours.date(), ours.astimezone(UTC).date()}
    return told.tzinfo is not None and abs((told - ours).total_seconds()) < 1


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _shown(value: Value) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)
