"""A secret: a value that travels through the program without showing itself."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Sequence
from urllib.parse import quote, quote_plus

from pipeline.errors import SetupError


class Secret:
    """A value from the environment or a file; its text and representation never show it."""

    __slots__ = ("_pattern", "_value", "source")

    def __init__(self, value: str | None, source: str) -> None:
        self._value = value
        self._pattern: re.Pattern[str] | None = None
        self.source = source

    def reveal(self) -> str:
        """The value itself; ``SetupError`` naming where it was looked for when there is none."""
        if self._value is None:
            raise SetupError(f"A secret is missing: {self.source}.")
        return self._value

    @property
    def missing(self) -> bool:
        """Whether nothing was found where the settings point."""
        return self._value is None

    def hidden_in(self, text: str, mark: str = "***") -> str:
        """The text with the value replaced, however an answer spells it: plain, percent-encoded, escaped or base64."""
        if not self._value:
            return text
        if self._pattern is None:  # made once: every line of the log is looked through
            self._pattern = _any_spelling(self._value)
        return self._pattern.sub(lambda _: mark, text)

    def __repr__(self) -> str:
        return f"<secret from {self.source}>"


def learn(known: list[Secret], found: Sequence[Secret]) -> None:
    """Add the secrets whose values are not among the known ones; the old values stay secret."""
    values = {secret.reveal() for secret in known if not secret.missing}
    known += [secret for secret in found if not secret.missing and secret.reveal() not in values]


def _any_spelling(value: str) -> re.Pattern[str]:
    spellings = sorted(_spellings(value), key=len, reverse=True)
    # The two letters after a percent sign come in either case.
    wanted = [re.sub("%[0-9A-F]{2}", r"(?i:\g<0>)", re.escape(spelling)) for spelling in spellings]
    return re.compile("|".join(wanted))


def _spellings(value: str) -> set[str]:
    plain = value.encode("utf-8", "replace")
    quoted = {quote(plain, safe=""), quote(plain), quote_plus(plain)}
    escaped = json.dumps(value)[1:-1]
    encoded = base64.b64encode(plain).decode("ascii").rstrip("=")
    return {value, escaped, escaped.replace("/", "\\/"), html.escape(value), encoded, *quoted} - {""}
