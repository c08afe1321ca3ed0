"""The command ``orderdrop``: its verbs in one group, and its exit code."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from pipeline import __version__
from pipeline.commands.asking import find, reconcile, status
from pipeline.commands.beginning import demo, feed, init, sandbox
from pipeline.commands.completing import completion
from pipeline.commands.deciding import doubt, replay
from pipeline.commands.keeping import backup, purge, restore
from pipeline.commands.passes import fetch, run, watch
from pipeline.commands.proving import check, doctor, preview
from pipeline.commands.shell import say
from pipeline.commands.telling import alerts
from pipeline.sweeping import seldom_swept


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="orderdrop")
def cli() -> None:
    """Drop order exports into a folder; they arrive at their targets once, and what could not go comes back."""


# One line per module of pipeline/commands: what --help lists, and all it costs is the modules' own import of click.
for _command in (
    *(run, fetch, watch),
    *(status, find, reconcile),
    *(doubt, replay, alerts),
    *(backup, restore, purge),
    *(preview, check, doctor),
    *(init, feed, demo, sandbox),
    *(completion,),
):
    cli.add_command(_command)


def main() -> NoReturn:
    """Run the command and leave with its code; Ctrl-C and a closed pipe are no tracebacks."""
    # NumPy starts a thread per core for products of matrices. Here are none, and the threads take turns with ours.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        with seldom_swept():
            code = cli.main(standalone_mode=False)
    except click.ClickException as problem:
        problem.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        say("Stopped.")
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
