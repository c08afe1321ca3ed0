"""Typed rows become records, or rejections by row: orders put together, rules of the house applied, counts closed."""

from pipeline.checking.check import AtFault, Checked, at_fault, check_file, judged, read_sheet, together, verdict
from pipeline.checking.parts import joined
from pipeline.checking.portions import Places, whole_records
from pipeline.checking.schemas import load_schema, load_schemas, schema_to_judge_by
from pipeline.checking.sheet import Sheet, gather

__all__ = [
    "AtFault",
    "Checked",
    "Places",
    "Sheet",
    "at_fault",
    "check_file",
    "gather",
    "joined",
    "judged",
    "load_schema",
    "load_schemas",
    "read_sheet",
    "schema_to_judge_by",
    "together",
    "verdict",
    "whole_records",
]
