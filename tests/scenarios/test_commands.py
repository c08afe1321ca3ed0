"""The verbs, as a person or a script uses them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from project import SECRETS, ProjectFolder, order_row

from pipeline.cli import cli
from pipeline.sandbox import all_targets
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.server import SandboxServer


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return ProjectFolder.make(tmp_path / "p", sandbox.base_urls(), to=("school",))


def call(project: ProjectFolder, *arguments: str) -> Result:
    """The command in this process: quick, with the same code as the real one."""
    return CliRunner().invoke(cli, [*arguments, "--project", str(project.path)])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["replay", "--account", "shcool"], 2, "Did you mean 'school'?"),
        (["doubt", "settle", "9" * 30, "--as", "drop"], 2, "is not in the range"),
        (["reconcile", "--since", "0001-01-01"], 2, "no order is that old"),
    ],
)
def test_what_cannot_be_meant_is_told_as_such(
    project: ProjectFolder, arguments: list[str], code: int, said: str
) -> None:
    ended = call(project, *arguments)
    assert ended.exit_code == code, ended.output
    assert said in ended.output


@pytest.mark.timeout(60)
def test_a_pipe_nobody_writes_into_is_no_file_to_preview(project: ProjectFolder, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "orders_1.csv")
    ended = project.call("preview", str(tmp_path / "orders_1.csv"))
    assert ended.code == 1
    assert "There is no file" in ended.err


def test_a_doubt_without_look_up_is_shown_and_settled_by_a_person(
    project: ProjectFolder, sandbox: SandboxServer
) -> None:
    sandbox.faults.add([Fault("drop_after", target="influencersoft", times=1)])
    project.drop("orders_1.csv", order_row("1001", sku="course-basic"), order_row("1002", sku="course-basic"))
    assert call(project, "run").exit_code == 1
    told = call(project, "doubt")
    assert told.exit_code == 1
    assert "a person has to tell" in told.output
    (doubt,) = json.loads(call(project, "doubt", "--json").output)["in_doubt"]
    assert doubt["key"] in {"1001", "1002"}
    assert SECRETS["INFLUENCERSOFT_RPS_KEY"] not in json.dumps(doubt)
    settled = call(project, "doubt", "settle", str(doubt["id"]), "--as", "delivered")
    assert settled.exit_code == 0
    assert call(project, "run").exit_code == 0
    assert len(sandbox.truth()["influencersoft"]["orders"]) == 2
    assert call(project, "doubt").output.strip() == "Nothing is in doubt."
    again = call(project, "doubt", "settle", str(doubt["id"]), "--as", "resend")
    assert again.exit_code == 1
    assert "not in doubt" in again.output


def test_a_refused_delivery_comes_back_in_the_workbook_and_can_be_replayed(
    project: ProjectFolder, sandbox: SandboxServer
) -> None:
    project.drop("orders_1.csv", order_row("1001", sku="no-such-course"))
    assert call(project, "run").exit_code == 1
    (workbook,) = project.workbooks()
    found = json.loads(call(project, "find", "1001", "--json").output)["deliveries"][0]
    assert found["state"] == "refused"
    assert call(project, "replay", "999").exit_code == 1
    assert call(project, "replay").exit_code == 2
    assert "1 refused" in call(project, "replay", str(found["id"])).output
    assert call(project, "run").exit_code == 1
    assert workbook.exists()


def test_a_refused_file_is_replayed_into_the_inbox_after_its_mapping_was_mended(project: ProjectFolder) -> None:
    mapping = project.path / "mappings" / "orders.yaml"
    good = mapping.read_text()
    mapping.write_text(good.replace('column: "Street"', 'column: "Strasse"'))
    project.drop("orders_1.csv", order_row("1001", sku="course-basic"))
    assert call(project, "run").exit_code == 1
    (notice,) = project.workbooks()
    mapping.write_text(good)
    assert "back in the inbox" in call(project, "replay", "--file", "orders_1.csv").output
    assert call(project, "run").exit_code == 0
    assert not notice.exists()
    assert "No file called" in call(project, "replay", "--file", "nobody.csv").output


def test_status_before_anything_happened(project: ProjectFolder) -> None:
    told = call(project, "status")
    assert told.exit_code == 0
    assert "No file was taken in" in told.output
    assert json.loads(call(project, "status", "--json").output)["balanced"] is True


def test_init_makes_a_project_that_check_accepts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*SECRETS, "KAPTURE_UPDATE_KEY"):
        monkeypatch.setenv(name, "x")
    folder = tmp_path / "new"
    runner = CliRunner()
    made = runner.invoke(cli, ["init", str(folder)])
    assert made.exit_code == 0, made.output
    assert {"inbox", "mappings", "schemas", "pipeline.toml"} <= {p.name for p in folder.iterdir()}
    checked = runner.invoke(cli, ["check", "--project", str(folder)])
    assert checked.exit_code == 0, checked.output
    again = runner.invoke(cli, ["init", str(folder)])
    assert again.exit_code == 2
    assert "nothing was changed" in again.output


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("[project]\ntimezon = 'UTC'", "timezone"),
        ("[project]\ntimezone = 'Mars/Olympus'", "Mars/Olympus"),
        ("[accounts.shop]\ntarget = 'orderdesc'", "orderdesk"),
        ("[accounts.shop]\ntarget = 'orderdesk'\nstore_id = '1'\napi_key = 'literal'", "never written here"),
        ("[accounts.shop\n", "not valid TOML"),
        (
            "[accounts.s]\ntarget='kapture'\nbase_url='http://example.com'\nkeys={push={env='KAPTURE_PUSH_KEY'}}",
            "https",
        ),
    ],
)
def test_settings_that_are_wrong_are_refused_with_what_to_write(
    tmp_path: Path, broken: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAPTURE_PUSH_KEY", "x")
    (tmp_path / "pipeline.toml").write_text(broken)
    for command in ("check", "run", "status"):
        told = CliRunner().invoke(cli, [command, "--project", str(tmp_path)])
        assert told.exit_code == 2, told.output
        assert said in told.output
    assert not (tmp_path / "var").exists()


def test_a_folder_that_is_no_project_says_how_to_make_one(tmp_path: Path) -> None:
    told = CliRunner().invoke(cli, ["run", "--project", str(tmp_path)])
    assert told.exit_code == 2
    assert "orderdrop init" in told.output


def test_a_mapping_to_an_unknown_account_or_operation_is_refused(project: ProjectFolder) -> None:
    mapping = project.path / "mappings" / "orders.yaml"
    mapping.write_text(
        mapping.read_text() + "  - {account: shopp, operation: order}\n  - {account: shop, operation: ordr}\n"
    )
    told = call(project, "check")
    assert told.exit_code == 2
    assert "'shop'" in told.output
    assert "'order'" in told.output


def test_check_online_tells_a_bad_key_from_a_dead_host(
    project: ProjectFolder, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = call(project, "check", "--online")
    assert good.exit_code == 0, good.output
    monkeypatch.setenv("ORDERDESK_API_KEY", "wrong")
    bad = call(project, "check", "--online", "--json")
    assert bad.exit_code != 0
    assert "wrong" not in bad.output.replace("wrong_", "")


def test_the_sandbox_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "pipeline", "sandbox", "--port", "0"],
        stdout=subprocess.PIPE, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        first = process.stdout.readline()
        url = first.split("listens on ")[1].split(". Put")[0]
        with urllib.request.urlopen(f"{url}/_sandbox/truth", timeout=10) as answer:
            assert json.load(answer)["orderdesk"]["orders"] == []
        process.terminate()
        assert process.wait(timeout=20) == 0


def test_on_a_terminal_a_run_shows_a_bar(project: ProjectFolder) -> None:
    project.drop("orders_1.csv", *(order_row(str(n), sku="course-basic") for n in range(20)))
    main, side = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", "run", "--project", str(project.path)], stdout=subprocess.PIPE, stderr=side,
        env={**project.environment(), "TERM": "xterm", "PYTHONPATH": str(Path(__file__).parents[2])}, cwd=project.path,
    ) as process:  # fmt: skip
        os.close(side)
        shown = b""
        while True:
            try:
                piece = os.read(main, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        process.communicate(timeout=60)
    os.close(main)
    assert b"sent" in shown
    assert process.returncode == 0


def test_the_demo_tells_the_whole_story_and_nothing_is_doubled(tmp_path: Path) -> None:
    told = CliRunner().invoke(cli, ["demo", "--keep", str(tmp_path / "demo")])
    assert told.exit_code == 0, told.output
    assert "Created twice at any target: 0" in told.output
    assert "orderdrop find" in told.output
    status = CliRunner().invoke(cli, ["status", "--json", "--project", str(tmp_path / "demo")])
    document = json.loads(status.stdout)
    assert document["balanced"]
    assert all(f["state"] == "closed" for f in document["files"])
    assert len(document["files"]) == 6
    again = CliRunner().invoke(cli, ["demo", "--keep", str(tmp_path / "demo")])
    assert again.exit_code == 2


def test_an_error_nobody_foresaw_is_a_sentence_without_what_it_quotes(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise KeyError("anna@example.com")

    monkeypatch.setattr("pipeline.status.read_status", fails)
    ended = call(project, "status", "--json")
    assert ended.exit_code == 1
    said = json.loads(ended.stdout)["error"]
    assert "KeyError" in said
    assert "Nothing is lost" in said
    assert "doctor --bundle" in said
    assert "anna" not in ended.output
