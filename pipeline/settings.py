"""``pipeline.toml`` and the environment become frozen settings, complete or refused.

The only reader of the environment. A secret is never a literal: it travels as a :class:`Secret`, whose text shows
nothing.
"""

from __future__ import annotations

import ipaddress
import math
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from pipeline.errors import SetupError, nearest
from pipeline.secret import Secret as Secret  # noqa: PLC0414 - part of the settings for whoever reads them
from pipeline.secret import resolve_secrets, secrets_in

SETTINGS_FILE = "pipeline.toml"
_SECTIONS = (
    "project", "ledger", "intake", "delivery", "log", "monitor", "accounts", "pickups", "reconcile", "alerts",
)  # fmt: skip
T = TypeVar("T", bound=msgspec.Struct)


class ProjectTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[project]``"""

    timezone: str = "UTC"


class LedgerTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[ledger]``: an SQLAlchemy address; relative SQLite paths start at the project folder.

    ``keep_personal_data_days``: so many days after a file's last delivery has ended, what names people is blanked.
    """

    url: str = "sqlite:///var/ledger.db"
    keep_personal_data_days: Annotated[int, msgspec.Meta(ge=1)] | None = None


class IntakeTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[intake]``: a file is settled when its size and time have stood still for ``settle_seconds``.

    ``poll_seconds`` is how often ``watch`` lists the inbox where nothing tells it of new files, as on network shares.
    """

    settle_seconds: float = 5.0
    poll_seconds: float = 10.0


class DeliveryTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[delivery]``: ``patience_seconds`` is how long one ``run`` waits for work that is due soon."""

    patience_seconds: float = 20.0


class LogTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[log]``: the least level that is logged; ``debug`` has a line per delivery and per call."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class MonitorTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[monitor]``: where ``watch`` shows ``/metrics``, ``/ping`` and ``/ready``; nowhere by default."""

    listen: str | None = None


class Supervisor(msgspec.Struct, frozen=True):
    """What systemd has put into the environment: where it listens, and after how many seconds of silence it acts."""

    socket: str | None = None
    watchdog_seconds: float | None = None


class PickupTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[pickups.NAME]``: a place on an SFTP server, how to get in, what to fetch, and what becomes of it there.

    ``host_key`` is one or several lines as in a ``.pub`` file, or ``SHA256:…`` fingerprints. ``archive_folder`` is
    beside the file. With ``done_marker = ".done"``, ``x.csv`` is fetched once ``x.csv.done`` is there. With
    ``expect_by = "08:00"`` people are told when nothing new has come from there by then on a day of ``expect_days``.
    """

    host: str
    username: str
    remote: str | tuple[str, ...]
    port: int = 22
    key_file: str | None = None
    key_passphrase: Secret | None = None
    password: Secret | None = None
    agent: bool = False
    host_key: str | tuple[str, ...] = ()
    known_hosts: str | None = None
    schedule: str | None = None
    after: Literal["archive", "delete", "leave"] = "leave"
    archive_folder: str = "archive"
    done_marker: str | None = None
    into: str | None = None
    expect_by: str | None = None
    expect_days: str = "mon-sun"
    timeout_seconds: float = 30.0
    keepalive_seconds: int = 15
    disable_algorithms: Mapping[str, tuple[str, ...]] = {}
    old_algorithms: tuple[str, ...] = ()

    @property
    def patterns(self) -> tuple[str, ...]:
        """The remote patterns, at least one."""
        return (self.remote,) if isinstance(self.remote, str) else self.remote

    @property
    def host_keys(self) -> tuple[str, ...]:
        """The pinned host keys; none where ``known_hosts`` is to tell."""
        return (self.host_key,) if isinstance(self.host_key, str) else self.host_key


class ReconcileTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[reconcile]``: when ``watch`` compares with the targets' lists, and how many days back."""

    schedule: str | None = None
    days: int = 30


class ChannelTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[alerts.channels.NAME]``: an address as Apprise writes it (a secret: it holds keys), and what goes there when.

    ``digest`` are times of day, ``quiet`` stretches such as ``"20:00-07:00"``, ``quiet_days`` such as ``"sat,sun"``.
    """

    url: Secret
    events: tuple[str, ...] = ()
    urgent: tuple[str, ...] = ()
    digest: str | tuple[str, ...] = ()
    quiet: str | tuple[str, ...] = ()
    quiet_days: str = ""
    attach: bool = True
    settled: bool = True
    remind_hours: float | None = None
    timeout_seconds: float = 30.0


class AlertsTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[alerts]``: after how long something is worth telling people, and how often they are reminded (0: never)."""

    name: str = ""
    remind_hours: float = 24.0
    doubt_hours: float = 4.0
    waiting_hours: float = 6.0
    nothing_delivered_hours: float = 0.0
    working_days: str = "mon-sun"
    key_days: int = 14
    disk_free_mb: int = 500
    attach_mb: float = 10.0


class Settings(msgspec.Struct, frozen=True):
    """Everything ``pipeline.toml`` says. ``accounts`` are tables whose secrets are :class:`Secret`."""

    folder: Path
    project: ProjectTable
    ledger: LedgerTable
    intake: IntakeTable
    delivery: DeliveryTable
    log: LogTable
    monitor: MonitorTable
    accounts: Mapping[str, Mapping[str, Any]]
    pickups: Mapping[str, PickupTable]
    secrets: tuple[Secret, ...] = ()
    reconcile: ReconcileTable = ReconcileTable()
    alerts: AlertsTable = AlertsTable()
    channels: Mapping[str, ChannelTable] = {}

    @property
    def timezone(self) -> ZoneInfo:
        """The zone of dates that name none."""
        return ZoneInfo(self.project.timezone)

    @property
    def inbox(self) -> Path:
        """Where people drop files."""
        return self.folder / "inbox"

    @property
    def errors(self) -> Path:
        """Where workbooks come back."""
        return self.folder / "errors"

    @property
    def var(self) -> Path:
        """The machine's own folder."""
        return self.folder / "var"

    @property
    def ledger_url(self) -> str:
        """The ledger's address with a relative SQLite path made absolute."""
        prefix = "sqlite:///"
        url = self.ledger.url
        if url.startswith(prefix) and not url.startswith(prefix + "/"):
            return prefix + str((self.folder / url.removeprefix(prefix)).resolve())
        return url

    def missing_secrets(self) -> list[str]:
        """One sentence per secret that is not there: account, key and where it was looked for."""
        return [
            f"[{section}.{name}] {key}: {secret.source} is not set."
            for section, tables in (
                ("accounts", self.accounts),
                ("pickups", _as_tables(self.pickups)),
                ("alerts.channels", _as_tables(self.channels)),
            )
            for name, table in tables.items()
            for key, secret in secrets_in(table)
            if secret.missing
        ]


def load_settings(folder: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read ``pipeline.toml`` in ``folder``; ``SetupError`` says what is wrong and where.

    Missing secrets are not an error here (``preview`` needs none): see :meth:`Settings.missing_secrets`.
    """
    path = folder / SETTINGS_FILE
    raw = _read_toml(path)
    refuse_unknown(raw, _SECTIONS, SETTINGS_FILE)
    _refuse_impossible_numbers(raw, SETTINGS_FILE)
    known = resolve_secrets(raw, folder, os.environ if environment is None else environment)
    alerts = known.get("alerts", {})
    settings = Settings(
        folder=folder.resolve(),
        project=read_table(ProjectTable, known.get("project", {}), f"{SETTINGS_FILE} [project]"),
        ledger=read_table(LedgerTable, known.get("ledger", {}), f"{SETTINGS_FILE} [ledger]"),
        intake=read_table(IntakeTable, known.get("intake", {}), f"{SETTINGS_FILE} [intake]"),
        delivery=read_table(DeliveryTable, known.get("delivery", {}), f"{SETTINGS_FILE} [delivery]"),
        log=read_table(LogTable, known.get("log", {}), f"{SETTINGS_FILE} [log]"),
        monitor=read_table(MonitorTable, known.get("monitor", {}), f"{SETTINGS_FILE} [monitor]"),
        accounts=_tables(known, "accounts"),
        pickups={
            name: read_table(PickupTable, table, f"{SETTINGS_FILE} [pickups.{name}]")
            for name, table in _tables(known, "pickups").items()
        },
        secrets=tuple(secret for _, secret in secrets_in(known)),
        reconcile=read_table(ReconcileTable, known.get("reconcile", {}), f"{SETTINGS_FILE} [reconcile]"),
        alerts=read_table(AlertsTable, _without(alerts, "channels"), f"{SETTINGS_FILE} [alerts]"),
        channels={
            name: read_table(ChannelTable, table, f"{SETTINGS_FILE} [alerts.channels.{name}]")
            for name, table in _tables(alerts, "channels").items()
        },
    )
    _check_timezone(settings.project.timezone)
    return settings


def supervisor(environment: Mapping[str, str] | None = None) -> Supervisor:
    """What systemd asks of a service of ``Type=notify``; nothing where it did not start this process."""
    known = os.environ if environment is None else environment
    microseconds, meant_for = known.get("WATCHDOG_USEC", ""), known.get("WATCHDOG_PID")
    for_us = microseconds.isdecimal() and meant_for in {None, str(os.getpid())}
    return Supervisor(known.get("NOTIFY_SOCKET") or None, int(microseconds) / 1e6 if for_us else None)


def read_table(into: type[T], raw: Any, where: str) -> T:  # noqa: ANN401 - whatever TOML or YAML held
    """Turn a raw table into a frozen struct; unknown keys and wrong types are a ``SetupError`` naming ``where``."""
    if not isinstance(raw, Mapping):
        raise SetupError(f"{where}: expected a table of settings, found {raw!r}.")
    refuse_unknown(raw, into.__struct_encode_fields__, where)
    try:
        return msgspec.convert(raw, into, dec_hook=_keep_secret)
    except msgspec.ValidationError as problem:
        raise SetupError(f"{where}: {_plainly(problem)}.") from None


def refuse_unknown(raw: Mapping[str, Any], known: Any, where: str) -> None:  # noqa: ANN401 - any iterable of names
    """Refuse keys nobody reads: a misspelt setting must not be silently without effect."""
    for key in raw:
        if key not in known:
            raise SetupError(
                f"{where}: unknown key '{key}'.{nearest(key, known)} Known keys: {', '.join(sorted(known))}."
            )


def check_base_url(url: str, where: str) -> str:
    """The address without a trailing slash; plain ``http`` only to this machine: keys never travel in the clear."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SetupError(f"{where}: base_url '{url}' is not a web address; write https://host/path.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SetupError(
            f"{where}: base_url must hold no user name, password, '?' or '#'; keys have settings of their own."
        )
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise SetupError(f"{where}: base_url uses http to another machine; keys would travel in the clear. Use https.")
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise SetupError(
            f"No {SETTINGS_FILE} in {path.parent}. `orderdrop init DIR` makes a project folder; "
            "--project DIR names an existing one."
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise SetupError(f"{path} cannot be read: {problem}.") from None
    except tomllib.TOMLDecodeError as problem:
        raise SetupError(f"{path} is not valid TOML: {problem}.") from None


def _refuse_impossible_numbers(table: Mapping[str, Any], where: str) -> None:
    """TOML has ``nan`` and ``inf``, and no comparison with a time would hold; a system waits no billion seconds."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            _refuse_impossible_numbers(value, f"{where} [{key}]" if where == SETTINGS_FILE else f"{where[:-1]}.{key}]")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            if not math.isfinite(value):
                raise SetupError(f"{where} {key}: {value} is no number to count with; write one in digits.")
            if key.endswith(("_seconds", "_hours")) and not 0 <= value <= _LONGEST:
                wrong = "must not be negative" if value < 0 else "nobody waits that long"
                raise SetupError(f"{where} {key}: {wrong}, found {value:g}.")


_LONGEST = 1e9


def _without(raw: Any, key: str) -> Any:  # noqa: ANN401 - whatever TOML held
    return {name: value for name, value in raw.items() if name != key} if isinstance(raw, Mapping) else raw


def _tables(raw: Any, section: str) -> Mapping[str, Mapping[str, Any]]:  # noqa: ANN401 - whatever TOML held
    tables = raw.get(section, {}) if isinstance(raw, Mapping) else {}
    if not isinstance(tables, Mapping):
        raise SetupError(f"{SETTINGS_FILE}: [{section}] must hold named tables, as in [{section}.shop].")
    for name, table in tables.items():
        if not isinstance(table, Mapping):
            raise SetupError(f"{SETTINGS_FILE}: [{section}.{name}] must be a table of settings.")
    return tables


def _as_tables(structs: Mapping[str, msgspec.Struct]) -> dict[str, Mapping[str, Any]]:
    return {name: msgspec.structs.asdict(table) for name, table in structs.items()}


def _check_timezone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SetupError(
            f"{SETTINGS_FILE} [project] timezone: '{name}' is not a time zone; write one such as America/New_York."
        ) from None


def _keep_secret(expected: type, value: Any) -> Any:  # noqa: ANN401 - msgspec's hook
    if expected is Secret:
        if isinstance(value, Secret):
            return value
        raise ValueError('a secret is never written here: use { env = "NAME" } or { file = "path" }')
    raise NotImplementedError


def _plainly(problem: msgspec.ValidationError) -> str:
    """msgspec's message, its path turned from ``$.rate.burst`` into ``rate.burst``."""
    text, _, path = str(problem).partition(" - at `$")
    where = path.strip("`.").lstrip(".")
    return f"{where}: {text}" if where else text
