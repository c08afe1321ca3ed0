"""What every command shares with the shell: options, streams, signals, and how trouble becomes an exit code."""

from __future__ import annotations

import errno
import json
import os
import signal
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from pipeline.errors import OrderdropError
from pipeline.events import Event, level_of

F = TypeVar("F", bound=Callable[..., Any])

project_option = click.option(
    "--project",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default="current folder",
    help="The project folder.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
log_format_option = click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How progress is logged.",
)
log_level_option = click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="The least level that is logged (default: [log] level of pipeline.toml).",
)


def says_what_happened(command: F) -> F:
    """All trouble ends as a sentence on standard error and its exit code, never as a traceback."""

    @wraps(command)
    def wrapped(*args: Any, **options: Any) -> None:  # noqa: ANN401 - whatever click hands over
        try:
            code = command(*args, **options)
        except OrderdropError as problem:
            code = _failed(str(problem), problem.exit_code, options)
        except BrokenPipeError:
            raise
        except OSError as problem:
            code = _failed(_in_words(problem), 1, options)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as problem:  # noqa: BLE001 - the last door: nobody who uses this reads tracebacks
            code = _failed(_of_ours(problem), 1, options)
        if code:
            raise click.exceptions.Exit(code)

    return wrapped  # type: ignore[return-value]  # same signature, as click needs it


def _failed(said: str, code: int, options: Mapping[str, Any]) -> int:
    say(_shaped(said, Event.COMMAND_FAILED, options.get("log_format")))
    if options.get("as_json"):
        print_json({"error": said, "exit_code": code})
    return code


def _in_words(problem: OSError) -> str:
    where = f" ({problem.filename})" if problem.filename else ""
    advice = "Make room on the disk" if problem.errno in {errno.ENOSPC, errno.EDQUOT} else "Mend that"
    return f"The system says: {problem.strerror or problem}{where}. {advice}, then run again; nothing is lost."


def _of_ours(problem: Exception) -> str:
    from pipeline.faults import in_words

    return (
        f"This ended by {in_words(problem)}. Nothing is lost; run it again. If it ends so again, `orderdrop doctor "
        "--bundle support.zip` gathers what whoever looks after orderdrop needs to mend it."
    )


def say(text: str) -> None:
    """One sentence for people, on standard error."""
    click.echo(text, err=True)


def print_json(document: Mapping[str, Any]) -> None:
    """The one document of a ``--json`` command, on standard output."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=1, default=str))


def _shaped(text: str, event: Event, log_format: str | None) -> str:
    """A sentence as the log format wants it: what reads JSON lines must not meet anything else."""
    if log_format != "json":
        return text
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    line = {"event": event.value, "level": level_of(event), "timestamp": now, "message": text}
    return json.dumps(line, ensure_ascii=False)


def stop_on_signals(log_format: str = "text") -> threading.Event:
    """The first signal asks for a clean stop (the step under way is finished), the second ends at once."""
    stop = threading.Event()

    def asked(number: int, _frame: object) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()
        said = _shaped("Stopping after the calls under way. Once more to stop at once.", Event.STOPPING, log_format)
        # Past Python's stream: a signal may come while that one is being written to, and it cannot be entered twice.
        os.write(2, f"{said}\n".encode())

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, asked)
    return stop
