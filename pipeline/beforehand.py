"""What the first file needs is loaded while the watch is idle, so that file need not wait for it."""

from __future__ import annotations

import importlib
import threading

from pipeline.currencies import currency_codes
from pipeline.sweeping import loading

_NEEDED = (
    "pipeline.take_in",
    "pipeline.targets.http",
    "pipeline.delivery.deliver",
    "pipeline.decisions",
    "pipeline.drift",
)
"""What a pass with a file imports, or may, and one without does not."""


def load_beforehand() -> threading.Thread:
    """Begin to load; whoever needs a part of it before the end waits for that part only."""
    thread = threading.Thread(target=_load, name="beforehand", daemon=True)
    thread.start()
    return thread


def _load() -> None:
    for name in _NEEDED:
        with loading(name):
            importlib.import_module(name)
    import pycountry

    len(pycountry.countries)  # of which Keap asks; these, and the currencies, are read at the first question
    currency_codes()
