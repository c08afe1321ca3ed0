"""Typed rows become records, or rejections by row: orders put together, rules of the house applied, counts closed."""

from pipeline.checking.check import Checked, check_file
from pipeline.checking.schemas import load_schema, load_schemas

__all__ = ["Checked", "check_file", "load_schema", "load_schemas"]
