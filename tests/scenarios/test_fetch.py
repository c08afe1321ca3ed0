"""``orderdrop fetch`` and the pickups of ``check``, as a person meets them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pickup_place import ORDERS, make_project
from project import SECRETS, ProjectFolder
from sftp_servers import Cupboard, Server, misbehaving

from pipeline.cli import cli


@pytest.fixture
def cupboard() -> Cupboard:
    return Cupboard()


@pytest.fixture
def server(cupboard: Cupboard) -> Iterator[Server]:
    with misbehaving(cupboard) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    for name, value in (SECRETS | {"PARTNER_PASSWORD": "right"}).items():
        monkeypatch.setenv(name, value)
    return make_project(tmp_path / "p")


def say(project: ProjectFolder, settings: str) -> None:
    path = project.path / "pipeline.toml"
    path.write_text(path.read_text().partition("[pickups")[0] + settings + "\n")


def call(project: ProjectFolder, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--project", str(project.path)])


def test_from_an_unknown_host_to_files_in_the_inbox(project: ProjectFolder, server: Server, cupboard: Cupboard) -> None:
    cupboard.files["orders_1.csv"] = ORDERS.encode()
    say(project, server.settings(host_key=None))
    refused = call(project, "fetch", "partner")
    assert refused.exit_code == 2
    line = next(line for line in refused.output.splitlines() if line.strip().startswith("host_key = "))
    say(project, server.settings(host_key=None) + "\n" + line.strip())  # what the message says to do is enough
    fetched = call(project, "fetch", "partner")
    assert (fetched.exit_code, fetched.exception and str(fetched.exception)) in {(0, None)}, fetched.output
    assert "partner: 1 file fetched" in fetched.output
    again = call(project, "fetch", "--json")
    assert json.loads(again.stdout)["pickups"][0]["known"] == 1
    assert (project.path / "inbox" / "orders_1.csv").read_text() == ORDERS
    checked = call(project, "check", "--online", "--json")
    told = {line["what"]: line["message"] for line in json.loads(checked.stdout)["lines"]}
    assert "1 files fit its patterns" in told["pickup partner online"]
    assert "no schedule" in told["pickup partner"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schedule": "0 25 * * *"}, "'25' is not a number from 0 to 23"),
        ({"into": "ordres"}, "Did you mean 'orders'?"),
        ({"after": "burn"}, "after"),
        ({"shedule": "0 6 * * *"}, "unknown key 'shedule'. Did you mean 'schedule'?"),
        ({"remote": ["/*/x.csv"]}, "only there may"),
        ({"host_key": "ssh-ed25519 nonsense"}, "is no host key"),
        ({"archive_folder": "../up"}, "archive_folder"),
        ({"known_hosts": "none"}, "known_hosts none cannot be read"),
        ({"key_file": "none"}, "key_file none cannot be read"),
    ],
)
def test_a_pickup_that_is_wrongly_set_up_is_refused_with_what_to_change(
    project: ProjectFolder, server: Server, cupboard: Cupboard, change: dict[str, object], said: str
) -> None:
    say(project, server.settings(**change))
    told = call(project, "fetch")
    assert (told.exit_code, said in told.output) == (2, True), told.output
    assert cupboard.connections == 0


def test_names_that_are_not_there(project: ProjectFolder, server: Server) -> None:
    assert "There is no pickup in pipeline.toml" in call(project, "fetch").output
    say(project, server.settings())
    told = call(project, "fetch", "partnr")
    assert told.exit_code == 2
    assert "Did you mean 'partner'?" in told.output


def test_one_server_that_is_away_does_not_hold_up_the_other(
    project: ProjectFolder, server: Server, cupboard: Cupboard
) -> None:
    cupboard.files["orders_1.csv"] = ORDERS.encode()
    good, port = server.settings(), server.port
    server.port = 1
    say(project, server.settings().replace("[pickups.partner]", "[pickups.away]") + "\n" + good)
    server.port = port
    told = call(project, "fetch")
    assert told.exit_code == 3
    assert "away: 0 files fetched" in told.output
    assert "partner: 1 file fetched" in told.output


def test_a_password_in_plain_sight_is_refused(project: ProjectFolder, server: Server) -> None:
    say(project, server.settings().replace('{ env = "PARTNER_PASSWORD" }', '"right"'))
    told = call(project, "fetch")
    assert told.exit_code == 2
    assert "a secret is never written here" in told.output
