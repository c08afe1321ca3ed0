"""The parts of a mapping as frozen values: file rules, skip rules, field rules."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class FileRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``files``: the names of a feed's files (shell patterns, any case) and what reading need not find out itself."""

    pattern: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    sheet: str | None = None
    header_row: int | None = None


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
