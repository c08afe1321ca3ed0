"""``schemas/<kind>.py`` loaded and proved: what a valid record is, in the operator's own Python."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.checking.plain_schema import plain_schema
from pipeline.errors import SetupError, nearest
from pipeline.fields import RECORD_KINDS

_PACKAGE = Path(__file__).parent.parent
_PACKAGED = (_PACKAGE / "starter_files" / "schemas", _PACKAGE.parent / "schemas")


def load_schemas(folder: Path) -> dict[str, Any]:
    """The schema of every record kind, by kind, for the project in ``folder``."""
    return {kind: load_schema(folder, kind) for kind in RECORD_KINDS}


def load_schema(folder: Path, kind: str) -> Any:  # noqa: ANN401 - a pandera DataFrameSchema
    """The schema of one record kind: the project's own ``schemas/<kind>.py``, else the one that comes with
    the product.

    Raises ``SetupError`` when there is none, when it cannot be run, or when it would change or drop rows.
    """
    path = _path(folder, kind)
    return _proved(path, kind, _stamps(path.parent))


def schema_to_judge_by(folder: Path, kind: str) -> Any:  # noqa: ANN401 - a PlainSchema or a pandera DataFrameSchema
    """The same for whoever only judges by it: where the file holds columns of ours alone, pandera is not loaded."""
    path = _path(folder, kind)
    return _plain_or_proved(path, kind, _stamps(path.parent))


@lru_cache(maxsize=16)
def _plain_or_proved(path: Path, kind: str, as_of: tuple[tuple[str, int, int], ...]) -> Any:  # noqa: ANN401 - as above
    plain = plain_schema(path)
    if plain is not None and all(_is_known(name, kind) for name in plain.columns):
        return plain
    return _proved(path, kind, as_of)


@lru_cache(maxsize=16)
def _proved(path: Path, kind: str, _as_of: tuple[tuple[str, int, int], ...]) -> Any:  # noqa: ANN401 - as above
    """Run and proved once for as long as no file beside it changes: thousands of small files may come in one pass."""
    schema = _run(path).get("schema")
    problems = list(_problems(schema, kind))
    if problems:
        raise SetupError("\n".join(f"schemas/{path.name}: {problem}." for problem in problems))
    return schema


def _path(folder: Path, kind: str) -> Path:
    _refuse_strangers(folder / "schemas")
    path = next((p for p in _places(folder, kind) if p.is_file()), None)
    if path is None:
        raise SetupError(f"schemas/{kind}.py is missing; `orderdrop init` shows the one that comes with the product.")
    return path


def _stamps(schemas: Path) -> tuple[tuple[str, int, int], ...]:
    """What tells that a schema, or what it imports from beside it, was changed."""
    found = ((path.name, path.stat()) for path in sorted(schemas.glob("*.py")))
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in found)


def _places(folder: Path, kind: str) -> Iterator[Path]:
    for schemas in (folder / "schemas", *_PACKAGED):
        yield schemas / f"{kind}.py"


def _refuse_strangers(schemas: Path) -> None:
    """A misspelt file name would silently be without effect."""
    for path in sorted(schemas.glob("*.py")) if schemas.is_dir() else ():
        if path.stem not in RECORD_KINDS and not path.name.startswith(("_", ".")):
            raise SetupError(f"schemas/{path.name} is named like no record kind.{nearest(path.stem, RECORD_KINDS)}")


def _run(path: Path) -> dict[str, Any]:
    try:
        return runpy.run_path(str(path))
    except Exception as problem:
        line = next((f", line {n}" for n in _lines(problem, path)), "")
        raise SetupError(f"schemas/{path.name}{line}: {type(problem).__name__}: {problem}") from problem


def _lines(problem: BaseException, path: Path) -> list[int]:
    """The line numbers of a schema file that a traceback passes through, the last one first."""
    lines = [problem.lineno] if isinstance(problem, SyntaxError) and problem.lineno else []
    trace = problem.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            lines.insert(0, trace.tb_lineno)
        trace = trace.tb_next
    return lines


def _problems(schema: Any, kind: str) -> Iterator[str]:  # noqa: ANN401 - whatever the file holds
    import pandera.pandas as pa

    if not isinstance(schema, pa.DataFrameSchema):
        yield "it must define `schema`, a pandera DataFrameSchema"
        return
    if schema.coerce or schema.parsers or schema.drop_invalid_rows or schema.strict or schema.add_missing_columns:
        yield "coerce, parsers, strict, add_missing_columns and drop_invalid_rows change or hide rows"
    if schema.unique:
        yield "unique compares rows with each other; each row is judged by itself"
    known = RECORD_KINDS[kind]
    for name, column in schema.columns.items():
        if not _is_known(str(name), kind) and not column.regex:
            yield f"column '{name}': a record of kind {kind} has no such field.{nearest(str(name), known)}"
        yield from _column_problems(name, column)


def _is_known(name: str, kind: str) -> bool:
    known = RECORD_KINDS[kind]
    return name in known or ("extra" in known and name.startswith("extra."))


def _column_problems(name: str, column: Any) -> Iterator[str]:  # noqa: ANN401 - a pandera Column
    if column.coerce or column.parsers or column.drop_invalid_rows or column.default is not None:
        yield f"column '{name}': coerce, parsers, default and drop_invalid_rows change or hide values"
    if column.unique:
        yield f"column '{name}': unique compares rows with each other; each cell is judged by itself"
    if column.required:
        yield f"column '{name}': write required=False (nullable=False is what asks for values)"
    if column.dtype is not None:
        yield f"column '{name}': leave the dtype out; the mapping's parsers see to the types"
