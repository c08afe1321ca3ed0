"""After a run full of faults no secret is in any file of the project folder, nor in anything that was said."""

from __future__ import annotations

import json
import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from click.testing import CliRunner
from project import HEADER, ProjectFolder, order_row

from pipeline.cli import cli
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.influencersoft import SimulatedInfluencerSoft
from pipeline.sandbox.kapture import SimulatedKapture
from pipeline.sandbox.keap import SimulatedKeap
from pipeline.sandbox.orderdesk import SimulatedOrderDesk
from pipeline.sandbox.server import SandboxServer

SECRETS = {
    "ORDERDESK_API_KEY": "s3cret/Zq7w+shop", "KEAP_API_KEY": "s3cret/Zq7w+crm",
    "INFLUENCERSOFT_RPS_KEY": "s3cret/Zq7w+school", "KAPTURE_PUSH_KEY": "s3cret/Zq7w+desk",
}  # fmt: skip
SPELLINGS = ("s3cret/Zq7w", "s3cret%2FZq7w", "s3cret%2fZq7w", "s3cret\\/Zq7w")
FAULTS = ("refuse", "drop_after", "html", "redirect", "error_after", "throttle", "unauthorized")


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    targets = (
        SimulatedOrderDesk(api_key=SECRETS["ORDERDESK_API_KEY"]), SimulatedKeap([SECRETS["KEAP_API_KEY"]]),
        SimulatedInfluencerSoft(key=SECRETS["INFLUENCERSOFT_RPS_KEY"]),
        SimulatedKapture({"push": SECRETS["KAPTURE_PUSH_KEY"]}),
    )  # fmt: skip
    with SandboxServer(targets) as server:
        yield server


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file, and every part of every workbook."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes()
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                yield from ((f"{path.name}/{name}", book.read(name)) for name in book.namelist())


def echo(key: str) -> str:
    """A vendor's sentence that repeats our key, in the spellings it may come back in."""
    return f"The key {key} or {quote_plus(key)} or {quote_plus(key).replace('%2F', '%2f')} or {json.dumps(key)} is bad"


def leaks(named: Iterator[tuple[str, bytes]]) -> list[str]:
    return [name for name, held in named if any(one.encode() in held for one in SPELLINGS)]


def test_no_secret_is_in_a_file_or_in_what_is_said(
    tmp_path: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    project = ProjectFolder.make(
        tmp_path / "p", sandbox.base_urls(), to=("shop", "crm", "desk", "school"), settle=0, patience=0
    )
    said = []

    def call(*arguments: str) -> None:
        called = CliRunner().invoke(cli, [*arguments, "--project", str(project.path)])
        assert called.exception is None or isinstance(called.exception, SystemExit)
        said.append(called.output)

    echoed = dict(zip(("orderdesk", "keap", "influencersoft", "kapture"), SECRETS.values(), strict=True))
    for number, kind in enumerate(FAULTS):
        sandbox.faults.clear()
        sandbox.faults.add([
            Fault(kind, target=target, times=2, message=echo(key), only_writes=number % 2 == 0)
            for target, key in echoed.items()
        ])  # fmt: skip
        project.drop(
            f"orders_{kind}.csv", order_row(f"10{number}1", sku="WB-100"), order_row(f"10{number}2", qty="two")
        )
        call("run")
        call("check", "--online")
        call("reconcile", "--workbook", "--json")
    sample = tmp_path / "orders_sample.csv"
    sample.write_text(f"{HEADER}\n{order_row('2001')}\n")
    sandbox.faults.clear()
    for arguments in (
        ("preview", str(sample)), ("preview", str(sample), "--json"), ("run", "--json"), ("status",),
        ("doubt", "--json"), ("doubt",), ("find", "1001"), ("find", "1001", "--json"),
        ("check", "--online", "--json"), ("reconcile",),
    ):  # fmt: skip
        call(*arguments)
    assert project.workbooks()
    assert leaks(contents(project.path)) == []
    assert leaks(iter([("what was said", "\n".join(said).encode()), ("the log", caplog.text.encode())])) == []
    assert "The key" in "\n".join(said), "the vendors' sentence itself is told"
