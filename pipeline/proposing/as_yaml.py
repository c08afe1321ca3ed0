"""A proposal as the text of a mapping file, with a comment for every column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.fields import DEFAULT_KEYS
from pipeline.proposing.examples import examples, listed
from pipeline.proposing.propose import Proposal
from pipeline.proposing.rules import Proposed
from pipeline.shapes import Join, Split


def as_yaml(proposal: Proposal, source: str, found: str) -> str:
    """The mapping; ``source`` is the sample's name, ``found`` what reading found out about it."""
    return "\n".join(_lines(proposal, _comment(source), _comment(found))) + "\n"


def _lines(proposal: Proposal, source: str, found: str) -> Iterator[str]:
    yield f"# Proposed from the sample {source} ({found})."
    if proposal.layout:
        yield f"# Its header is that of the layout {proposal.layout}."
    yield "# Each number says how sure the match is: 1 is certain. Try it with `orderdrop preview` before use."
    if proposal.questions:
        yield "#"
        yield "# A PERSON MUST DECIDE:"
        yield from (f"#   - {_comment(question)}" for question in proposal.questions)
    yield f"feed: {proposal.feed}"
    sheet = f", sheet: {quoted(proposal.sheet)}" if proposal.sheet else ""
    patterns = ", ".join(map(quoted, proposal.patterns))
    yield f"files: {{pattern: [{patterns}]{sheet}}}"
    if proposal.mark:
        yield f"decimal: {quoted(proposal.mark)}"
    yield f"record: {proposal.kind}"
    yield f"key: [{', '.join(proposal.key or DEFAULT_KEYS[proposal.kind][:1])}]"
    yield from _shape(proposal)
    yield "fields:"
    for rule in proposal.rules:
        yield from _field(rule)
    yield from (f"  # {name}: {{column: …}}   needed, and no column was found" for name in proposal.missing)
    yield from _rest(proposal)


def _shape(proposal: Proposal) -> Iterator[str]:
    shape = proposal.shape
    if proposal.fill_down:
        yield "fill_down: true"
    if proposal.join is not None:
        yield f"# {_comment(proposal.joined)}"
        yield f"join: {{{', '.join(_join(proposal.join))}}}"
    if shape is None:
        return
    yield f"# {_comment(shape.why)}"
    if shape.unpivot:
        made = ", ".join(f"{quoted(name)}: {quoted(patterns[0])}" for name, patterns in shape.unpivot.items())
        yield f"unpivot: {{{made}}}"
    if shape.split is not None:
        yield f"split: {{{', '.join(_split(shape.split))}}}"


def _join(join: Join) -> Iterator[str]:
    yield f"sheet: {quoted(join.sheet)}" if join.sheet is not None else f"files: {quoted(join.files or '')}"
    yield f"on: {_value(join.on)}"
    if join.without_lines != "refuse":
        yield f"without_lines: {join.without_lines}"


def _split(split: Split) -> Iterator[str]:
    yield f"columns: {_value(split.columns)}" if split.columns else f"column: {quoted(split.column[0])}"
    if split.between:
        yield f"between: {_value(split.between)}"
    if split.form:
        yield f"form: {quoted(split.form[0])}"
    if split.pairs is not None:
        pairs = split.pairs
        names = ", ".join(map(quoted, pairs.into))
        yield f"pairs: {{between: {quoted(pairs.between)}, mark: {quoted(pairs.mark)}, into: [{names}]}}"
    if split.items is not None:
        yield f"items: {quoted(split.items)}"
    if split.json:
        yield f"json: {_value(split.json)}"


def _field(rule: Proposed) -> Iterator[str]:
    shown = listed(examples(rule.column.look, rule.field))
    yield f"  # {rule.sure:.2f}, {_comment(rule.why)}. Examples: {_comment(shown)}"
    keys = "".join(f", {key}: {_value(value)}" for key, value in rule.rule.items())
    yield f"  {rule.field}: {{column: {quoted(rule.column.header)}{keys}}}"


def _rest(proposal: Proposal) -> Iterator[str]:
    if proposal.totals:
        column = next(r.column.header for r in proposal.rules if r.field == DEFAULT_KEYS[proposal.kind][0])
        texts = ", ".join(map(quoted, proposal.totals))
        yield f"skip_rows_where: {{column: {quoted(column)}, is: [{texts}]}}"
    named = [column for column in proposal.left if column.header.strip()]
    if named:
        yield "# Columns no field was found for. Take out what should be reported as unknown, or map it."
        yield "ignore_columns:"
        for header in dict.fromkeys(column.header for column in named):
            look = next(column.look for column in named if column.header == header)
            yield f"  - {quoted(header)}   # {_comment(listed(examples(look)))}"
    if proposal.kind == "order":
        yield "reject: order"
    yield "deliver:"
    for to in proposal.places:
        yield f"  - {{account: {quoted(to.account)}, operation: {to.operation}}}"
    if not proposal.places:
        yield "  # - {account: …, operation: …}   say where the records go"


def quoted(text: str) -> str:
    """A YAML double-quoted text; characters YAML does not allow as they are become escapes."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    if letter.isprintable():
        return letter
    return f"\\U{ord(letter):08x}" if ord(letter) > 0xFFFF else f"\\u{ord(letter):04x}"


def _value(value: str | tuple[str, ...] | Mapping[str, str]) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{quoted(key)}: {quoted(text)}" for key, text in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(quoted, value)) + "]"
    return value if value.replace("_", "").isalpha() else quoted(value)


def _comment(text: str) -> str:
    """The text on one line, as a comment needs it; what YAML does not allow as it stands is escaped."""
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in " ".join(text.split()))
