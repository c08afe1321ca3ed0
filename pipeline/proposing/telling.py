"""What a proposal says to a person on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from unicodedata import east_asian_width

from pipeline.reasons import shown

_WIDEST = 34


def told_feed(told: Mapping[str, Any]) -> str:
    """The table of columns, what a person must decide, and what to do next."""
    return "\n".join([*_head(told), "", *_table(told["columns"]), "", *_left(told["columns"]), *_next(told)])


def _head(told: Mapping[str, Any]) -> Iterator[str]:
    layout = f", the layout {told['layout']}" if told["layout"] else ""
    yield f"Feed {told['feed']}: {told['record']} records{layout} ({told['found']})."
    if told["shape"]:
        yield f"Several items in one row: {told['shape']}."
    if told["join"]:
        yield f"Two tables: {told['join']}."


def _table(columns: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    titles = ("column", "field", "sure", "read as", "examples", "why")
    rows = [titles, *(_cells(column) for column in columns if column["fields"])]
    widths = [min(_WIDEST, max(_width(row[at]) for row in rows)) for at in range(len(titles) - 1)]
    for row in rows:
        cut = (_padded(shown(cell, width), width) for cell, width in zip(row, widths, strict=False))
        yield "  ".join([*cut, row[-1]]).rstrip()


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    """Places a text takes on a terminal: Chinese and Japanese letters take two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _cells(column: Mapping[str, Any]) -> tuple[str, ...]:
    form = column["format"] if isinstance(column["format"], str) else " ".join(column["format"])
    return (
        shown(column["column"]),
        " + ".join(column["fields"]),
        f"{column['confidence']:.2f}",
        f"{column['parse']} {form}".strip(),
        ", ".join(column["examples"]),
        column["why"],
    )


def _left(columns: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    left = [column["column"].strip() or "(no header)" for column in columns if not column["fields"]]
    if left:
        yield f"No field was found for: {', '.join(shown(name, 40) for name in left)}."


def _next(told: Mapping[str, Any]) -> Iterator[str]:
    rows = told["rows"]
    if rows:
        yield f"Of {rows['read']} sample rows, {rows['accepted']} would be accepted and {rows['rejected']} rejected."
        yield from (f"  {reason}" for reason in told["problems"])
    places = ", ".join(f"{to['account']} {to['operation']}" for to in told["deliver"])
    if places:
        yield f"Records would go to: {places}."
    if told["live"]:
        yield f"Written to {told['file']}, and in force from the next run on. Look at it with `orderdrop preview`."
        return
    yield "A person must decide:"
    yield from (f"  - {question}" for question in told["decide"])
    yield (
        f"Written to {told['file']}, which no run reads. When all is decided, save it as "
        f"mappings/{told['feed']}.yaml, then `orderdrop check`."
    )
