"""The log: JSON lines for programs, the same sentences for people, and nothing in either that does not belong there."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from project import HEADER, ProjectFolder, order_row

from pipeline.events import Event
from pipeline.log_file import LogFile, recent
from pipeline.sandbox import all_targets
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.server import SandboxServer
from pipeline.settings import Secret
from pipeline.trail import LogChoice, Trail, progress_for


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer) -> ProjectFolder:
    return ProjectFolder.make(tmp_path / "p", sandbox.base_urls())


def lines(text: str) -> list[dict[str, Any]]:
    """Every line, each one JSON document."""
    return [json.loads(line) for line in text.splitlines()]


def only(told: list[dict[str, Any]], event: str) -> dict[str, Any]:
    (one,) = [line for line in told if line["event"] == event]
    return one


def test_json_lines_name_what_they_are_about(project: ProjectFolder, sandbox: SandboxServer) -> None:
    project.drop("orders_1.csv", order_row("1001"), order_row("1002", qty="two"))
    called = project.call("run", "--log-format", "json", "--log-level", "debug")
    told = lines(called.err)
    assert all({"event", "level", "timestamp"} <= set(line) for line in told)
    taken = only(told, "file_taken_in")
    assert (taken["file"], taken["feed"], taken["read"], taken["rejected"]) == ("orders_1.csv", "orders", 2, 1)
    moved = only(told, "delivery_moved")
    assert (moved["account"], moved["key"], moved["state"]) == ("shop", "1001", "delivered")
    assert only(told, "workbook_written")["batch"] == taken["batch"]
    assert {line["status"] for line in told if line["event"] == "call_ended"} == {200}
    assert only(told, "run_ended")["exit_code"] == called.code == 1
    assert lines((project.path / "var/log/orderdrop.jsonl").read_text()) == told


def test_the_level_of_the_settings_and_of_the_command(project: ProjectFolder) -> None:
    settings = project.path / "pipeline.toml"
    settings.write_text('[log]\nlevel = "warning"\n' + settings.read_text())
    project.drop("orders_1.csv", order_row("1001"))
    assert project.call("run").err == ""
    project.drop("orders_2.csv", order_row("1002"))
    assert "Reading orders_2.csv" in project.call("run", "--log-level", "info").err
    settings.write_text(settings.read_text().replace('"warning"', '"loud"'))
    refused = project.call("run")
    assert (refused.code, "[log]" in refused.err) == (2, True)


def test_people_read_sentences_and_programs_that_fail_still_write_json(project: ProjectFolder) -> None:
    project.drop("orders_1.csv", order_row("1001"))
    assert project.call("run").err.splitlines() == ["Reading orders_1.csv"]
    (project.path / "pipeline.toml").write_text("[accounts.shop\n")
    failed = project.call("run", "--log-format", "json")
    told = only(lines(failed.err), "command_failed")
    assert (failed.code, told["level"]) == (2, "error")
    assert "not valid TOML" in told["message"]


def test_neither_secrets_nor_people_are_in_the_log(project: ProjectFolder, sandbox: SandboxServer) -> None:
    sandbox.faults.add([Fault("refuse", target="orderdesk", times=1, message="anna@example.com lives in 1 Main St")])
    project.drop("orders_1.csv", order_row("1001"), order_row("1002", qty="two"), order_row("1003"))
    project.drop("orders_2.csv", order_row("1004"), header="Anna Berg,anna@example.com," + HEADER.partition(",")[2])
    (project.path / "inbox" / "orders of bert@example.com.csv").write_text(f"{HEADER}\n{order_row('1005')}\n")
    called = project.call("run", "--log-format", "json", "--log-level", "debug")
    everything = called.err + (project.path / "var/log/orderdrop.jsonl").read_text()
    for private in ("anna@", "bert@", "Anna", "Berg", "Main St", "02110", *project.secrets.values()):
        assert private not in everything, private
    assert "1003" in everything  # the record key may


def test_whatever_is_told_secrets_and_addresses_are_taken_out(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    choice = LogChoice("json", "debug", [Secret("s3cret/Zq7w", "a test")], LogFile(tmp_path))
    with progress_for(choice) as progress:
        progress.say("the key s3cret%2FZq7w at https://me:pa55@proxy:3128 for anna.berg+x@example.com", Event.REMARK)
        progress.note(Event.DELIVERY_MOVED, key="anna@example.com", code=["s3cret/Zq7w", {"a": "s3cret/Zq7w"}])
    said = capsys.readouterr().err
    assert said == (tmp_path / "orderdrop.jsonl").read_text()
    for private in ("Zq7w", "pa55", "anna.berg"):
        assert private not in said
    assert '"key": "anna@example.com"' in said  # a customer's record key


def test_a_name_cannot_forge_a_line_or_turn_it_around(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_for(LogChoice()) as progress:
        progress.say("Reading \x1b[2J\u202egpj.csv\r", Event.READING)
    assert capsys.readouterr().err == "Reading _[2J_gpj.csv_\n"


def test_the_log_is_bounded_and_several_may_write_it(tmp_path: Path) -> None:
    def write(name: str) -> None:
        file = LogFile(tmp_path, most_bytes=20_000)
        for number in range(2000):
            file.add(json.dumps({"writer": name, "number": number}))

    writers = [threading.Thread(target=write, args=(str(one),)) for one in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    files = sorted(tmp_path.glob("*.jsonl"))
    assert len(files) == 5
    assert all(path.stat().st_size < 40_000 for path in files)
    assert all(json.loads(line) for line in recent(tmp_path, 100_000))
    assert json.loads(recent(tmp_path, 1)[0])["number"] == 1999


def test_a_log_that_cannot_be_written_stops_nothing(project: ProjectFolder, sandbox: SandboxServer) -> None:
    (project.path / "var").mkdir()
    (project.path / "var" / "log").write_text("in the way")
    project.drop("orders_1.csv", order_row("1001"))
    called = project.run()
    assert (called.code, called.json()["balanced"]) == (0, True)


def test_a_trail_is_left_on_a_pipe_while_many_threads_talk(tmp_path: Path) -> None:
    trail = Trail(LogChoice("json", "debug", file=LogFile(tmp_path)), aloud=False)
    threads = [
        threading.Thread(target=lambda n=n: [trail.note(Event.CALL_ENDED, thread=n, status=i) for i in range(200)])
        for n in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines((tmp_path / "orderdrop.jsonl").read_text())) == 1000


def test_asking_how_things_stand_does_not_load_the_log(project: ProjectFolder) -> None:
    asked = (
        "import sys\nfrom pipeline.cli import cli\ncli(['status', '--project', sys.argv[1]], standalone_mode=False)\n"
    )
    asked += "assert not {'structlog', 'rich', 'prometheus_client'} & set(sys.modules), sys.modules.keys()\n"
    subprocess.run(
        [sys.executable, "-c", asked, str(project.path)], check=True, env=project.environment(), stdout=subprocess.PIPE
    )
