"""The parts of a mapping as frozen values: file rules, skip rules, field rules."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

_FROM_THE_START = frozenset({"pattern", "encoding", "delimiter", "quote", "sheet", "header_row"})
FILE_POLICIES = {
    "hidden_rows": ("read", "skip", "refuse"),
    "merged_cells": ("blank", "fill"),
    "totals": ("skip", "read"),
}
"""The values that policies of ``files`` may have, the default first."""


class FileRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``files``: the names of a feed's files (shell patterns, any case) and what reading need not find out itself.

    ``header_rows`` says how many rows make up the header, ``header_row`` being the last; ``footer_rows`` how many
    at the end are no records; ``below_header`` counts rows under the header that only describe it. ``hidden_rows`` is
    ``read``, ``skip`` or ``refuse``; ``merged_cells`` ``blank`` or ``fill``; ``totals`` (with repeated headers and
    closing lines) ``skip`` or ``read``.
    """

    pattern: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    header_rows: int | None = None
    footer_rows: int = 0
    below_header: int | None = None
    hidden_rows: str = "read"
    merged_cells: str = "blank"
    totals: str = "skip"

    def told(self) -> dict[str, object]:
        """What a mapping's fingerprint is made of: rules that came later count only where they are used."""
        plain = FileRules()
        said = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in said.items() if name in _FROM_THE_START or value != getattr(plain, name)}


class SkipRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``skip_rows_where``: a row is skipped when the trimmed cell of ``column`` is one of these texts."""

    column: tuple[str, ...]
    values: tuple[str, ...] = msgspec.field(name="is")


class FieldRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of ``fields``; empty values mean that the mapping does not say.

    ``column`` holds the header texts the field may come from, first choice first. ``part`` is only used by
    ``split_name``: ``first``, ``middle``, ``last``, ``full``, or ``rest`` (everything after the first name).
    ``when_empty`` is ``leave``, ``clear`` or ``reject``; of a proved mapping ``clear``, ``reject`` or ``None``.
    """

    column: tuple[str, ...] = ()
    parse: str = ""
    constant: str | None = None
    optional: bool = False
    default: str | None = None
    format: tuple[str, ...] = ()
    timezone: str | None = None
    decimal: str | None = None
    choices: Mapping[str, str] = {}
    separator: str | None = None
    part: str | None = None
    country: str | None = None
    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    when_empty: str | None = None

    def words(self) -> tuple[str, ...]:
        """The values the mapping itself gives the field: constant, default, choices."""
        own = [text for text in (self.constant, self.default) if text is not None]
        return tuple(dict.fromkeys([*own, *self.choices.values()]))
