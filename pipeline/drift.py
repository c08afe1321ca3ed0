"""A file whose columns are no longer those of its mapping: what was probably renamed, and a mapping that says so."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.closing.correction import is_correction
from pipeline.errors import FileRefused, SetupError
from pipeline.fields import RECORD_KINDS
from pipeline.joining import open_joined, open_other
from pipeline.mapping.spec import FeedMapping, load_mapping, match_feed
from pipeline.mapping.texts import fold
from pipeline.project import Project
from pipeline.proposing.amend import amended, reworded
from pipeline.proposing.content import look
from pipeline.proposing.matching import Seen
from pipeline.proposing.renamed import Lacking, Renamed, alike, likeliest, new_fields
from pipeline.reading import open_table
from pipeline.recognise import mapping_hints, peek, unfolding_of
from pipeline.renamed_sheet import renamed_sheets
from pipeline.reshaped import Change, Reshaped, reshaped, sentences
from pipeline.sampling import columns_of, understood

_DRIFTED = ("missing_column", "unmapped_columns", "columns_go_on", "no_such_sheet")
_ALIKE, _CLEAR = 0.75, 0.75
_MOST_COLUMNS = 100  # a file with more unknown columns is another file


@dataclass(frozen=True, slots=True)
class Drift:
    """What differs: ``renamed`` columns, what the file ``lack``s, the header of each field that is probably ``added``.

    ``strange`` are the new columns no field was found for, where the mapping refuses unknown ones.
    """

    renamed: tuple[Renamed, ...]
    lack: tuple[Lacking, ...]
    added: dict[str, str]
    strange: tuple[str, ...]


def with_proposal(project: Project, path: Path, subfolder: str | None, refused: FileRefused) -> FileRefused:
    """The same refusal, naming likely columns and a proposed mapping, where the columns of the file have changed."""
    if refused.code not in _DRIFTED:
        return refused
    try:
        return _explained(project, path, subfolder, refused)
    except Exception:  # noqa: BLE001 - a proposal is a courtesy: whatever is odd about the file, the refusal stands
        return refused


def _explained(project: Project, path: Path, subfolder: str | None, refused: FileRefused) -> FileRefused:
    peeked = peek(path)
    if peeked is not None and is_correction(peeked.header):
        return refused
    mapping = match_feed(project.plan.mappings, path.name, subfolder)
    source = _source(project.folder / "mappings", mapping.feed)
    text = source.read_text(encoding="utf-8-sig") if source else ""
    sheets = renamed_sheets(path, mapping, mapping_hints(mapping), refused.choices)
    text, mapping = _reworded(text, mapping, sheets)
    hints = mapping_hints(mapping)
    pattern = next(iter(mapping.files.pattern), "")
    other = open_other(path, mapping.join, pattern)[0] if mapping.join else None
    shape = reshaped(mapping, open_table(path, hints), other)
    text, meant = _reworded(text, mapping, shape.changes)
    is_meant = meant is not mapping or not shape.changes
    shape = replace(shape, changes=(*sheets, *shape.changes))
    message = " ".join([refused.message, *sentences(shape)])
    if shape.gone or source is None or not is_meant:
        return FileRefused(refused.code, message, refused.advice)
    table = open_joined(path, meant, hints)
    drift = drift_of(meant, columns_of(table, unfold=unfolding_of(meant, table.header)))
    message = " ".join([message, *_sentences(drift)])
    proposal = _written(source, text, meant, shape, drift, path.name)
    if proposal is None:
        return FileRefused(refused.code, message, refused.advice)
    advice = (
        f"A changed mapping is proposed in mappings/{proposal.name}: look at it, save it as mappings/{source.name}, "
        f"then `orderdrop replay --file {shlex.quote(path.name)}`. Or restore the columns of the file."
    )
    return FileRefused(refused.code, message, advice)


def _reworded(text: str, mapping: FeedMapping, changes: Sequence[Change]) -> tuple[str, FeedMapping]:
    """The mapping's text with the changes, and what it says then; the mapping itself where that is none any more."""
    if not changes or not text:
        return text, mapping
    text = reworded(text, {change.place: change.texts for change in changes})
    return text, _mapping_of(text) or mapping


def drift_of(mapping: FeedMapping, columns: Sequence[Seen]) -> Drift:
    """Compare a mapping with the columns of a file."""
    headers = frozenset(fold(column.header) for column in columns)
    asked = [*(rule.column for rule in mapping.fields.values()), *(rule.column for rule in mapping.skip_rows_where)]
    known = {fold(text) for aliases in asked for text in aliases} | {fold(text) for text in mapping.ignore_columns}
    unused = [column for column in columns if column.header.strip() and fold(column.header) not in known]
    lacking = list(_lacking(mapping, headers))
    renamed = likeliest(lacking, unused, mapping.record)
    left = [column for column in unused if column not in [r.column for r in renamed]]
    meant = new_fields(left, mapping.record, mapping.fields) if mapping.strict else {}
    return Drift(
        renamed=tuple(renamed),
        lack=tuple(gap for gap in lacking if gap not in [r.lacking for r in renamed] and _is_missed(mapping, gap)),
        added={field: header for header, (field, _) in meant.items()},
        strange=tuple(column.header for column in left if mapping.strict and column.header not in meant),
    )


def _lacking(mapping: FeedMapping, headers: frozenset[str]) -> Iterator[Lacking]:
    """Each set of aliases the file has none of, once, with the fields it feeds."""
    fields: dict[tuple[str, ...], list[str]] = {}
    for name, rule in mapping.fields.items():
        if rule.column and not headers & {fold(text) for text in rule.column}:
            fields.setdefault(rule.column, []).append(name)
    for skip in mapping.skip_rows_where:
        if not headers & {fold(text) for text in skip.column}:
            fields.setdefault(skip.column, [])
    return (Lacking(aliases, tuple(names)) for aliases, names in fields.items())


def _is_missed(mapping: FeedMapping, gap: Lacking) -> bool:
    return not gap.fields or not all(mapping.fields[name].optional for name in gap.fields)


def _sentences(drift: Drift) -> Iterator[str]:
    if drift.renamed:
        pairs = (f"'{r.lacking.aliases[0]}' is now '{r.column.header}' ({r.sure:.2f})" for r in drift.renamed)
        yield f"Most likely {', '.join(pairs)}."
    if drift.added:
        pairs = (f"'{header}' may be {field}" for field, header in drift.added.items())
        yield f"New columns: {', '.join(pairs)}."
    needed = [f"'{gap.aliases[0]}'" for gap in drift.lack]
    if needed:
        yield f"Nothing in the file looks like {', '.join(needed)}."


# --- the proposed mapping ----------------------------------------------------------------------------------------


def _written(
    original: Path, text: str, mapping: FeedMapping, shape: Reshaped, drift: Drift, file_name: str
) -> Path | None:
    """The proposal beside the feed's mapping file ``original``; ``None`` when there is nothing to propose.

    ``text`` is that of the mapping with the changes of its ``shape`` made.
    """
    optional = [name for gap in drift.lack for name in gap.fields if _can_miss(mapping, name)]
    undecided = list(_open(mapping, drift))
    if not (shape.changes or drift.renamed or drift.added or (optional and not undecided)):
        return None  # where nothing fits, it is another file, and no change of the mapping is what it needs
    renamed = {r.lacking.aliases: r.column.header for r in drift.renamed}
    text = amended(text, renamed, optional, drift.added)
    if _mapping_of(text) is None:
        return None
    return _kept(original.parent, mapping.feed, _heading(mapping, shape, drift, optional, file_name) + text)


def _source(folder: Path, feed: str) -> Path | None:
    for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
        try:
            if load_mapping(path).feed == feed:
                return path
        except SetupError:
            continue
    return None


def _can_miss(mapping: FeedMapping, name: str) -> bool:
    spec = RECORD_KINDS[mapping.record].get(name)
    return not mapping.fields[name].optional and (spec is None or not spec.required) and name not in mapping.key


def _heading(mapping: FeedMapping, shape: Reshaped, drift: Drift, optional: Sequence[str], file_name: str) -> str:
    told = [f"Proposed because the columns of {file_name} have changed. To accept it, save it in place of the mapping."]
    told += [f"{c.place[0]}: '{c.now}' takes the place of '{c.was}' ({c.sure:.2f})." for c in shape.changes]
    told += [f"'{r.column.header}' takes the place of '{r.lacking.aliases[0]}' ({r.sure:.2f})." for r in drift.renamed]
    told += [f"{name} may be missing from now on." for name in optional]
    told += [f"'{header}' becomes {field}." for field, header in drift.added.items()]
    told += [f"A PERSON MUST DECIDE: nothing in the file looks like {name}." for name in _open(mapping, drift)]
    told += [f"A PERSON MUST DECIDE: map the column '{header}', or ignore it." for header in drift.strange]
    return "".join(f"# {' '.join(line.split())}\n" for line in told)


def _open(mapping: FeedMapping, drift: Drift) -> Iterator[str]:
    for gap in drift.lack:
        if not gap.fields:
            yield f"'{gap.aliases[0]}' of skip_rows_where"
        yield from (name for name in gap.fields if not _can_miss(mapping, name))


def _mapping_of(text: str) -> FeedMapping | None:
    """What the changed text says, ``None`` when it is no mapping any more."""
    with tempfile.TemporaryDirectory(prefix="orderdrop-drift-") as folder:
        path = Path(folder) / "proposal.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            return load_mapping(path)
        except SetupError:
            return None


def _kept(folder: Path, feed: str, text: str) -> Path:
    """The proposal under the first name that is free, or that holds the very same proposal already."""
    number = 1
    while True:
        path = folder / (f"{feed}.proposal.yaml.txt" if number == 1 else f"{feed}.proposal-{number}.yaml.txt")
        if not path.exists():
            path.write_text(text, encoding="utf-8")
            return path
        if _body(path.read_text(encoding="utf-8")) == _body(text):
            return path
        number += 1


def _body(text: str) -> str:
    """A proposal without its first line, which names the file of the day."""
    return text.partition("\n")[2]


# --- columns nobody asked for, in a file that is taken ------------------------------------------------------------


def likely_meanings(mapping: FeedMapping, bound: Collection[str], unmapped: Sequence[str]) -> dict[str, str]:
    """What unknown columns of a file that is taken in may be, by header text, in words; nothing where it is unclear."""
    if len(unmapped) > _MOST_COLUMNS:
        return {}
    gone = {n: r.column for n, r in mapping.fields.items() if r.column and n not in bound}
    told = {}
    for header in unmapped:
        near = [(max(alike(text, header) for text in aliases), name) for name, aliases in gone.items()]
        likeness, name = max(near, default=(0.0, ""))
        if likeness >= _ALIKE:
            told[header] = f"'{gone[name][0]}' renamed, which is {name}"
    seen = [Seen(at, header, look((), understood)) for at, header in enumerate(unmapped) if header not in told]
    for header, (field, sure) in new_fields(seen, mapping.record, mapping.fields).items():
        if sure >= _CLEAR:
            told[header] = field
    return told
