"""People are told: by real mail and real HTTP, once, with the workbook, and never at the cost of a delivery."""

from __future__ import annotations

import io
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import sqlalchemy as sa
from listeners import Hook, Letters, http_hook, mail_server
from project import SECRETS, ProjectFolder, order_row
from shelf import FakeClock

from pipeline.check import check
from pipeline.errors import LedgerError
from pipeline.ledger.tables import alerts
from pipeline.progress import Quiet
from pipeline.project import load_good_plan, opened
from pipeline.run import run
from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer
from pipeline.tell import tell, telling_trouble

HOUR = 3600.0
ZONE = ZoneInfo("America/New_York")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def mail() -> Iterator[Letters]:
    with mail_server() as letters:
        yield letters


@pytest.fixture
def hook() -> Iterator[Hook]:
    with http_hook() as hook:
        yield hook


class Told(Quiet):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str, *_: object, **__: object) -> None:
        self.lines.append(text)


class Office:
    """A project whose people listen; time is what ``clock`` says."""

    def __init__(self, project: ProjectFolder, start: float) -> None:
        self.project = project
        self.clock = FakeClock(start)
        self.said = Told()

    def settings(self, text: str) -> None:
        path = self.project.path / "pipeline.toml"
        path.write_text(path.read_text().partition("\n[alerts")[0] + "\n" + text)

    def run(self) -> None:
        plan, _ = load_good_plan(self.project.path)
        with opened(plan, self.clock) as project:
            run(project, threading.Event(), Quiet())

    def tell(self, hours: float = 0.0) -> None:
        self.clock.time += hours * HOUR
        plan, stopped = load_good_plan(self.project.path)
        with opened(plan, self.clock) as project:
            tell(project, threading.Event(), self.said, stopped)


@pytest.fixture
def office(tmp_path: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Office:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    # In the future, so that files dropped now are settled by then; a Monday.
    return Office(ProjectFolder.make(tmp_path / "p", sandbox.base_urls()), at("2030-01-07T10:00"))


def by_mail(office: Office, mail: Letters, monkeypatch: pytest.MonkeyPatch, more: str = "") -> None:
    monkeypatch.setenv("ALERT_URL", mail.address)
    office.settings(f'[alerts.channels.office]\nurl = {{ env = "ALERT_URL" }}\n{more}\n')


def by_hook(office: Office, hook: Hook, monkeypatch: pytest.MonkeyPatch, more: str = "") -> None:
    monkeypatch.setenv("HOOK_URL", hook.address)
    office.settings(f'[alerts.channels.hook]\nurl = {{ env = "HOOK_URL" }}\n{more}\n')


def test_a_letter_brings_the_workbook_once_then_a_reminder_then_that_it_is_settled(
    office: Office, mail: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_mail(office, mail, monkeypatch)
    office.project.drop("orders_1.csv", order_row("1001"), order_row("1002", qty="two"))
    office.run()
    office.tell()
    assert len(mail.got) == 1
    assert "1 file needs a person" in mail.got[0]["subject"]
    assert "orders_1.csv: 1 row needs a correction." in mail.text()
    assert "What to do: Open errors/orders_1.errors.xlsx" in mail.text()
    written = office.project.path / "errors" / "orders_1.errors.xlsx"
    assert mail.attached() == {"orders_1.errors.xlsx": written.read_bytes()}
    sheet = openpyxl.load_workbook(io.BytesIO(mail.attached()["orders_1.errors.xlsx"])).worksheets[0]
    assert "two" in [cell.value for row in sheet.iter_rows() for cell in row]
    for _ in range(5):
        office.tell(hours=4)
    assert len(mail.got) == 1
    office.tell(hours=4.1)
    assert len(mail.got) == 2
    assert "(still)" in mail.got[1]["subject"]
    assert "Still open:" in mail.text()
    assert "since Monday 07 January, 10:00" in mail.text()
    assert mail.attached() == {}
    written.unlink()  # taken out of the tray
    office.run()
    office.tell(hours=1)
    office.tell(hours=1)
    assert len(mail.got) == 3
    assert "Settled, nothing more to do:" in mail.text()
    assert rows(office) == []


def rows(office: Office) -> list[sa.Row]:  # type: ignore[type-arg]
    engine = sa.create_engine(f"sqlite:///{office.project.path / 'var' / 'ledger.db'}")
    with engine.connect() as connection:
        found = list(connection.execute(sa.select(alerts)))
    engine.dispose()
    return found


def test_a_hook_gets_the_same_with_the_workbook(office: Office, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    by_hook(office, hook, monkeypatch)
    office.project.drop("orders_1.csv", order_row("1002", qty="two"))
    office.project.drop("orders_2.csv", order_row("1003", qty="three"))
    office.run()
    office.tell()
    assert len(hook.got) == 1
    assert "2 files need a person" in hook.got[0]["title"]
    errors = office.project.path / "errors"
    assert hook.attached() == {path.name: path.read_bytes() for path in errors.iterdir()}


def test_names_of_files_stay_text(office: Office, mail: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    by_mail(office, mail, monkeypatch)
    office.project.drop('<img src=x onerror=a()> @everyone?name=x&"b.txt', "nothing", header="at all")
    office.run()
    office.tell()
    letter = mail.got[0]
    kinds = {part.get_content_type() for part in letter.walk()}
    assert "text/html" not in kinds
    assert "<img" not in mail.text()
    assert "@everyone" not in mail.text()
    assert "‹img src=x" in mail.text()
    assert len(mail.attached()) == 1


def test_a_paused_account_is_told_without_its_key_and_settled_when_it_goes_on(
    office: Office, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hook(office, hook, monkeypatch)
    monkeypatch.setenv("ORDERDESK_API_KEY", "a-wrong-and-secret-key")
    office.project.drop("orders_1.csv", order_row("1001"))
    office.run()
    office.tell()
    assert "Account shop (orderdesk) is paused" in hook.got[0]["message"]
    assert "a-wrong-and-secret-key" not in str(hook.got)
    monkeypatch.setenv("ORDERDESK_API_KEY", SECRETS["ORDERDESK_API_KEY"])
    office.run()
    office.tell(hours=1)
    assert "Settled" in hook.got[1]["message"]
    assert len(hook.got) == 2


def test_a_channel_that_fails_is_tried_again_and_the_others_are_told(
    office: Office, mail: Letters, hook: Hook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HOOK_URL", hook.address)
    monkeypatch.setenv("ALERT_URL", mail.address)
    office.settings(
        '[alerts.channels.office]\nurl = { env = "ALERT_URL" }\n[alerts.channels.hook]\nurl = { env = "HOOK_URL" }\n'
    )
    hook.status = 500
    office.project.drop("orders_1.csv", order_row("1002", qty="two"))
    office.run()
    with caplog.at_level(logging.DEBUG):
        office.tell()
    assert (len(mail.got), hook.calls) == (1, 1)
    assert any("Channel hook could not be told" in line and "500" in line for line in office.said.lines)
    assert "s3cr3t" not in "".join(office.said.lines) + "".join(
        record.getMessage() for record in caplog.records if record.name != "mail.log"
    )
    office.tell(hours=1 / 60)
    assert hook.calls == 1  # it rests
    office.tell(hours=0.2)
    assert hook.calls == 2
    hook.status = 200
    office.tell(hours=1)
    assert (len(mail.got), len(hook.got)) == (1, 1)
    office.tell(hours=1)
    assert hook.calls == 3


def test_a_channel_that_hangs_costs_its_time_out_and_no_more(
    office: Office, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook.address += "?rto=30"
    by_hook(office, hook, monkeypatch, "timeout_seconds = 1")
    hook.hang = threading.Event()
    office.project.drop("orders_1.csv", order_row("1002", qty="two"))
    office.run()
    office.tell()
    assert any("no answer within 1 seconds" in line for line in office.said.lines)
    office.tell(hours=0.5)
    assert any("the sending before it still hangs" in line for line in office.said.lines)
    assert hook.calls == 1


def test_killed_while_sending_nobody_is_told_twice_and_the_reminder_comes(
    office: Office, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hook(office, hook, monkeypatch)
    office.project.drop("orders_1.csv", order_row("1002", qty="two"))
    office.run()

    class Killed(BaseException):
        pass

    def killed(*_: object) -> dict[str, str | None]:
        send_all(*_)  # type: ignore[arg-type]
        raise Killed

    from pipeline.alerts.channel import send_all

    monkeypatch.setattr("pipeline.alerts.channel.send_all", killed)
    with pytest.raises(Killed):
        office.tell()
    monkeypatch.setattr("pipeline.alerts.channel.send_all", send_all)
    for _ in range(3):
        office.tell(hours=1)
    assert len(hook.got) == 1
    office.tell(hours=24)
    assert len(hook.got) == 2


def test_quiet_hours_and_digests_in_the_projects_zone(
    office: Office, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hook(office, hook, monkeypatch, 'digest = ["08:00", "13:00"]\nquiet_days = "sat,sun"\nquiet = "18:00-07:00"')
    office.project.drop("orders_1.csv", order_row("1002", qty="two"))
    office.clock.time = at("2030-01-10T10:00")  # a Thursday
    office.run()
    for moment, told in [
        ("2030-01-10T10:00", 0), ("2030-01-10T12:59", 0), ("2030-01-10T13:00:40", 1), ("2030-01-11T13:00:10", 2),
        ("2030-01-11T23:00", 2), ("2030-01-12T13:30", 2), ("2030-01-14T00:01", 2), ("2030-01-14T07:59", 2),
        ("2030-01-14T08:00:30", 3), ("2030-01-14T13:01", 3), ("2030-01-15T08:00:10", 4),
    ]:  # fmt: skip
        office.clock.time = at(moment)
        office.tell()
        assert len(hook.got) == told, moment


def test_what_is_urgent_does_not_wait_for_the_morning(
    office: Office, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hook(office, hook, monkeypatch, 'quiet = "18:00-08:00"\nurgent = ["account_paused"]')
    monkeypatch.setenv("ORDERDESK_API_KEY", "wrong")
    office.clock.time = at("2030-01-07T23:00")
    office.project.drop("orders_1.csv", order_row("1001"), order_row("1002", qty="two"))
    office.run()
    office.tell()
    assert len(hook.got) == 1
    assert "orders_1.csv" not in hook.got[0]["message"]
    office.tell(hours=9.1)
    assert len(hook.got) == 2
    assert "orders_1.csv" in hook.got[1]["message"]


def test_a_key_that_expires_a_silent_day_and_a_stopped_feed(
    office: Office, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hook(office, hook, monkeypatch)
    path = office.project.path / "pipeline.toml"
    text = path.read_text().replace("keys = { push", "expires = { push = 2030-01-20 }\nkeys = { push")
    path.write_text(
        text.replace("\n[alerts", '\n[alerts]\nnothing_delivered_hours = 26\nworking_days = "mon-fri"\n[alerts', 1)
    )
    mapping = office.project.path / "mappings" / "orders.yaml"
    good = mapping.read_text()
    mapping.write_text(good.replace("parse: money", "parse: mony"))
    office.tell()
    message = hook.got[0]["message"]
    assert "The push key of account desk (kapture) expires on 2030-01-20, in 13 days." in message
    assert "Feed orders is stopped" in message
    mapping.write_text(good)
    office.clock.time = at("2030-01-11T10:00")  # Friday
    office.project.drop("orders_1.csv", order_row("1001"))
    office.run()
    office.tell()
    office.clock.time = at("2030-01-14T09:00")  # 71 hours later, 23 of them on working days
    office.tell()
    assert "Nothing was delivered" not in str(hook.got)
    office.clock.time = at("2030-01-14T13:00")
    office.tell()
    assert "Nothing was delivered to any account since Friday 11 January, 10:00" in hook.got[-1]["message"]


def test_a_pickup_that_brings_nothing_by_its_hour(office: Office, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    by_hook(office, hook, monkeypatch)
    path = office.project.path / "pipeline.toml"
    pickup = (
        '\n[pickups.partner]\nhost = "127.0.0.1"\nusername = "u"\nagent = true\nremote = "/out/*.csv"\n'
        'expect_by = "08:00"\nexpect_days = "mon-fri"\n'
    )
    path.write_text(path.read_text().replace("\n[alerts", pickup + "[alerts", 1))
    office.tell()  # Monday 10:00, seen for the first time
    office.clock.time = at("2030-01-08T07:55")
    office.tell()
    assert hook.got == []
    office.clock.time = at("2030-01-08T08:01")
    office.tell()
    assert "Pickup partner (127.0.0.1) brought nothing new by Tuesday 08 January, 08:00." in hook.got[0]["message"]
    remember(office, at("2030-01-08T09:00"))
    office.tell(hours=1)
    assert "Settled" in hook.got[1]["message"]
    remember(office, at("2030-01-11T06:00"))
    office.clock.time = at("2030-01-12T12:00")  # Saturday: nothing is expected
    office.tell()
    assert len(hook.got) == 2
    office.clock.time = at("2030-01-14T08:30")
    office.tell()
    assert "by Monday 14 January, 08:00" in hook.got[2]["message"]


def remember(office: Office, moment: float) -> None:
    from pipeline.ledger import pickups as memory

    plan, _ = load_good_plan(office.project.path)
    with opened(plan, office.clock) as project:
        values = {
            "pickup": "partner", "path": f"/out/{moment}.csv", "size": 1, "mtime": 1, "sha256": "x" * 64,
            "fetched_at": moment, "file_name": "x.csv",
        }  # fmt: skip
        project.writer.write(lambda c: memory.remember(c, values))


def test_doubts_are_told_when_they_are_old(
    office: Office, sandbox: SandboxServer, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.sandbox.faults import Fault

    by_hook(office, hook, monkeypatch, 'events = ["doubt"]')
    mapping = office.project.path / "mappings" / "orders.yaml"
    mapping.write_text(
        mapping.read_text().replace("account: shop, operation: order", "account: desk, operation: push_order")
    )
    sandbox.faults.add([Fault("drop_after", target="kapture", times=1)])
    office.project.drop("orders_1.csv", order_row("1001"))
    office.run()
    office.tell(hours=1)
    assert hook.got == []
    office.tell(hours=4)
    assert "1 delivery to desk (kapture) may or may not have arrived" in hook.got[0]["message"]
    assert "1001" in hook.got[0]["message"]
    assert "orderdrop doubt settle" in hook.got[0]["message"]


def test_a_file_whose_doubts_only_a_person_can_settle_needs_that_person(
    office: Office, sandbox: SandboxServer, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.sandbox.faults import Fault

    by_hook(office, hook, monkeypatch)
    mapping = office.project.path / "mappings" / "orders.yaml"
    mapping.write_text(
        mapping.read_text().replace("account: shop, operation: order", "account: desk, operation: push_order")
    )
    sandbox.faults.add([Fault("drop_after", target="kapture", times=1)])
    office.project.drop("orders_1.csv", order_row("1001"))
    office.run()
    office.tell()
    assert "orders_1.csv: 1 delivery may or may not have arrived." in hook.got[0]["message"]
    assert "answer in the sheet 'Settle these doubts'" in hook.got[0]["message"]


def test_a_disk_that_is_nearly_full_and_a_folder_that_goes_away(
    office: Office, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hook(office, hook, monkeypatch, 'events = ["disk"]')
    path = office.project.path / "pipeline.toml"
    path.write_text(path.read_text().replace("\n[alerts", "\n[alerts]\ndisk_free_mb = 900000000\n[alerts", 1))
    office.tell()
    assert "is nearly full" in hook.got[0]["message"]

    def gone(_path: Path) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr("shutil.disk_usage", gone)
    office.tell(hours=25)
    assert any("Nobody could be told" in line for line in office.said.lines)


def test_a_ledger_that_cannot_be_used_is_told_once(office: Office, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    by_hook(office, hook, monkeypatch)
    office.project.call("run")
    ledger = office.project.path / "var" / "ledger.db"
    ledger.write_bytes(b"no database at all" * 1000)
    for rest in ledger.parent.glob("ledger.db-*"):
        rest.unlink()

    def start() -> None:
        with pytest.raises(LedgerError), telling_trouble(office.project.path):
            office.run()

    hook.status = 500
    start()
    assert (hook.calls, len(hook.got)) == (1, 0)  # nobody was reached: it is no news to nobody
    hook.status = 200
    for _ in range(3):
        start()
    assert len(hook.got) == 1
    assert "everything stopped" in hook.got[0]["title"]
    ahead = time.time() + 90 * 86400  # told while the clock stood ahead, which was set right since
    os.utime(office.project.path / "var" / "trouble.told", (ahead, ahead))
    start()
    start()
    assert len(hook.got) == 2


def test_the_commands(office: Office, mail: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    by_mail(office, mail, monkeypatch)
    sent = office.project.call("alerts", "test")
    assert (sent.code, sent.out) == (0, "office: sent.\n"), sent.err
    assert "This is a test" in mail.text()
    office.project.drop("orders_1.csv", order_row("1002", qty="two"))
    assert office.project.run().code == 1
    assert len(mail.got) == 2
    told = office.project.call("alerts")
    assert told.code == 1
    assert "orders_1.csv: 1 row needs a correction." in told.out
    assert "Told: office" in told.out
    mail.refuse = "550 no such person"
    failed = office.project.call("alerts", "test", "office")
    assert failed.code == 3
    assert "NOT SENT" in failed.out
    assert "Did you mean 'office'?" in office.project.call("alerts", "test", "ofice").err
    lines = {line["what"]: line["message"] for line in office.project.call("check", "--json").json()["lines"]}
    assert lines["alerts: office"].startswith("E-Mail, takes workbooks along; every event")


def checked(office: Office) -> str:
    told = check(office.project.path, online=False)
    assert told["exit_code"] == 2
    return "\n".join(line["message"] for line in told["lines"])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('events = ["fiel"]', "Did you mean 'file'?"),
        ('digest = ["25:00"]', "'25:00' is not a time of day"),
        ('quiet = "evening"', "is not a time of day"),
        ('quiet_days = "mon-sun"', "nobody would ever be told"),
        ('digest = ["13:00"]\nquiet = "12:00-14:00"', "lies in the quiet"),
        ('evnts = ["file"]', "Did you mean 'events'?"),
        ("remind_hours = 0.01", "at least 0.25"),
        ("timeout_seconds = 0", "from 1 to 300"),
    ],
)
def test_a_channel_that_is_wrongly_set_up_is_refused_with_what_to_change(
    office: Office, mail: Letters, monkeypatch: pytest.MonkeyPatch, more: str, said: str
) -> None:
    by_mail(office, mail, monkeypatch, more)
    assert said in checked(office)


def test_an_address_that_is_none_is_told_without_itself(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERT_URL", "slak://secret-token-1/secret-token-2")
    office.settings('[alerts.channels.office]\nurl = { env = "ALERT_URL" }\n')
    assert "is not an address that Apprise can use" in checked(office)
    assert "secret-token" not in checked(office)
    office.settings('[alerts.channels.office]\nurl = "mailto://x:y@example.com"\n')
    assert "a secret is never written here" in checked(office)
    office.settings('[alerts.channels.office]\nurl = { env = "NOT_THERE" }\n')
    assert "[alerts.channels.office] url: environment variable NOT_THERE is not set" in checked(office)


def test_apprise_is_not_loaded_where_nobody_is_told(office: Office) -> None:
    import subprocess
    import sys

    program = (
        "import sys; from pipeline.cli import cli; cli.main(sys.argv[1:], standalone_mode=False); "
        "print(sorted({'apprise', 'requests'} & set(sys.modules)))"
    )
    for arguments in (
        ["--help"],
        ["status", "--project", str(office.project.path)],
        ["run", "--project", str(office.project.path)],
    ):
        ended = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
        assert Counter(ended.stdout.splitlines()[-1:]) == Counter(["[]"])
