"""Completion: the scripts are what the shells want, and the command answers what they ask."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli import cli

PROGRAM = Path(sys.executable).parent / "orderdrop"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell(shell: str) -> None:
    told = CliRunner().invoke(cli, ["completion", shell], prog_name="orderdrop")
    assert told.exit_code == 0
    assert "_ORDERDROP_COMPLETE" in told.output
    assert shell != "zsh" or told.output.startswith("#compdef orderdrop")


def test_another_shell_is_refused() -> None:
    told = CliRunner().invoke(cli, ["completion", "csh"])
    assert (told.exit_code, "csh" in told.output) == (2, True)


@pytest.mark.skipif(shutil.which("bash") is None or not PROGRAM.exists(), reason="no bash, or orderdrop not installed")
def test_bash_completes_commands_options_and_choices() -> None:
    script = subprocess.run([PROGRAM, "completion", "bash"], check=True, capture_output=True, text=True).stdout
    asked = (
        f"{script}\n"
        'ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _orderdrop_completion orderdrop; '
        'echo "${COMPREPLY[@]}"; }\n'
        "ask orderdrop re; ask orderdrop run --log; ask orderdrop run --log-format ''\n"
    )
    told = subprocess.run(
        ["bash", "-c", asked], check=True, capture_output=True, text=True,
        env={**os.environ, "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"},
    ).stdout.splitlines()  # fmt: skip
    assert set(told[0].split()) == {"reconcile", "replay", "restore"}
    assert set(told[1].split()) == {"--log-format", "--log-level"}
    assert set(told[2].split()) == {"text", "json"}
