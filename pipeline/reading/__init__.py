"""Bytes become rows of text with true row numbers."""

from pipeline.reading.formats import sniff_format
from pipeline.reading.read import open_table
from pipeline.reading.table import Block, Found, Hints, Table

__all__ = ["Block", "Found", "Hints", "Table", "open_table", "sniff_format"]
