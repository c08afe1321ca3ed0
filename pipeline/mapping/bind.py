"""Which column of a file is which: header texts compared exactly first, then without regard to case and spacing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from pipeline.errors import nearest
from pipeline.mapping.spec import FeedMapping
from pipeline.mapping.texts import fold
from pipeline.reasons import refuse, shown


class Columns(Struct, frozen=True):
    """Positions from 0: of each field, and of each skip rule; and the header texts nobody asked for."""

    fields: Mapping[str, int]
    skips: tuple[int, ...]
    unmapped: tuple[str, ...]


def find_columns(mapping: FeedMapping, header: Sequence[str], also_ignore: Collection[str]) -> Columns:
    """Find every column of a mapping in a header, or refuse the file with all that is missing or repeated at once."""
    wanted = {name: rule.column for name, rule in mapping.fields.items() if rule.column}
    fields = {name: _positions(columns, header) for name, columns in wanted.items()}
    skips = [_positions(rule.column, header) for rule in mapping.skip_rows_where]
    needed = [columns for name, columns in wanted.items() if not fields[name] and not mapping.fields[name].optional]
    needed += [rule.column for rule, found in zip(mapping.skip_rows_where, skips, strict=True) if not found]
    if needed:
        raise refuse("missing_column", columns=_missing(needed, header), feed=mapping.feed)
    repeated = {shown(header[found[0]]): len(found) for found in (*fields.values(), *skips) if len(found) > 1}
    if repeated:
        raise refuse("repeated_column", columns=", ".join(f"'{name}' ({n} times)" for name, n in repeated.items()))
    used = {found[0] for found in (*fields.values(), *skips) if found}
    unmapped = tuple(_unmapped(header, used, {fold(text) for text in (*mapping.ignore_columns, *also_ignore)}))
    if unmapped and mapping.strict:
        raise refuse("unmapped_columns", columns=", ".join(f"'{shown(name)}'" for name in unmapped), feed=mapping.feed)
    return Columns({name: found[0] for name, found in fields.items() if found}, tuple(f[0] for f in skips), unmapped)


def _positions(aliases: Sequence[str], header: Sequence[str]) -> list[int]:
    """Where the first alias that the header has stands; more than one position means it is repeated."""
    for alias in aliases:
        exact = [at for at, text in enumerate(header) if text == alias]
        found = exact or [at for at, text in enumerate(header) if fold(text) == fold(alias)]
        if found:
            return found
    return []


def _missing(needed: Sequence[Sequence[str]], header: Sequence[str]) -> str:
    """``'Qty' (nearest: 'Quantity'), 'Price' or 'Unit price'``, each set of aliases once."""
    return ", ".join(dict.fromkeys(_described(aliases, header) for aliases in needed))


def _described(aliases: Sequence[str], header: Sequence[str]) -> str:
    named = " or ".join(f"the column '{shown(alias)}'" for alias in aliases)
    closest = next((hint for alias in aliases if (hint := nearest(alias, [t for t in header if t.strip()]))), "")
    return f"{named} ({closest.strip()})" if closest else named


def _unmapped(header: Sequence[str], used: Collection[int], ignored: Collection[str]) -> Iterator[str]:
    for at, text in enumerate(header):
        if at not in used and fold(text) not in ignored:
            yield text if text.strip() else f"column {at + 1} (no header)"
