"""Two SFTP servers for tests: a real OpenSSH, and one of our own making that misbehaves when told to."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko
import pytest
from paramiko.sftp import CMD_NAME

SSHD = shutil.which("sshd", path=os.pathsep.join((os.environ["PATH"], "/usr/sbin", "/usr/local/sbin")))


@dataclass
class Server:
    """Where a server listens and how to get in; ``outgoing`` is the folder on it."""

    port: int
    username: str
    host_key: str
    outgoing: str
    key_file: str | None = None
    password: str | None = None
    pid: int = 0

    def settings(self, **more: Any) -> str:
        """Its ``[pickups.partner]`` table as TOML."""
        way_in = f'key_file = "{self.key_file}"' if self.key_file else 'password = { env = "PARTNER_PASSWORD" }'
        values = {"host_key": self.host_key, "remote": [f"{self.outgoing}/*.csv"], "timeout_seconds": 20.0} | more
        head = ["[pickups.partner]", 'host = "127.0.0.1"', f"port = {self.port}", f'username = "{self.username}"']
        return "\n".join([*head, way_in, *(f"{key} = {_toml(value)}" for key, value in values.items() if value)])


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return str(value) if isinstance(value, int | float) else '"' + str(value).replace("\\", "\\\\") + '"'


# --- OpenSSH -----------------------------------------------------------------------------------------------------


@contextmanager
def openssh(
    folder: Path, kind: str = "ed25519", more: str = "", user_kind: str = "ed25519", password: str | None = None
) -> Iterator[Server]:
    """A real sshd on a free loopback port, for this user and one key; ``kind`` of its host key, ``more`` settings.

    With a ``password`` for user ``partner`` alone, whom only this server knows.
    """
    assert SSHD is not None
    for name, its_kind in (("host", kind), ("user", user_kind)):
        subprocess.run(["ssh-keygen", "-q", "-t", its_kind, "-N", "", "-f", folder / name], check=True)
    (folder / "authorized").write_bytes((folder / "user.pub").read_bytes())
    (folder / "outgoing").mkdir()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    port = _free_port()
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
        f"PidFile {folder}/pid\nStrictModes no\nUsePAM no\nPasswordAuthentication {'yes' if password else 'no'}\n"
        f"PermitRootLogin yes\nSubsystem sftp internal-sftp\n{more}"
    )
    command = [SSHD, "-D", "-e", "-f", str(config)]
    if password is not None:
        command = [*_own_users(folder, password), *command]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            key = " ".join((folder / "host.pub").read_text().split()[:2])
            way_in = {"password": password} if password else {"key_file": str(folder / "user")}
            user = "partner" if password else getpass.getuser()
            yield Server(port, user, key, str(folder / "outgoing"), pid=process.pid, **way_in)
        finally:
            process.terminate()


def _own_users(folder: Path, password: str) -> list[str]:
    """What starts a program with users of its own: those of the machine and ``partner``, seen by nobody else."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("openssl"):
        pytest.skip("a server with users of its own takes root, unshare and openssl")
    made = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=password, text=True, capture_output=True, check=True
    )
    for name, line in (
        ("passwd", f"partner:x:0:0::{folder}:/bin/sh"), ("shadow", f"partner:{made.stdout.strip()}:19000:0:99999:7:::")
    ):  # fmt: skip
        (folder / name).write_text(Path("/etc", name).read_text() + line + "\n")
        (folder / name).chmod(0o600 if name == "shadow" else 0o644)
    mounts = " && ".join(f'mount --bind "{folder / name}" /etc/{name}' for name in ("passwd", "shadow"))
    apart = ["unshare", "--mount", "--propagation", "private", "sh", "-c"]
    if subprocess.run([*apart, mounts], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here, so the server cannot have users of its own")
    return [*apart, f'{mounts} && exec "$@"', "sh"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
    raise TimeoutError("sshd does not listen")


# --- one of our own ----------------------------------------------------------------------------------------------


@dataclass
class Cupboard:
    """What lies on the misbehaving server, in ``/out``; names may be bytes. It keeps what was asked of it."""

    files: dict[str | bytes, bytes] = field(default_factory=dict)
    times: dict[str | bytes, int] = field(default_factory=dict)
    sizes_told: dict[str | bytes, int] = field(default_factory=dict)
    on_read: Callable[[str, int], str] = lambda _name, _offset: ""
    silent_at: str = ""  # "subsystem" or "version"
    trickles: bool = False
    lists_nothing_for_ever: bool = False
    on_put_away: int = paramiko.SFTP_OK
    go_on: threading.Event = field(default_factory=threading.Event)
    connections: int = 0
    passwords: list[str] = field(default_factory=list)
    reads: list[tuple[str, int]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def named(self, path: str) -> str | bytes:
        """The name as it was laid; one that is no UTF-8 cannot be asked for in any other way."""
        name = path.removeprefix("/out/")
        return name if name in self.files else os.fsencode(name)

    def attributes(self, name: str | bytes) -> paramiko.SFTPAttributes:
        told = paramiko.SFTPAttributes()
        told.filename = name
        told.st_size = self.sizes_told.get(name, len(self.files[name]))
        told.st_mode = stat.S_IFREG | 0o644
        told.st_mtime = told.st_atime = self.times.get(name, 1_700_000_000)
        return told


class _Session(paramiko.SFTPServerInterface):
    def __init__(self, server: _Door, *args: object, **options: object) -> None:
        super().__init__(server, *args, **options)
        self.cupboard = server.cupboard
        self.transport = server.transport

    def list_folder(self, path: str) -> Any:
        if path not in {"/out", "/out/archive"}:
            return paramiko.SFTP_NO_SUCH_FILE
        return [self.cupboard.attributes(name) for name in self.cupboard.files if path == "/out"]

    def stat(self, path: str) -> Any:
        name = self.cupboard.named(path)
        return self.cupboard.attributes(name) if name in self.cupboard.files else paramiko.SFTP_NO_SUCH_FILE

    def open(self, path: str, flags: int, attr: object) -> Any:
        return _Handle(self, self.cupboard.named(path))

    def remove(self, path: str) -> int:
        if self.cupboard.on_put_away == paramiko.SFTP_OK:
            name = self.cupboard.named(path)
            self.cupboard.removed.append(str(name))
            del self.cupboard.files[name]
        return self.cupboard.on_put_away


class _Handle(paramiko.SFTPHandle):
    def __init__(self, session: _Session, name: str | bytes) -> None:
        super().__init__()
        self.session = session
        self.name = name

    def read(self, offset: int, length: int) -> Any:
        cupboard = self.session.cupboard
        cupboard.reads.append((str(self.name), offset))
        match cupboard.on_read(str(self.name), offset):
            case "drop":
                self.session.transport.close()
                return paramiko.SFTP_FAILURE
            case "stall":
                cupboard.go_on.wait(20)
            case "denied":
                return paramiko.SFTP_PERMISSION_DENIED
        piece = cupboard.files[self.name][offset : offset + length]
        return piece or paramiko.SFTP_EOF


class _Speaker(paramiko.SFTPServer):
    """The library's own, unless it is to fall silent, to speak byte by byte, or to list without end."""

    def __init__(self, channel: Any, name: str, server: _Door, *args: Any, **options: Any) -> None:
        super().__init__(channel, name, server, *args, **options)
        self._cupboard = server.cupboard

    def start_subsystem(self, name: str, transport: Any, channel: Any) -> None:
        if self._cupboard.silent_at == "version":
            self._cupboard.go_on.wait(20)
        super().start_subsystem(name, transport, channel)

    def _write_all(self, out: bytes) -> None:
        if not self._cupboard.trickles:
            super()._write_all(out)
            return
        for at in range(len(out)):
            super()._write_all(out[at : at + 1])
            self._cupboard.go_on.wait(0.05)

    def _read_folder(self, request_number: int, folder: Any) -> None:
        if self._cupboard.lists_nothing_for_ever:
            self._response(request_number, CMD_NAME, 0)
        else:
            super()._read_folder(request_number, folder)


class _Door(paramiko.ServerInterface):
    def __init__(self, cupboard: Cupboard, transport: paramiko.Transport) -> None:
        self.cupboard = cupboard
        self.transport = transport

    def check_auth_password(self, username: str, password: str) -> int:
        self.cupboard.passwords.append(password)
        good = (username, password) == ("partner", "right")
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_channel_subsystem_request(self, channel: Any, name: str) -> bool:
        if self.cupboard.silent_at == "subsystem":
            self.cupboard.go_on.wait(20)
        return bool(super().check_channel_subsystem_request(channel, name))

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


@contextmanager
def misbehaving(cupboard: Cupboard) -> Iterator[Server]:
    """An SFTP server in this process, on the library's own server side."""
    key = paramiko.ECDSAKey.generate()
    listener = socket.create_server(("127.0.0.1", 0))
    transports: list[paramiko.Transport] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                cupboard.connections += 1
                transport = paramiko.Transport(connection)
                transports.append(transport)
                transport.add_server_key(key)
                transport.set_subsystem_handler("sftp", _Speaker, _Session)
                # With an event it does not wait here for the visitor, who may have gone already.
                transport.start_server(threading.Event(), server=_Door(cupboard, transport))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        line = f"{key.get_name()} {key.get_base64()}"
        yield Server(int(listener.getsockname()[1]), "partner", line, "/out", password="right")
    finally:
        cupboard.go_on.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for transport in transports:
            transport.close()
        thread.join()
