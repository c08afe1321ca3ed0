"""A JSON value held against one of Keap's official OpenAPI files, where a copy is at hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

SPECS = Path(__file__).parents[3] / "shared" / "specs"


def spec_at(variable: str, name: str) -> Any:
    """The file ``variable`` names, else the one beside the repository; the test is skipped when there is none."""
    path = Path(os.environ.get(variable) or SPECS / name)
    if not path.is_file():
        pytest.skip(f"there is no copy of Keap's OpenAPI file at {path}; {variable} names another place")
    return yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def faults(value, schema, spec, where="body"):
    """What a JSON value breaks of an OpenAPI schema, unknown properties included."""
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    kinds = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
    }
    kind = schema.get("type")
    if kind and not isinstance(value, kinds[kind]):
        return [f"{where} is no {kind}"]
    found = []
    if isinstance(value, dict) and "properties" in schema:
        found += [f"{where}.{name} unknown" for name in value if name not in schema["properties"]]
        found += [f"{where}.{name} missing" for name in schema.get("required", ()) if name not in value]
        for name, inner in value.items():
            found += faults(inner, schema["properties"].get(name, {}), spec, f"{where}.{name}")
    if isinstance(value, list):
        for inner in value:
            found += faults(inner, schema.get("items", {}), spec, f"{where}[]")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where} is none of {schema['enum']}")
    if isinstance(value, str) and len(value) > schema.get("maxLength", 10**6):
        found.append(f"{where} too long")
    return found
