"""A schema file written the plain way, understood without pandera: it says what it says in our own vocabulary only.

The plain way is that of the files that come with the product: imports, names for values, and a
``pa.DataFrameSchema({field: column})`` of columns from ``pipeline.checking.columns``. Such statements do nothing but
give values, so they are run with ``pa`` and the columns replaced by what judges without pandera. Any other file, and
any that is wrong, is run as Python, with pandera.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

import pipeline.fields
from pipeline.checking import vocabulary
from pipeline.checking.vocabulary import Column

_WORDS = {
    said.__name__: said
    for said in (
        vocabulary.text, vocabulary.number, vocabulary.one_of, vocabulary.shaped, vocabulary.country,
        vocabulary.currency, vocabulary.person, vocabulary.address,
    )
}  # fmt: skip
_PLAIN = (
    *(ast.Module, ast.Import, ast.ImportFrom, ast.alias, ast.Assign, ast.Expr, ast.Name, ast.expr_context),
    *(ast.Constant, ast.Dict, ast.List, ast.Tuple, ast.Set, ast.Starred, ast.keyword, ast.Call, ast.Attribute),
    *(ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.DictComp, ast.comprehension),
    *(ast.JoinedStr, ast.FormattedValue),
)
"""What may stand in such a file."""


class PlainSchema(Struct, frozen=True):
    """A schema that holds columns of ours and nothing else."""

    columns: Mapping[str, Column]


class _Pandera:
    """What stands for pandera in a plain file: the one name of it that such a file uses."""

    DataFrameSchema = PlainSchema


class _NotPlain(Exception):
    """Something that only pandera, or Python as a whole, makes sense of."""


def plain_schema(path: Path) -> PlainSchema | None:
    """What a file written the plain way says; ``None`` for any other, be it right or wrong."""
    try:
        tree = ast.parse(path.read_bytes(), str(path))
        _prove(tree)
        schema = _run(tree, path).get("schema")
    except Exception:  # noqa: BLE001 - what is wrong with a file is found out, and told, where it is run with pandera
        return None
    if not isinstance(schema, PlainSchema) or not isinstance(schema.columns, dict):
        return None
    fits = all(isinstance(name, str) and isinstance(own, Column) for name, own in schema.columns.items())
    return schema if fits else None


def _prove(tree: ast.Module) -> None:
    """Nothing there does more than give a value: what is called are words of ours, and the one of pandera."""
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    ours = {name for node in imports for name, meant in _imported(node).items() if meant in _WORDS.values()}
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for node in ast.walk(tree):
        if not isinstance(node, _PLAIN) or (isinstance(node, ast.Attribute) and node not in calls):
            raise _NotPlain
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr != "DataFrameSchema" or len(node.args) != 1 or node.keywords:
                raise _NotPlain
        elif isinstance(node, ast.Call) and (not isinstance(node.func, ast.Name) or node.func.id not in ours):
            raise _NotPlain


def _run(tree: ast.Module, path: Path) -> dict[str, Any]:
    names: dict[str, Any] = {"__builtins__": {}}
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            names.update(_imported(statement))
        else:
            code = compile(ast.Module([statement], []), str(path), "exec")
            exec(code, names)  # noqa: S102 - the operator's own file; it was proved to do nothing but give values
    return names


def _imported(statement: ast.Import | ast.ImportFrom) -> dict[str, Any]:
    """What an import gives a plain file, by name."""
    module = statement.module if isinstance(statement, ast.ImportFrom) and not statement.level else None
    names = {said.asname or said.name: said.name for said in statement.names}
    if module == "__future__":
        return {}
    if module == "pipeline.fields":
        return {name: getattr(pipeline.fields, meant) for name, meant in names.items()}
    if module == "pipeline.checking.columns":
        return {name: _WORDS[meant] for name, meant in names.items()}
    if isinstance(statement, ast.Import) and all(
        said.name == "pandera.pandas" and said.asname for said in statement.names
    ):
        return dict.fromkeys(names, _Pandera)
    raise _NotPlain
