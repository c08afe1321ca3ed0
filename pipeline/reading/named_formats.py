"""The number formats that old Excel files call by a name, and how its web pages write format codes."""

from __future__ import annotations

import re

_NAMED = {
    "general": "General",
    "general number": "General",
    "general date": "yyyy-mm-dd hh:mm:ss",
    "long date": "yyyy-mm-dd",
    "medium date": "yyyy-mm-dd",
    "short date": "yyyy-mm-dd",
    "long time": "hh:mm:ss",
    "medium time": "hh:mm:ss",
    "short time": "hh:mm:ss",
    "currency": "#,##0.00",
    "euro currency": "#,##0.00",
    "fixed": "0.00",
    "standard": "#,##0.00",
    "percent": "0.00%",
    "scientific": "0.00E+00",
}
_ESCAPED = re.compile(r"\\([0-9a-fA-F]{4}) ?|\\(.)", re.DOTALL)


def format_code(said: str) -> str:
    """The format code for what SpreadsheetML 2003 says: a name (``Short Date``) or the code itself."""
    return _NAMED.get(said.strip().casefold(), said)


def css_format_code(said: str) -> str:
    """The format code in a value of ``mso-number-format``: quotes and CSS escapes undone."""
    text = said.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)
    return format_code(plain)
