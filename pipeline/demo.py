"""``orderdrop demo``: the whole story on a throw-away folder, with the sandbox as the four targets."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from pipeline.closing.balance import in_words
from pipeline.closing.reference import ADVICE, PROBLEM
from pipeline.errors import SetupError
from pipeline.project import load_plan, opened
from pipeline.run import Report, run
from pipeline.samples import write_samples
from pipeline.sandbox import all_targets
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.server import SandboxServer
from pipeline.starter import make_project
from pipeline.trail import LogChoice, progress_for

WORKBOOK = "ACME_orders_0105.errors.xlsx"

CORRECTIONS: Mapping[tuple[str, str], str] = {
    ("Order #", "4.80211E+17"): "480211200083375121",
    ("Order Date", "13/45/2026"): "01/03/2026",
    ("Status", "RTX"): "SHP",
    ("ZIP", "03103"): "78701",
    ("Qty", "0"): "1",
    ("Email", ""): "yara.lindqvale@example.com",
}
"""What the person in the story puts into the red cells, by header and wrong value."""

SECRETS = {
    "orderdesk.txt": "sandbox-key",
    "keap.txt": "sandbox-key",
    "influencersoft.txt": "sandbox-key",
    "kapture.txt": "sandbox-push-key",
}

SETTINGS = """\
# Made by `orderdrop demo`: the four accounts are simulated on this machine and gone when the demo ends.
[project]
timezone = "America/New_York"

[intake]
settle_seconds = 0

[accounts.shop]
target = "orderdesk"
store_id = "90001"
api_key = {{ file = "secrets/orderdesk.txt" }}
base_url = "{orderdesk}"
rate = {{ burst = 1000, per_second = 1000 }}
settle_seconds = 2

[accounts.crm]
target = "keap"
api_key = {{ file = "secrets/keap.txt" }}
base_url = "{keap}"
custom_fields = {{ order_id = "_ExternalOrderId", status = "_FulfillmentStatus" }}
rate = {{ burst = 1000, per_second = 1000 }}
settle_seconds = 2

[accounts.school]
target = "influencersoft"
login = "demo-shop"
api_key = {{ file = "secrets/influencersoft.txt" }}
base_url = "{influencersoft}"
rate = {{ burst = 1000, per_second = 1000 }}

[accounts.desk]
target = "kapture"
base_url = "{kapture}"
keys = {{ push = {{ file = "secrets/kapture.txt" }} }}
rate = {{ burst = 1000, per_second = 1000 }}
"""

WEATHER = (
    Fault("drop_after", target="orderdesk", path="/orders", times=2, skip=1),
    Fault("drop_before", target="orderdesk", path="/orders", times=1, skip=3),
    Fault("drop_after", target="keap", path="/orders", times=2, skip=2),
)
"""Answers that get lost on the way back: the reason this tool exists."""


ENDED = ("delivered", "already_there", "unchanged", "refused")


def play(keep: Path | None) -> int:
    """Play the story in ``keep`` or a new temporary folder, and leave everything there to look at."""
    folder = _stage(keep)
    with SandboxServer(all_targets()) as sandbox:
        _set_up(folder, sandbox)
        _tell(f"1. Five files are dropped into {folder}/inbox")
        for path in write_samples(folder / "inbox"):
            click.echo(f"     {path.name}")
        sandbox.faults.add(list(WEATHER))
        _tell("2. orderdrop run   (the sandbox loses five answers on the way, three different orders and two targets)")
        first = _run(folder)
        for entry in first.balance["files"]:
            click.echo(f"     {in_words(entry)}")
        _tell("3. What arrived, by the targets' own count")
        _arrived(sandbox)
        _tell(f"4. What came back: errors/{WORKBOOK}")
        corrected = _correct(folder)
        _tell(f"5. Somebody corrects {corrected} cells, saves, and drops the workbook into inbox/. orderdrop run")
        second = _run(folder)
        click.echo(f"     {in_words(second.balance['files'][-1])}")
        _arrived(sandbox)
        doubled = sum(len(keys) for keys in sandbox.duplicates().values())
    _tell("6. The balance")
    _balance(second.balance)
    click.echo(f"     Created twice at any target: {doubled}")
    _good_bye(folder)
    return 0 if not doubled and second.balance["balanced"] else 1


def _stage(keep: Path | None) -> Path:
    folder = keep or Path(tempfile.mkdtemp(prefix="orderdrop-demo-"))
    if folder.exists() and any(folder.iterdir()):
        raise SetupError(f"{folder} is not empty; the demo plays in a folder of its own.")
    return folder.resolve()


def _set_up(folder: Path, sandbox: SandboxServer) -> None:
    make_project(folder)
    (folder / "secrets").mkdir()
    for name, value in SECRETS.items():
        (folder / "secrets" / name).write_text(value)
    (folder / "pipeline.toml").write_text(SETTINGS.format(**sandbox.base_urls()))


def _tell(text: str) -> None:
    click.echo()
    click.secho(text, bold=True)


def _run(folder: Path) -> Report:
    with opened(load_plan(folder)) as project, progress_for(LogChoice()) as progress:
        return run(project, threading.Event(), progress)


def _arrived(sandbox: SandboxServer) -> None:
    for name, truth in sandbox.truth().items():
        counted = ", ".join(f"{len(things)} {kind.replace('_', ' ')}" for kind, things in truth.items() if things)
        click.echo(f"     {name:15} {counted or 'nothing'}")


def _correct(folder: Path) -> int:
    """Show what the workbook says, put the right values in, and drop it back; returns the cells changed."""
    import openpyxl

    path = folder / "errors" / WORKBOOK
    book = openpyxl.load_workbook(path)
    sheet = book["Fix these rows"]
    header = [str(cell.value or "") for cell in sheet[1]]
    changed = 0
    for row in sheet.iter_rows(min_row=2):
        texts = dict(zip(header, (str(cell.value or "") for cell in row), strict=True))
        click.echo(f"     {texts['Order #']:20} {texts[PROBLEM].splitlines()[0]}")
        click.echo(f"     {'':20} → {texts[ADVICE].splitlines()[0]}")
        changed += _correct_row(header, row)
    book.save(folder / "inbox" / WORKBOOK)
    return changed


def _correct_row(header: list[str], row: Any) -> int:  # noqa: ANN401 - openpyxl's row of cells
    changed = 0
    for name, cell in zip(header, row, strict=True):
        right = CORRECTIONS.get((name, str(cell.value or "")))
        if right is not None:
            cell.value = right
            changed += 1
    return changed


def _balance(told: Mapping[str, Any]) -> None:
    for entry in told["files"]:
        rows = entry["rows"]
        click.echo(
            f"     {entry['file']:36} {rows['read']:3} rows = {rows['accepted']} accepted + "
            f"{rows['rejected']} rejected + {rows['skipped']} skipped"
        )
    for account in told["accounts"]:
        ended = ", ".join(f"{account[state]} {state}" for state in ENDED if account[state])
        still = f"{account['waiting']} waiting, {account['in_doubt']} in doubt"
        click.echo(f"     {account['account']:15} {ended}; {still}")


def _good_bye(folder: Path) -> None:
    click.echo(f"""
Where to look
     {folder}/errors          workbooks that still wait for a person: open one
     {folder}/var/archive     the originals
What to try next
     orderdrop status --project {folder}
     orderdrop find 480211200034718785 --project {folder}
     orderdrop init my-orders       a project of your own
     orderdrop sandbox              the simulated targets, for as long as you like""")
