"""The trail that work leaves: sentences or JSON lines on standard error, and JSON lines in ``var/log``.

Everything passes here on its way out, so secrets and e-mail addresses are taken out here, whoever let them in.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click

from pipeline.errors import OrderdropError
from pipeline.events import Event, level_of
from pipeline.log_file import LogFile
from pipeline.progress import Progress
from pipeline.settings import Secret, Settings

LEVELS = ("debug", "info", "warning", "error")
_EMAIL = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+\.[^\W\d_]{2,}")
_PASSWORD_IN_URL = re.compile(r"(://[^\s/@:]*):[^\s/@]+@")
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LONGEST = 4000
_ALWAYS = frozenset({"event", "level", "timestamp"})


@dataclass(frozen=True, slots=True)
class LogChoice:
    """How to log: ``form`` text or json, the least ``level``, what must never appear, and the file, if any.

    More ``secrets`` may become known while it goes on. ``trail``: lines also on a terminal, where otherwise a bar is
    shown; what runs for ever leaves a trail.
    """

    form: str = "text"
    level: str = "info"
    secrets: list[Secret] = field(default_factory=list)
    file: LogFile | None = None
    trail: bool = False


def choice_of(settings: Settings, form: str, level: str | None, *, trail: bool = False) -> LogChoice:
    """What the settings say; ``level`` of the command line goes first."""
    return LogChoice(form, level or settings.log.level, list(settings.secrets), LogFile(settings.var / "log"), trail)


@contextmanager
def progress_for(choice: LogChoice) -> Iterator[Progress]:
    """A bar on a terminal; elsewhere log lines on standard error. The log file gets its lines in any case."""
    try:
        with _shown(choice) as progress:
            yield progress
    except OrderdropError as problem:  # said aloud where the command ends
        Trail(choice, aloud=False).say(str(problem), Event.COMMAND_FAILED, exit_code=problem.exit_code)
        raise


@contextmanager
def _shown(choice: LogChoice) -> Iterator[Progress]:
    if choice.trail or choice.form == "json" or choice.level != "info" or not sys.stderr.isatty():
        yield Trail(choice)
        return
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} sent"))
    with Bar(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        yield _Bar(bar, Trail(choice, aloud=False))


class _Bar:
    def __init__(self, bar: Any, trail: Progress) -> None:  # noqa: ANN401 - rich is only loaded on a terminal
        self._bar = bar
        self._trail = trail
        self._task = bar.add_task("Starting", total=None)

    def say(self, text: str, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        self._bar.update(self._task, description=_visible(text).replace("[", r"\["))
        self._trail.say(text, event, **facts)

    def note(self, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        self._trail.note(event, **facts)

    def advance(self) -> None:
        self._bar.update(self._task, description="Delivering", advance=1)
        self._trail.advance()


class Trail:
    """Log lines. ``aloud``: also on standard error, where a terminal shows no bar."""

    EVERY_SECONDS = 5.0

    def __init__(self, choice: LogChoice, *, aloud: bool = True) -> None:
        import structlog

        self._attended = 0
        self._last = time.monotonic()
        self._counting = threading.Lock()
        out = _Out(choice, aloud=aloud)
        self._logger = structlog.wrap_logger(
            None,
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                Scrub(choice.secrets),
                out.write,
            ],
            wrapper_class=structlog.make_filtering_bound_logger(choice.level),
            cache_logger_on_first_use=True,
        )

    def say(self, text: str, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        """One line with a sentence."""
        getattr(self._logger, level_of(event))(event.value, message=text, **facts)

    def note(self, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        """One line of facts; as text only where debugging is asked for."""
        getattr(self._logger, level_of(event))(event.value, **facts)

    def advance(self) -> None:
        """Said every few seconds."""
        with self._counting:
            self._attended += 1
            if time.monotonic() - self._last < self.EVERY_SECONDS:
                return
            self._last, attended = time.monotonic(), self._attended
        self.say(f"{attended} deliveries attended to", Event.DELIVERING, attended=attended)


class Scrub:
    """Takes secrets and e-mail addresses out of everything but the record key. The last step before a line is made."""

    def __init__(self, secrets: Sequence[Secret]) -> None:
        self._secrets = secrets  # as it is: settings that are read anew may add to it

    def __call__(self, _logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Structlog's processor."""
        for name, value in line.items():
            line[name] = self._clean(value, keep_addresses=name == "key")
        return line

    def _clean(self, value: Any, *, keep_addresses: bool) -> Any:  # noqa: ANN401 - plain values
        if isinstance(value, Mapping):
            return {name: self._clean(one, keep_addresses=keep_addresses) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(one, keep_addresses=keep_addresses) for one in value]
        if not isinstance(value, str):
            return value
        text = value if len(value) <= _LONGEST else f"{value[:_LONGEST]} …"
        for secret in self._secrets:
            text = secret.hidden_in(text)
        text = _PASSWORD_IN_URL.sub(r"\1:***@", text)
        return text if keep_addresses else _EMAIL.sub("<e-mail address>", text)


class _Out:
    """Where lines go; they are whole, whoever else writes at the same time."""

    def __init__(self, choice: LogChoice, *, aloud: bool) -> None:
        self._choice = choice
        self._aloud = aloud
        self._writing = threading.RLock()

    def write(self, _logger: object, _method: str, line: MutableMapping[str, Any]) -> str:
        """Structlog's last processor: writes the line, and has nothing left for the logger to do."""
        import structlog

        as_json = json.dumps(line, ensure_ascii=False, default=str)
        with self._writing:
            if self._choice.file is not None:
                self._choice.file.add(as_json)
            if self._aloud:
                self._say(as_json, line)
        raise structlog.DropEvent

    def _say(self, as_json: str, line: Mapping[str, Any]) -> None:
        if self._choice.form == "json":
            click.echo(as_json, err=True)
        elif "message" in line:
            click.echo(_visible(str(line["message"])), err=True)
        elif self._choice.level == "debug":
            facts = " ".join(f"{name}={value}" for name, value in line.items() if name not in _ALWAYS)
            click.echo(_visible(f"{line['event']} {facts}"), err=True)


def _visible(text: str) -> str:
    """Without what could move the cursor or turn the line around: names of files come from anybody."""
    return _INVISIBLE.sub("_", text)
