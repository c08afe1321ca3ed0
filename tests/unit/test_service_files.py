"""The unit and the Dockerfile: what can be proved of them without installing them."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.cli import cli

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "orderdrop.service"
DOCKERFILE = ROOT / "deploy" / "Dockerfile"


class _Settings(dict[str, str]):
    """A key may stand several times in a unit: kept one below the other."""

    def __setitem__(self, key: str, value: object) -> None:
        before = self.get(key)
        super().__setitem__(key, value if not before or not isinstance(value, list) else [*before, *value])  # type: ignore[arg-type]


def unit() -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False, dict_type=_Settings, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT.read_text())
    return parser


def instructions() -> list[tuple[str, str]]:
    """Name and rest of every instruction, continued lines joined, comments left out."""
    text = "\n".join(line for line in DOCKERFILE.read_text().splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", text)
    return [(name.upper(), rest) for name, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def test_the_unit_starts_a_command_that_exists_and_notifies() -> None:
    service = unit()["Service"]
    program, command, *options = shlex.split(service["ExecStart"])
    assert Path(program).name == "orderdrop"
    assert {f for f in options if f.startswith("--")} <= {o for p in cli.commands[command].params for o in p.opts}
    assert (service["Type"], service["NotifyAccess"]) == ("notify", "main")
    assert service["User"] not in {"", "root"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")
def test_systemd_understands_the_unit_and_finds_it_well_locked(tmp_path: Path) -> None:
    text = UNIT.read_text().replace("/opt/orderdrop/bin/orderdrop", "/bin/true")
    (tmp_path / "orderdrop.service").write_text(text)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "orderdrop.service")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = [line for line in (verified.stdout + verified.stderr).splitlines() if "orderdrop" in line]
    assert told == []
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=25", str(tmp_path / "orderdrop.service")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "Unknown" in judged.stderr or "unrecognized" in judged.stderr:
        pytest.skip("this systemd-analyze cannot judge a file")
    assert judged.returncode == 0, judged.stdout[-500:]


def test_the_image_runs_as_nobody_in_particular_and_holds_no_secret() -> None:
    told = instructions()
    names = [name for name, _ in told]
    assert set(names) <= {
        "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT",
        "CMD",
    }  # fmt: skip
    users = [rest for name, rest in told if name == "USER"]
    assert users == ["10001:10001"]
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert "HEALTHCHECK" in names
    assert not re.search(r"(?i)(key|password|token|secret)\s*=", " ".join(rest for name, rest in told if name != "RUN"))
    assert all(rest.startswith("python:3.") for name, rest in told if name == "FROM")


def test_everything_the_image_copies_is_there_and_let_in() -> None:
    ignore = (ROOT / ".dockerignore").read_text().split()
    assert ignore[ignore.index("*") :][0] == "*"
    let_in = {line[1:] for line in ignore if line.startswith("!")}
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from"):
            *sources, _ = rest.split()
            assert set(sources) <= let_in
            assert all((ROOT / source).exists() for source in sources)
    assert not let_in & {"var", "errors", "inbox", "secrets", ".git", ".venv"}
