"""A secret: a value that travels through the program without showing itself, and where the settings say it lies.

In the settings it is never a literal: ``{ env = "NAME" }`` or ``{ file = "path" }``.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
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


def resolve_secrets(raw: Any, folder: Path, environment: Mapping[str, str]) -> Any:  # noqa: ANN401 - a TOML tree
    """The same tree with every ``{env = …}`` and ``{file = …}`` replaced by a :class:`Secret`."""
    if isinstance(raw, Mapping):
        if set(raw) == {"env"}:
            name = str(raw["env"])
            return Secret(environment.get(name) or None, f"environment variable {name}")
        if set(raw) == {"file"}:
            return _secret_from_file(folder / str(raw["file"]), str(raw["file"]))
        return {key: resolve_secrets(value, folder, environment) for key, value in raw.items()}
    if isinstance(raw, list):
        return [resolve_secrets(value, folder, environment) for value in raw]
    return raw


def secrets_in(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Secret]]:
    """Every secret of a table, with the keys that lead to it."""
    for key, value in table.items():
        if isinstance(value, Secret):
            yield prefix + key, value
        elif isinstance(value, Mapping):
            yield from secrets_in(value, f"{prefix}{key}.")


def _secret_from_file(path: Path, shown: str) -> Secret:
    try:
        return Secret(path.read_text(encoding="utf-8").strip() or None, f"file {shown}")
    except (OSError, UnicodeDecodeError):
        return Secret(None, f"file {shown}")


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
