"""A file that takes long to send holds up nothing else that a watch has to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest
from project import SECRETS, ProjectFolder, order_row
from watched import orders, simulate

from pipeline.sandbox import all_targets
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.server import SandboxServer

LONG = 120
"""Orders, one a second: two minutes."""


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    made = ProjectFolder.make(tmp_path / "p", sandbox.base_urls())
    settings = made.path / "pipeline.toml"
    once_a_second = "rate = { burst = 1, per_second = 1 }"
    settings.write_text(settings.read_text().replace("rate = { burst = 1000, per_second = 1000 }", once_a_second, 1))
    return made


def _problem_rows(path: Path) -> set[str]:
    book = openpyxl.load_workbook(path, read_only=True)
    try:
        return {str(cells[0]) for cells in book["Fix these rows"].iter_rows(min_row=2, values_only=True)}
    finally:
        book.close()


def test_a_file_dropped_while_another_one_is_sent_is_looked_at_soon(
    project: ProjectFolder, sandbox: SandboxServer
) -> None:
    seen: list[tuple[int, set[str]]] = []
    crm = (project.path / "mappings" / "orders.yaml").read_text().split("deliver:")[0]
    other = crm.replace("feed: orders", "feed: other").replace('"orders*"', '"other*"')
    other += "deliver:\n  - {account: desk, operation: push_order}\n"
    (project.path / "mappings" / "other.yaml").write_text(other)
    pushed: list[int] = []

    def look() -> None:
        (workbook,) = project.workbooks()
        seen.append((len(orders(sandbox)), _problem_rows(workbook)))
        pushed.append(len(sandbox.truth()["kapture"]["orders"]))

    script: dict[float, Callable[[], object]] = {
        0: lambda: project.drop("orders_long.csv", *(order_row(str(n)) for n in range(LONG))),
        5: lambda: project.drop("other.csv", order_row("wrong", qty="two"), order_row("right")),
        60: look,
    }
    heard, _ = simulate(project, script, end=300)

    there, told = seen[0]
    assert there < LONG, "the long file is still on its way, or this test proves nothing"
    assert told == {"wrong"}
    assert pushed == [1], "an account with little to do does not wait for one with much"
    assert set(orders(sandbox).values()) == {1}
    assert len(orders(sandbox)) == LONG
    assert f"{LONG} delivered" in heard.text()


def test_a_workbook_does_not_change_under_the_eyes_of_people_while_its_file_is_sent(
    project: ProjectFolder, sandbox: SandboxServer
) -> None:
    sandbox.faults.add([Fault("refuse", target="orderdesk", skip=40, times=1)])
    seen: list[bytes] = []

    def look() -> None:
        (workbook,) = project.workbooks()
        assert _problem_rows(workbook) == {"wrong"}
        seen.append(workbook.read_bytes())

    rows = [order_row("wrong", qty="two"), *(order_row(str(n)) for n in range(LONG))]
    script: dict[float, Callable[[], object]] = {
        0: lambda: project.drop("orders_long.csv", *rows),
        30: look,
        60: look,
        90: look,
    }
    simulate(project, script, end=300)

    assert len(set(seen)) == 1
    (workbook,) = project.workbooks()
    refused = {str(n) for n in range(LONG)} - set(orders(sandbox))
    assert len(refused) == 1
    assert _problem_rows(workbook) == {"wrong", *refused}
    assert list((project.path / "var" / "work").iterdir()) == []


def test_a_workbook_that_was_answered_leaves_the_tray_while_its_file_is_still_sent(
    project: ProjectFolder, sandbox: SandboxServer
) -> None:
    seen: list[list[Path]] = []

    def answer() -> None:
        (workbook,) = project.workbooks()
        book = openpyxl.load_workbook(workbook)
        sheet = book["Fix these rows"]
        sheet.cell(2, [cell.value for cell in sheet[1]].index("Qty") + 1).value = "1"
        book.save(project.path / "inbox" / workbook.name)  # a copy: the workbook itself stays where it is
        book.close()

    def look() -> None:
        assert len(orders(sandbox)) < LONG, "the long file is still on its way, or this test proves nothing"
        seen.append(project.workbooks())

    rows = [order_row("wrong", qty="two"), *(order_row(str(n)) for n in range(LONG))]
    script: dict[float, Callable[[], object]] = {
        0: lambda: project.drop("orders_long.csv", *rows),
        30: answer,
        70: look,
    }
    simulate(project, script, end=300)

    assert seen == [[]]
    assert orders(sandbox)["wrong"] == 1
    assert len(orders(sandbox)) == LONG + 1
