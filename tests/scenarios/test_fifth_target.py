"""A fifth target joins by one line in the registry: every verb works with it, and reconciling tells the truth of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner, Result
from jsonbox import SimulatedJsonBox
from project import HEADER, ORDERS_YAML, order_row

from pipeline.cli import cli
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.server import SandboxServer
from pipeline.targets import registry
from pipeline.targets.registry import TARGETS

SECRET = "s3cret-Zq7w"
SETTINGS = """
[intake]
settle_seconds = 0
[delivery]
patience_seconds = 3
[accounts.box]
target = "jsonbox"
base_url = "{url}"
api_key = {{ env = "BOX_KEY" }}
settle_seconds = 0
"""


class BoxProject:
    """A project folder whose one account is of the fifth target."""

    def __init__(self, folder: Path) -> None:
        self.box = SimulatedJsonBox(SECRET)
        self.sandbox = SandboxServer([self.box])
        self.path = folder
        for name in ("inbox", "mappings"):
            (folder / name).mkdir(parents=True)
        (folder / "pipeline.toml").write_text(SETTINGS.format(url=self.sandbox.base_urls()["jsonbox"]))
        (folder / "mappings" / "orders.yaml").write_text(ORDERS_YAML + "  - {account: box, operation: put}\n")

    def call(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, [*arguments, "--project", str(self.path)])

    def told(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        called = self.call(*arguments, "--json")
        return called.exit_code, json.loads(called.stdout)

    def deliver(self, *orders: str) -> None:
        rows = [order_row(number) for number in orders]
        path = self.path / "inbox" / f"orders_{'_'.join(orders)}.csv"
        path.write_text("\n".join([HEADER, *rows]) + "\n")
        assert self.call("run").exit_code == 0

    def reconcile(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        code, told = self.told("reconcile", *arguments)
        (account,) = told["accounts"]
        return code, account


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BoxProject]:
    # This is the one existing file that a fifth target touches.
    monkeypatch.setattr(registry, "TARGETS", {**TARGETS, "jsonbox": "jsonbox"})
    monkeypatch.setenv("BOX_KEY", SECRET)
    made = BoxProject(tmp_path / "p")
    with made.sandbox:
        yield made


def test_every_verb_works_with_it(project: BoxProject) -> None:
    assert project.told("check", "--online")[0] == 0
    sample = project.path / "orders_sample.csv"
    sample.write_text(f"{HEADER}\n{order_row('1001')}\n")
    code, preview = project.told("preview", str(sample))
    assert (code, preview["requests"][0]["url"].endswith("/documents")) == (0, True)
    assert project.box.documents == []
    project.deliver("1001", "1002")
    assert [one["key"] for one in project.box.documents] == ["1001", "1002"]
    assert project.told("status")[1]["accounts"][0]["target"] == "jsonbox"
    assert project.told("find", "1002")[1]["deliveries"][0]["remote_id"] == "2"
    assert project.reconcile()[0] == 0
    assert SECRET not in json.dumps(preview)


def test_a_lost_answer_is_looked_up_there_too(project: BoxProject) -> None:
    project.sandbox.faults.add([Fault("drop_after", times=2)])
    project.deliver("1001", "1002", "1003")
    assert sorted(one["key"] for one in project.box.documents) == ["1001", "1002", "1003"]


def test_only_the_registry_names_the_targets() -> None:
    """Apart from the targets' own folders and the simulations: a list of names elsewhere would want a fifth entry."""
    house = Path(registry.__file__).parents[1]
    rooms = [path for path in house.rglob("*.py") if path.relative_to(house).parts[0] not in {"targets", "sandbox"}]
    listing = [path.name for path in rooms if all(name in path.read_text() for name in TARGETS)]
    assert listing in ([], ["demo.py"])  # the demo brings its own project folder with four accounts


# --- reconcile ---------------------------------------------------------------------------------------------------


def test_reconcile_tells_missing_extra_and_differing(project: BoxProject) -> None:
    project.deliver("1001", "1002", "1003")
    documents = project.box.documents
    del documents[0]
    documents[0]["document"]["fields"]["email"] = "other@example.com"
    documents += [
        {"id": "77", "key": "BY-HAND", "document": {"fields": {}}},
        {"id": "78", "key": "1003", "document": {"fields": {}}},
    ]
    code, told = project.reconcile("--workbook")
    assert code == 1
    assert told["checked"] == 3
    assert [(one["key"], one["remote_id"], one["file"], one["rows"]) for one in told["missing"]] == [
        ("1001", "1", "orders_1001_1002_1003.csv", [2])
    ]
    assert [(one["key"], one["remote_id"]) for one in told["extra"]] == [("BY-HAND", "77"), ("1003", "78")]
    assert "twice" in told["extra"][1]["why"]
    assert [(one["key"], one["field"], one["ours"], one["theirs"]) for one in told["differing"]] == [
        ("1002", "email", "anna@example.com", "other@example.com")
    ]
    shown = project.call("reconcile")
    assert shown.exit_code == 1
    assert "missing    1001 (id there 1), from orders_1001_1002_1003.csv row 2" in shown.output
    assert "1 missing, 2 extra, 1 differing" in shown.output


def test_the_workbook_of_a_reconciliation_holds_texts_only(project: BoxProject) -> None:
    project.deliver("1001")
    project.box.documents.append(
        {"id": '=HYPERLINK("x")', "key": "=1+1", "document": {"fields": {"email": "<r>x</r>"}}}
    )
    assert project.call("reconcile", "--workbook").exit_code == 1
    (path,) = (project.path / "var" / "reconcile").iterdir()
    assert path.name.startswith("box-20")
    book = openpyxl.load_workbook(path)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert [cell.value for cell in book["Extra there"][2]] == [
        "=1+1", "order", '=HYPERLINK("x")', "the ledger does not know it", "email: <r>x</r>"
    ]  # fmt: skip
    assert not (project.path / "errors").exists() or not list((project.path / "errors").iterdir())


def test_reconcile_changes_nothing_and_bears_throttle_and_lost_answers(project: BoxProject) -> None:
    project.deliver("1001")
    before = _rows(project.path)
    project.sandbox.faults.add([
        Fault("drop_before", times=1, only_writes=False), Fault("throttle", times=1, only_writes=False, seconds=0.1)
    ])  # fmt: skip
    assert project.reconcile()[0] == 0
    assert _rows(project.path) == before
    assert [call.method for call in project.sandbox.calls].count("POST") == 1


def test_a_list_that_cannot_be_read_accuses_nobody(project: BoxProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.delivery.lists.MAX_READS", 1)
    project.deliver("1001")
    for kind in ("unauthorized", "html", "drop_before"):
        project.sandbox.faults.clear()
        project.sandbox.faults.add([Fault(kind, only_writes=False)])
        code, told = project.reconcile()
        assert (code, told["missing"], told["checked"]) == (3, [], 0)
        assert "could not be read" in told["note"]


def test_reconcile_knows_what_was_not_delivered_by_it(project: BoxProject) -> None:
    assert project.reconcile()[1]["note"] == "Nothing was delivered here so far."
    assert project.call("reconcile", "--account", "bax").exit_code == 2
    project.deliver("1001")
    project.sandbox.faults.add([Fault("refuse", method="POST")])
    (project.path / "inbox" / "orders_2.csv").write_text(f"{HEADER}\n{order_row('1002')}\n")
    assert project.call("run").exit_code == 1
    project.box.documents.append({"id": "9", "key": "1002", "document": {"fields": {}}})
    code, told = project.reconcile()
    assert (code, [one["why"] for one in told["extra"]]) == (1, ["the ledger counts it as refused"])
    code, told = project.reconcile("--since", "2099-01-01")
    assert (told["missing"], [one["key"] for one in told["extra"]]) == ([], ["1002"])


def _rows(folder: Path) -> list[str]:
    """All that the ledger holds, but for how far an account's rate is used up: reads use it, too."""
    with sqlite3.connect(folder / "var" / "ledger.db") as ledger:
        dumped = [line for line in ledger.iterdump() if not line.startswith('INSERT INTO "moments" VALUES(\'pace ')]
    ledger.close()
    return dumped
