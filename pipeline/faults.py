"""Errors that nobody foresaw: they end what they happened in and nothing else, and people hear of them.

What is said names the kind of error and where in the code it happened, never its text, which may quote a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from pipeline.events import Event
from pipeline.progress import Progress

_PACKAGE = Path(__file__).parent


class Faults:
    """What went wrong in an unforeseen way, by what was being done, until the same thing goes well."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._open: dict[str, str] = {}
        self._files: Mapping[str, str] = {}

    @property
    def open(self) -> Mapping[str, str]:
        """What people have to know of now."""
        return {**self._open, **self._files}

    def note(self, during: str, problem: Exception) -> str:
        """Say it and keep it; returns the sentence."""
        places = _places(problem.__traceback__)
        said = in_words(problem)
        self._open[during] = said
        self._progress.say(
            f"{during}: {said}. It is tried again; nothing is lost.",
            Event.FAULT, during=during, error=type(problem).__name__, places=places,
        )  # fmt: skip
        return said

    def of_files(self, found: Mapping[str, str]) -> None:
        """What a pass met in single files; each pass meets them anew."""
        self._files = found

    def well(self, during: str) -> None:
        """It went well: there is nothing to know any more."""
        self._open.pop(during, None)


def in_words(problem: Exception) -> str:
    """The kind of an error and where it came from, without its text."""
    places = _places(problem.__traceback__)
    where = f" at {places[-1]}" if places else ""
    return f"an error in orderdrop itself ({type(problem).__name__}{where})"


def _places(trace: TracebackType | None) -> list[str]:
    """The lines of our own code that the error passed through, the last one where it came from."""
    found = []
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.is_relative_to(_PACKAGE):
            found.append(f"{path.relative_to(_PACKAGE).as_posix()}:{trace.tb_lineno}")
        trace = trace.tb_next
    return found
