"""pandera judges the typed cells; every failure is led back to its row, and a bad neighbour changes no verdict."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeline.checking.orders import faulty_in_order, kind_in_words
from pipeline.checking.sheet import NO_GROUP, Sheet, text_of
from pipeline.errors import SetupError
from pipeline.model import Rejection
from pipeline.reasons import reject, shown

Failure = tuple[str | None, str, str, str, list[int]]
"""Field (``None``: the row as a whole), code, what is wrong, what to do, row numbers."""


def judge(sheet: Sheet, schema: Any) -> set[int]:  # noqa: ANN401 - pandera gives its schemas no usable type
    """Add a rejection for every cell or row the schema refuses; ``SetupError`` when the schema itself cannot judge."""
    from pandera.errors import SchemaErrors

    sound = ~sheet.unsound
    frame = pd.DataFrame(
        {name: cells[sound] for name, cells in sheet.cells.items()}, index=sheet.rows[sound], dtype=object
    )
    unsettled: set[int] = set()
    if frame.empty:
        return unsettled
    position = {row: at for at, row in enumerate(sheet.rows.tolist())}
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as found:
        rejected_before = set(sheet.rejected)
        for error in found.schema_errors:
            field, code, sentence, advice, rows = _failure(error, sheet)
            failed = [position[row] for row in rows]
            for at in _to_name(sheet, field, code, failed, rejected_before):
                sheet.add(at, _rejection(sheet, at, field, code, sentence, advice))
            if field is not None and sheet.at_record_level(field):
                unsettled.update(sheet.group[failed].tolist())
    except Exception as problem:
        raise SetupError(f"schemas/{sheet.rules.kind}.py cannot judge: {problem}") from problem
    return unsettled


def _failure(error: Any, sheet: Sheet) -> Failure:  # noqa: ANN401 - pandera.errors.SchemaError
    """One failed check of pandera with the rows it failed."""
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
    check = error.check
    code = str(getattr(check, "name", None) or "failed_check")
    said = str(getattr(check, "error", None) or code)
    sentence = f"does not pass the check {said}" if said.startswith(code) else said  # pandera's own: gt(0)
    return field, code, sentence, str(getattr(check, "description", None) or "Correct the value."), rows


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
