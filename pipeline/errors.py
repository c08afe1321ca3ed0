"""The exceptions, named by who must act.

::

    OrderdropError
    ├── SetupError     the operator: settings, mappings or schemas are wrong; nothing was touched   (exit 2)
    ├── FileRefused    the sender: this file cannot be read; other files go on                      (exit 1)
    ├── TargetError    nobody yet: an account or host is unavailable; its work waits                (exit 3)
    └── LedgerError    everything stops: the ledger cannot be trusted                               (exit 4)

What is wrong with a *row* is not an exception but a value: :class:`pipeline.model.Rejection`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class OrderdropError(Exception):
    """Something a person has to know about; the message is a sentence for them."""

    exit_code = 1


class SetupError(OrderdropError):
    """Settings, a mapping or a schema are wrong; nothing was touched."""

    exit_code = 2


class FileRefused(OrderdropError):
    """A file that cannot be taken in as a whole.

    ``code`` is stable and listed in ``docs/operating.md``; ``advice`` says what the sender can do; ``choices`` are the
    names one of which has to be chosen, where that is what is missing.
    """

    def __init__(self, code: str, message: str, advice: str, choices: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.advice = advice
        self.choices = choices


class TargetError(OrderdropError):
    """An account or host is unavailable; its work waits and nothing is lost."""

    exit_code = 3


class LedgerError(OrderdropError):
    """The ledger cannot be trusted or written; everything stops."""

    exit_code = 4


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the known name closest to ``name``, or an empty text."""
    lowered = {str(k).casefold(): str(k) for k in known}
    close = difflib.get_close_matches(str(name).casefold(), list(lowered), n=1, cutoff=0.6)
    return f" Did you mean '{lowered[close[0]]}'?" if close else ""
