"""The command in a process of its own, without paying each time for what it loads.

A fork server of the standard library has imported the program once; each call is a fork of it with its own environment,
arguments and output, as fresh as a started one. Tests of starting, signals and kills start the command for real.
"""

from __future__ import annotations

import multiprocessing
import os
import pkgutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pipeline

LOADED_LATE = (
    "alembic.command", "apprise", "openpyxl", "pandas", "pandera.pandas", "pyarrow.csv", "structlog", "xlsxwriter",
)  # fmt: skip
"""What commands import only when they need it: loaded beforehand here."""

PROGRAMS = ("__main__", "migrations")
"""Modules that do something when they are imported."""


def forked(arguments: Sequence[str], environment: Mapping[str, str], seconds: float) -> tuple[int, str, str]:
    """Run the command to its end; gives its exit code, what it printed and what it said."""
    with tempfile.TemporaryDirectory(prefix="orderdrop-call-") as scratch:
        out, err = Path(scratch) / "out", Path(scratch) / "err"
        child = _server().Process(target=_be_the_command, args=(tuple(arguments), dict(environment), out, err))
        child.start()
        child.join(seconds)
        if child.is_alive():
            child.kill()
            child.join()
            raise TimeoutError(f"{' '.join(arguments)} did not end: {err.read_text()}")
        assert child.exitcode is not None
        return child.exitcode, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")


@cache
def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    names = [found.name for found in pkgutil.walk_packages(pipeline.__path__, "pipeline.")]
    ours = [name for name in names if not any(program in name for program in PROGRAMS)]
    context.set_forkserver_preload([*LOADED_LATE, *ours])
    return context


def _be_the_command(arguments: Sequence[str], environment: Mapping[str, str], out: Path, err: Path) -> None:
    for number, path in ((0, Path(os.devnull)), (1, out), (2, err)):
        handle = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(handle, number)
        os.close(handle)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w", buffering=1), open(2, "w", buffering=1)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = ["orderdrop", *arguments]
    from pipeline.cli import main

    main()
