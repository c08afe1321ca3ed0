"""An SFTP server from another house (asyncssh), on a folder of this machine, that misbehaves when told to."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
from sftp_servers import Server


@dataclass
class Mood:
    """What the server does wrong. ``on_read`` answers ``drop``, ``short``, ``long`` or nothing."""

    on_read: Callable[[str, int], str] = lambda _path, _offset: ""
    attributes: Callable[[str, asyncssh.SFTPAttrs], asyncssh.SFTPAttrs] = lambda _path, told: told
    more_names: list[bytes] = field(default_factory=list)
    breaks_in_list: bool = False
    refuses_rename: bool = False
    password: str = "right"
    options: dict[str, Any] = field(default_factory=dict)
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)
    reads: list[tuple[str, int]] = field(default_factory=list)


class _Door(asyncssh.SSHServer):
    def __init__(self, mood: Mood) -> None:
        self._mood = mood

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._mood.connections.append(conn)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("partner", self._mood.password)


class _Files(asyncssh.SFTPServer):
    def __init__(self, channel: asyncssh.SSHServerChannel, mood: Mood) -> None:
        super().__init__(channel)
        self._mood = mood
        self._paths: dict[int, str] = {}

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        opened = super().open(path, pflags, attrs)
        self._paths[id(opened)] = os.fsdecode(path)
        return opened

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        path = self._paths[id(file_obj)]
        self._mood.reads.append((path, offset))
        what = self._mood.on_read(path, offset)
        if what == "drop":
            self.channel.get_connection().abort()
            raise asyncssh.SFTPConnectionLost("gone")
        data = super().read(file_obj, offset, 1000 if what == "short" else size)
        assert isinstance(data, bytes)
        return data + b"more than asked for" * 3000 if what == "long" else data

    def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        return self._mood.attributes(os.fsdecode(path), asyncssh.SFTPAttrs.from_local(Path(os.fsdecode(path)).stat()))

    def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        return self.stat(path)

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        for number, found in enumerate(sorted(Path(os.fsdecode(path)).iterdir())):
            if self._mood.breaks_in_list and number == 2:
                raise asyncssh.SFTPFailure("the disk is old")
            told = self._mood.attributes(str(found), asyncssh.SFTPAttrs.from_local(found.lstat()))
            yield asyncssh.SFTPName(os.fsencode(found.name), b"", told)
        for name in self._mood.more_names:
            yield asyncssh.SFTPName(name, b"", asyncssh.SFTPAttrs(size=5, permissions=0o100644, mtime=1_700_000_000))

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        if self._mood.refuses_rename:
            raise asyncssh.SFTPPermissionDenied("not here")
        super().rename(oldpath, newpath)


@contextmanager
def independent(folder: Path, mood: Mood) -> Iterator[Server]:
    """Serve ``folder/outgoing`` to user ``partner`` on a free loopback port, from a thread with a loop of its own."""
    (folder / "outgoing").mkdir(parents=True)
    key = asyncssh.generate_private_key(mood.options.pop("key_type", "ssh-ed25519"))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            lambda: _Door(mood), "127.0.0.1", 0, server_host_keys=[key],
            sftp_factory=lambda channel: _Files(channel, mood), **mood.options,
        )  # fmt: skip

    async def stop(acceptor: asyncssh.SSHAcceptor) -> None:
        acceptor.close()
        await acceptor.wait_closed()
        for connection in mood.connections:
            connection.abort()
            await connection.wait_closed()

    acceptor = asyncio.run_coroutine_threadsafe(listen(), loop).result(20)
    try:
        line = " ".join(key.export_public_key().decode().split()[:2])
        yield Server(acceptor.get_port(), "partner", line, str(folder / "outgoing"), password="right")
    finally:
        asyncio.run_coroutine_threadsafe(stop(acceptor), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()
