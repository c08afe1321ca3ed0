"""pandera judges the typed cells; every failure is led back to its row, and a bad neighbour changes no verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from pipeline.arrow import with_pandas
from pipeline.checking.orders import faulty_in_order, kind_in_words
from pipeline.checking.plain_schema import PlainSchema
from pipeline.checking.sheet import NO_GROUP, Sheet, text_of
from pipeline.coded import Cells, Coded, Mask, Positions
from pipeline.errors import SetupError
from pipeline.model import Rejection
from pipeline.reasons import reject, shown

Failure = tuple[str | None, str, str, str, list[int]]
"""Field (``None``: the row as a whole), code, what is wrong, what to do, which rows (by position)."""


def judge(sheet: Sheet, schema: Any) -> set[int]:  # noqa: ANN401 - pandera gives its schemas no usable type
    """Add a rejection for every cell or row the schema refuses; ``SetupError`` when the schema itself cannot judge."""
    unsettled: set[int] = set()
    rejected_before = set(sheet.rejected)
    for field, code, sentence, advice, failed in _failures(sheet, schema):
        for at in _to_name(sheet, field, code, failed, rejected_before):
            sheet.add(at, _rejection(sheet, at, field, code, sentence, advice))
        if field is not None and sheet.at_record_level(field):
            unsettled.update(sheet.group[failed].tolist())
    return unsettled


def _failures(sheet: Sheet, schema: Any) -> Iterator[Failure]:  # noqa: ANN401 - as above
    """What the schema refuses. Where a verdict hangs on the cell alone, each distinct cell is judged once, and by the
    check itself: the report that pandera makes of it tells no more, and takes longer than the check.
    """
    sound = np.flatnonzero(~sheet.unsound)
    if not len(sound):
        return
    alone, rest = _halves(_Held(schema), frozenset(sheet.cells))
    for name in alone:
        cells = sheet.cells[name]
        for check, refused in _refused_alone(sheet, schema.columns[name], cells, sound):
            yield name, *_words(check), sound[refused[cells.codes[sound]]].tolist()
    if rest is not None:
        whole = {name: column.objects(sound) for name, column in sheet.cells.items()}
        for field, code, sentence, advice, numbers in _refused(sheet, rest, whole):
            yield field, code, sentence, advice, sound[numbers].tolist()


class _Held:
    """A schema as a key: pandera's own have no hash. Held by the key, it stays the same one."""

    __slots__ = ("schema",)

    def __init__(self, schema: Any) -> None:  # noqa: ANN401 - as above
        self.schema = schema

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.schema is self.schema

    def __hash__(self) -> int:
        return id(self.schema)


@lru_cache(maxsize=32)
def _halves(held: _Held, names: frozenset[str]) -> tuple[list[str], Any]:
    """Of the columns that are there: those judged cell by cell, and a schema of all else (``None``: nothing).

    pandera copies a schema deeply to leave a column out, which takes longer than judging a file of one row.
    """
    schema = held.schema
    if isinstance(schema, PlainSchema):
        return [name for name in schema.columns if name in names], None
    alone = [name for name, column in schema.columns.items() if name in names and _is_cell_by_cell(column)]
    rest = schema.remove_columns(alone)
    idle = not rest.checks and not any(name in names or column.regex for name, column in rest.columns.items())
    return alone, None if idle else rest


def _is_cell_by_cell(column: Any) -> bool:  # noqa: ANN401 - a pandera Column
    checked = all(getattr(check, "cell_by_cell", False) for check in column.checks)
    return bool(checked and column.nullable and not column.regex)


def _refused_alone(
    sheet: Sheet,
    column: Any,  # noqa: ANN401 - as above
    cells: Coded,
    sound: Positions,
) -> Iterator[tuple[Any, Mask]]:
    """The checks of a column that refuse some of the values of sound rows, and which; an empty cell has none."""
    there = np.zeros(cells.distinct, dtype=bool)
    there[cells.codes[sound]] = True
    there[0] = False
    for check in column.checks:
        passed = check.surely(cells)
        open_ = np.flatnonzero(there if passed is None else there & ~passed)
        if not len(open_):
            continue
        try:
            refused = ~np.fromiter(map(check.passes, cells.chosen(open_)), bool, len(open_))
        except Exception as problem:
            raise SetupError(f"schemas/{sheet.rules.kind}.py cannot judge: {problem}") from problem
        if refused.any():
            whole = np.zeros(cells.distinct, dtype=bool)
            whole[open_[refused]] = True
            yield check, whole


def _refused(sheet: Sheet, schema: Any, cells: Mapping[str, Cells]) -> list[Failure]:  # noqa: ANN401 - as above
    """What pandera refuses of columns of cells."""
    import pandas as pd
    from pandera.errors import SchemaErrors

    with_pandas()
    try:
        schema.validate(pd.DataFrame(cells, dtype=object), lazy=True)
    except SchemaErrors as found:
        return [_failure(error, sheet) for error in found.schema_errors]
    except Exception as problem:
        raise SetupError(f"schemas/{sheet.rules.kind}.py cannot judge: {problem}") from problem
    return []


def _failure(error: Any, sheet: Sheet) -> Failure:  # noqa: ANN401 - pandera.errors.SchemaError
    """One failed check of pandera with the rows it failed."""
    import pandas as pd

    name = getattr(error.schema, "name", None)
    field = name if name in sheet.cells else None
    if error.reason_code is not None and error.reason_code.name == "SERIES_CONTAINS_NULLS":
        rows = [int(row) for row in error.failure_cases["index"]]
        return field, "missing_value", "", "", rows
    output = error.check_output
    if not isinstance(output, pd.Series | pd.DataFrame) or error.reason_code.name == "CHECK_ERROR":
        raise SetupError(f"schemas/{sheet.rules.kind}.py cannot judge rows one by one: {shown(str(error), 300)}")
    passed = output.all(axis=1) if isinstance(output, pd.DataFrame) else output
    rows = [int(row) for row in passed.index[~passed.to_numpy(dtype=bool)]]
    return field, *_words(error.check), rows


def _words(check: Any) -> tuple[str, str, str]:  # noqa: ANN401 - a pandera Check, or the name of one
    """The code of a check, what is wrong where it fails, and what to do."""
    code = str(getattr(check, "name", None) or "failed_check")
    said = str(getattr(check, "error", None) or code)
    sentence = f"does not pass the check {said}" if said.startswith(code) else said  # pandera's own: gt(0)
    return code, sentence, str(getattr(check, "description", None) or "Correct the value.")


def _to_name(sheet: Sheet, field: str | None, code: str, positions: list[int], rejected_before: set[int]) -> list[int]:
    """The failed positions to name: those whose own cell is to blame, not those it was filled into."""
    if field is None:  # a check over several columns would stumble over cells that could not be read
        return [at for at in positions if at not in rejected_before]
    excused = faulty_in_order(sheet, field) if code == "missing_value" else sheet.faulty(field)
    failed = [at for at in positions if not excused[at]]
    if not sheet.is_order or not sheet.at_record_level(field):
        return failed
    stated = [at for at in failed if sheet.stated[field][at]]
    told = {int(sheet.group[at]) for at in stated} - {NO_GROUP}
    return sorted(stated + _one_each(sheet, [at for at in failed if not sheet.stated[field][at]], told))


def _one_each(sheet: Sheet, positions: list[int], told: set[int]) -> list[int]:
    """The first position of each order that is not told yet."""
    first: dict[int, int] = {}
    for at in positions:
        first.setdefault(int(sheet.group[at]), at)
    return [at for group, at in first.items() if group not in told]


def _rejection(sheet: Sheet, at: int, field: str | None, code: str, sentence: str, advice: str) -> Rejection:
    row = sheet.row_at(at)
    header, label = sheet.rules.place(field, int(sheet.rows[at])) if field else (None, None)
    if code == "missing_value":
        return reject(row, header, None, code, field=field, label=label, kind=kind_in_words(sheet))
    value = None if field is None or sheet.cells[field][at] is None else text_of(sheet.cells[field][at])
    named = f"'{shown(value)}' in '{shown(label or header or field or '')}'" if value is not None else "The row"
    return Rejection(row, header, value, code, f"{named} {sentence.rstrip('.')}.", advice, field)
