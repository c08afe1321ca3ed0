"""Which host keys a pickup's server may have: pinned in the settings, or in a known_hosts file. Others are refused."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko

from pipeline.errors import SetupError
from pipeline.settings import PickupTable


class Unknown(Exception):
    """The server showed a key that is not among the known ones."""

    def __init__(self, key: paramiko.PKey, expected: tuple[str, ...] = ()) -> None:
        super().__init__("host key not known")
        self._key = key
        self._expected = expected

    def told(self, where: str, table: PickupTable) -> str:
        """The fingerprint, and the line that pins it."""
        shown = f"{self._key.get_name()} {self._key.fingerprint}"
        line = f'host_key = "{self._key.get_name()} {self._key.get_base64()}"'
        name = where.removeprefix("pickup ")
        advice = (
            f"Ask whoever runs the server for its fingerprint; if it is the same, write into [pickups.{name}] of "
            f"pipeline.toml:\n{line}"
        )
        if self._expected:
            return (
                f"{where}: the host key of {table.host} has changed: expected {' or '.join(self._expected)}, but it "
                f"shows {shown}. Somebody may be in between, so nothing was sent. {advice}"
            )
        return f"{where}: the host key of {table.host} is not known yet: {shown}. No password was sent. {advice}"


@dataclass(slots=True)
class KnownHost:
    """The keys one server may have; a fingerprint stands for a key."""

    entry: str
    keys: _Keys
    fingerprints: tuple[str, ...] = field(default=())

    def policy(self) -> paramiko.MissingHostKeyPolicy:
        """What the client asks about every key, since it is told of none beforehand."""
        return _Policy(self)

    def transport(self, sock: Any, **options: Any) -> paramiko.Transport:  # noqa: ANN401 - paramiko is untyped
        """A transport that prefers the kinds of keys we know: a server with several must show one of those."""
        transport = paramiko.Transport(sock, **options)
        security = transport.get_security_options()
        names = {key.get_name() for key in self._keys()}
        if "ssh-rsa" in names:  # one kind of key, signed in newer ways
            names |= {"rsa-sha2-512", "rsa-sha2-256"}
        security.key_types = sorted(security.key_types, key=lambda kind: kind not in names)
        return transport

    def prove(self, key: paramiko.PKey) -> None:
        """Raise :class:`Unknown` unless ``key`` is one of the keys."""
        known = self._keys()
        if key in known or key.fingerprint in self.fingerprints:
            return
        raise Unknown(key, tuple(k.fingerprint for k in known) + self.fingerprints)

    def _keys(self) -> list[paramiko.PKey]:
        return [entry.key for entry in self.keys.entries_of(self.entry)]


class _Keys(paramiko.HostKeys):  # type: ignore[misc]  # paramiko is untyped
    """Keeps several keys of one kind, as while a server changes its key."""

    def entries_of(self, host: str) -> list[paramiko.hostkeys.HostKeyEntry]:
        return [entry for entry in self._entries if entry.key is not None and self._hostname_matches(host, entry)]

    def append(self, host: str, key: paramiko.PKey) -> None:
        self._entries.append(paramiko.hostkeys.HostKeyEntry([host], key))


class _Policy(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]  # paramiko is untyped
    def __init__(self, known: KnownHost) -> None:
        self._known = known

    def missing_host_key(self, _client: paramiko.SSHClient, _hostname: str, key: paramiko.PKey) -> None:
        self._known.prove(key)


def read_known(where: str, table: PickupTable, folder: Path) -> KnownHost:
    """The keys the settings name; ``SetupError`` for a line or file that cannot be read."""
    entry = table.host if table.port == 22 else f"[{table.host}]:{table.port}"
    keys = _Keys()
    if table.known_hosts is not None:
        path = folder / Path(table.known_hosts).expanduser()
        try:
            keys.load(str(path))
        except (OSError, UnicodeDecodeError, paramiko.SSHException, paramiko.hostkeys.InvalidHostKey) as problem:
            raise SetupError(f"{where}: known_hosts {table.known_hosts} cannot be read: {problem}.") from None
    known = KnownHost(entry, keys)
    for line in table.host_keys:
        if line.startswith("SHA256:"):
            known.fingerprints = (*known.fingerprints, line.strip().rstrip("="))
        else:
            key = _key(line, where)
            keys.append(entry, key)
    return known


def _key(line: str, where: str) -> paramiko.PKey:
    kind, _, rest = line.strip().partition(" ")
    try:
        encoded = rest.split()[0]
        return paramiko.PKey.from_type_string(kind, base64.b64decode(encoded, validate=True))
    except (IndexError, binascii.Error, ValueError, paramiko.SSHException, paramiko.UnknownKeyType):
        raise SetupError(
            f"{where}: host_key '{line[:60]}' is no host key; write it as in known_hosts without the host's name "
            '("ssh-ed25519 AAAA…"), or as "SHA256:…".'
        ) from None
