"""How often Python looks for objects that only hold each other: seldom, since hardly any here do.

The collector of CPython goes through the objects there are again and again while modules are loaded and rows come in by
the hundred thousand, and once more, through all of them, when the process ends: a fifth of the time a large file takes.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG = 10_000
"""So many new objects are looked through together; fewer than the rows of a portion, so none outlives it by much."""

_ROUNDS = (20, 50)
"""So many times the young ones before those that outlived them, and so many times these before all."""


@contextmanager
def seldom_swept() -> Iterator[None]:
    """A whole process within: nothing is gone through again at its end, when everything is given back anyway."""
    gc.set_threshold(_YOUNG, *_ROUNDS)
    try:
        yield
    finally:
        gc.freeze()


@contextmanager
def loading(module: str) -> Iterator[None]:
    """While a large module is loaded nothing is gone through, and what came with it is never again: modules stay.

    Without effect where the module is there: frozen again and again, what a long process leaves behind would stay too.
    """
    if module in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
