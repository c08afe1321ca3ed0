"""The real command, many times, without paying for its start each time.

A warm process has loaded everything and forks one child per run; the child calls the command's own ``main`` with a
command line, and may be told to kill itself at a boundary. The parent of the warm process (who may run threads, such
as the sandbox) talks to it in JSON lines, because forking is only safe in a process without threads.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HERE = Path(__file__).resolve()
KILLED = -9


@dataclass(frozen=True, slots=True)
class Harm:
    """What is done to one run.

    ``kill_at``: SIGKILL at that boundary (from 1). ``clock_ahead``: seconds by which the machine's clock is wrong.
    ``largest_file``: bytes beyond which no file grows, as on a full disk.
    """

    kill_at: int | None = None
    clock_ahead: float = 0.0
    largest_file: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How one run ended: ``code`` is its exit code (-9: killed), ``boundaries`` what it passed, in order."""

    code: int
    boundaries: tuple[str, ...]
    out: str
    err: str


class WarmCommand:
    """Runs ``orderdrop`` command lines in children of one warm process."""

    def __init__(self, environment: Mapping[str, str], safeguard_off: str = "", *, in_parts: bool = False) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="orderdrop-warm-")
        self._process = subprocess.Popen(
            [sys.executable, str(HERE), self._scratch.name, safeguard_off, "in parts" * in_parts],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment},
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the warm process."""
        self._process.communicate(timeout=30)
        self._scratch.cleanup()

    def call(self, *arguments: str, folder: Path, harm: Harm | None = None) -> Ended:
        """One command line on a project folder, run to its end or to the harm done to it."""
        self.start(*arguments, folder=folder, harm=harm)
        return self.finish()

    def start(self, *arguments: str, folder: Path, harm: Harm | None = None) -> None:
        """Begin a run without waiting for its end; one at a time."""
        assert self._process.stdin is not None
        asked = {"arguments": [*arguments, "--project", str(folder)], "folder": str(folder)}
        self._process.stdin.write(json.dumps(asked | asdict(harm or Harm())) + "\n")
        self._process.stdin.flush()

    def finish(self) -> Ended:
        """Wait for the run that ``start`` began."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the warm process is gone")
        told = json.loads(line)
        scratch = Path(self._scratch.name)
        passed = (scratch / "boundaries").read_text().splitlines()
        return Ended(told["code"], tuple(passed), (scratch / "out").read_text(), (scratch / "err").read_text())


# --- the warm process --------------------------------------------------------------------------------------------


def _rehearse() -> None:
    """One run against an address where nobody listens: all that is loaded or built on first use is there afterwards."""
    from ground import DELIVER, Ground, row

    from pipeline.cli import cli

    with tempfile.TemporaryDirectory() as folder:
        nowhere = dict.fromkeys(DELIVER, "http://127.0.0.1:9")
        ground = Ground.make(Path(folder) / "p", nowhere, DELIVER, settle=1, patience=0)
        ground.drop("orders.csv", [row("1"), row("2", qty="two")])
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            for command in ("run", "status"):
                cli.main([command, "--json", "--project", str(ground.path)], standalone_mode=False)


def _serve(scratch: Path, safeguard_off: str, in_parts: str) -> None:
    _rehearse()
    if in_parts:  # every file is a long one: a row is a block, a record is a transaction
        from pipeline import judging, take_in

        judging.BLOCK_ROWS = judging.BLOCKS_OF_A_SHORT_FILE = take_in.TOGETHER = 1
    if safeguard_off:
        from safeguards import take_away

        take_away(safeguard_off)
    gc.freeze()  # a child that collects garbage would copy every page of the parent
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _be_the_command(scratch, json.loads(line))
        _, status = os.waitpid(child, 0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)


def _be_the_command(scratch: Path, asked: Mapping[str, Any]) -> None:
    """The child: the command's own ``main`` with its own output, then gone without the parent's exit work."""
    from boundaries import Boundaries

    from pipeline.cli import main

    code = 70
    try:
        _redirect(scratch / "out", 1)
        _redirect(scratch / "err", 2)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
        _do_harm(asked)
        Boundaries(asked["kill_at"], asked["folder"], scratch / "boundaries").install()
        sys.argv = ["orderdrop", *asked["arguments"]]
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException:  # noqa: BLE001 - the parent reads what went wrong
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _do_harm(asked: Mapping[str, Any]) -> None:
    if asked["clock_ahead"]:
        right = time.time
        time.time = lambda: right() + asked["clock_ahead"]
    if asked["largest_file"] is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["largest_file"], asked["largest_file"]))


def _redirect(path: Path, number: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(handle, number)
    os.close(handle)


def _main(arguments: Sequence[str]) -> None:
    _serve(Path(arguments[0]), arguments[1], arguments[2])


if __name__ == "__main__":
    _main(sys.argv[1:])
