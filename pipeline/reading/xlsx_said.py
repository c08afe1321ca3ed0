"""Texts as they stand in XML, and as an XML parser gives them: references resolved, line ends made one."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.reading.xlsx_parts import unescape
from pipeline.reading.xlsx_tags import NotPlain

_REFERENCE = re.compile(r"&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9A-Fa-f]{1,6}));|&")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_BLANKS = frozenset({9, 10, 13})
_NO_CHARACTERS = ((0xD800, 0xDFFF), (0xFFFE, 0xFFFF), (0x110000, 0xFFFFFF))
"""What XML cannot refer to, beside most control characters (XML 1.0 §2.2)."""
_SPECIAL = r"[&\r]|_x[0-9A-Fa-f]{4}_"


def said_texts(stored: pa.LargeStringArray, content: bytes) -> pa.LargeStringArray:
    """Texts of the piece ``content`` as a person sees them; only those with something special are looked at."""
    # A single byte is found many times as fast as two.
    if not (b"&" in content or b"\r" in content or (b"_" in content and b"_x" in content)):
        return stored
    return with_changed(stored, pc.match_substring_regex(stored, _SPECIAL), lambda text: unescape(said(text)))


def with_changed(
    texts: pa.LargeStringArray, which: pa.BooleanArray, change: Callable[[str], str]
) -> pa.LargeStringArray:
    """Those that are marked changed, each text of them once."""
    if not which.true_count:
        return texts
    if which.true_count == len(texts):
        return each_changed(texts, change)
    return pc.replace_with_mask(texts, which, each_changed(texts.filter(which), change))


def each_changed(texts: pa.LargeStringArray, change: Callable[[str], str]) -> pa.LargeStringArray:
    """All of them changed, each text once."""
    coded = texts.dictionary_encode()
    changed = pa.array([change(text) for text in coded.dictionary.to_pylist()], type=pa.large_string())
    return changed.take(coded.indices)


def said(text: str) -> str:
    """One text as an XML parser gives it; ``NotPlain`` for a reference it would not know."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _REFERENCE.sub(_resolved, text) if "&" in text else text


def _resolved(found: re.Match[str]) -> str:
    name, decimal, hexadecimal = found.groups()
    if name:
        return _NAMED[name]
    code = int(decimal) if decimal else int(hexadecimal, 16) if hexadecimal else 0
    if (code < 0x20 and code not in _BLANKS) or any(low <= code <= high for low, high in _NO_CHARACTERS):
        raise NotPlain
    return chr(code)
