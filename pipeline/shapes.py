"""How a file holds several lines in one row, or one record in two tables: what a mapping may declare about it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

import msgspec

NUMBER = "{n}"
"""Stands for the number of a column in ``unpivot``."""

Unpivot = Mapping[str, tuple[str, ...]]
"""Made column → the file's columns: ``("Qty {n}",)``, a header that stands several times, or the headers by name."""


class Pairs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``name:Shoe|sku:A12``: what stands between two pairs, between name and value, and the names that are wanted."""

    into: tuple[str, ...]
    between: str = "|"
    mark: str = ":"


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``split``: one cell (``column``, by any of its aliases) or parallel ``columns``, taken apart into lines.

    ``between`` stands between two items. An item is then read by ``form`` (``{SKU} x{Qty}``, first form that fits), by
    ``pairs``, or by ``json`` (made column → path); without any of them the items of each column are its values.
    ``items`` is the path to the list within one JSON text.
    """

    column: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    between: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    pairs: Pairs | None = None
    json: Mapping[str, str] = {}
    items: str | None = None

    @property
    def made(self) -> tuple[str, ...]:
        """The columns that come out of it."""
        if self.form:
            return tuple(dict.fromkeys(name for form in self.form for name in placeholders(form)))
        if self.pairs is not None:
            return self.pairs.into
        return tuple(self.json) or self.columns or self.column[:1]


def placeholders(form: str) -> tuple[str, ...]:
    """The names between braces in a form; ``ValueError`` in words where it is not one."""
    return tuple(text for text, is_name in pieces(form) if is_name)


def pieces(form: str) -> tuple[tuple[str, bool], ...]:
    """The texts of a form in their order, each with whether it is the name of a column."""
    found: list[tuple[str, bool]] = []
    rest = form
    while rest:
        literal, brace, behind = rest.partition("{")
        if "}" in literal or "{" in behind.partition("}")[0]:
            raise ValueError("its braces do not fit together")
        if literal:
            found.append((literal, False))
        if not brace:
            break
        name, closed, rest = behind.partition("}")
        if not closed or not name.strip():
            raise ValueError("write the name of a column between braces, as in {SKU}")
        if found and found[-1][1]:
            raise ValueError(f"nothing stands between {{{found[-1][0]}}} and {{{name}}}, so nobody can tell them apart")
        found.append((name.strip(), True))
    return tuple(found)


class Join(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``join``: the other table, with one row per record, in a ``sheet`` of the same workbook or in a file of its own.

    ``on``: column of the lines → column of the other table. ``files`` is the pattern of the other file; it belongs to
    the file whose name has the same text in place of ``*``. ``without_lines`` (``refuse``, ``ignore``) is about rows
    of the other table that no line asks for.
    """

    on: Mapping[str, str]
    sheet: str | None = None
    files: str | None = None
    without_lines: str = "refuse"


def same_place(pattern: str, file_name: str) -> str | None:
    """What stands in a file name in place of the only ``*`` of a pattern, ``None`` where the name does not fit.

    Case does not matter, and where the pattern leaves the ending open, neither does that: a CSV file and a workbook may
    be a pair.
    """
    name, form = (unicodedata.normalize("NFC", text).casefold() for text in (file_name, pattern))
    before, star, after = form.partition("*")
    if not star:
        return "" if name == form else None
    if not name.startswith(before) or not name.endswith(after) or len(name) < len(before) + len(after):
        return None
    found = name[len(before) : len(name) - len(after)]
    return found if after else found.rpartition(".")[0] or found
