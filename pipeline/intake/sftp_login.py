"""The one door to SFTP servers: to a known host only, with the key or password of a pickup."""

from __future__ import annotations

import io
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import paramiko

from pipeline.errors import SetupError, TargetError
from pipeline.intake.hostkeys import Unknown, read_known
from pipeline.intake.old_ways import OLD, allow_old, old_key
from pipeline.intake.sftp import Remote, Session
from pipeline.settings import PickupTable


@contextmanager
def connected(name: str, table: PickupTable, folder: Path) -> Iterator[Remote]:
    """A session with the server of pickup ``name``; paths of keys start at the project ``folder``.

    ``SetupError``: the host key is not known or has changed, or the user is not let in. ``TargetError``: it cannot be
    reached, or the connection broke.
    """
    where = f"pickup {name}"
    known = read_known(where, table, folder)
    key = _private_key(where, table, folder)
    with _in_words(where, table), paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(known.policy())
        client.connect(
            table.host, port=table.port, username=table.username, pkey=key,
            password=table.password.reveal() if table.password else None,
            look_for_keys=False, allow_agent=table.agent,
            timeout=table.timeout_seconds, banner_timeout=table.timeout_seconds, auth_timeout=table.timeout_seconds,
            channel_timeout=table.timeout_seconds,
            transport_factory=lambda sock, **options: allow_old(known.transport(sock, **options), table.old_algorithms),
            disabled_algorithms={kind: list(names) for kind, names in table.disable_algorithms.items()} or None,
        )  # fmt: skip
        transport = client.get_transport()
        transport.set_keepalive(table.keepalive_seconds)
        session = Session(_sftp_channel(transport, table.timeout_seconds), table.timeout_seconds)
        try:
            yield Remote(session)
        finally:
            session.close()


def _sftp_channel(transport: paramiko.Transport, timeout: float) -> paramiko.Channel:
    """A channel on which SFTP is spoken; the library would wait for ever for the word that it is."""
    channel, late = transport.open_session(), threading.Event()

    def give_up() -> None:
        late.set()
        with suppress(EOFError, OSError, paramiko.SSHException):  # a server that is gone is not told
            channel.close()

    waiting = threading.Timer(timeout, give_up)
    waiting.start()
    try:
        channel.invoke_subsystem("sftp")
    except paramiko.SSHException:
        if late.is_set():
            raise TimeoutError from None
        raise
    finally:
        waiting.cancel()
    return channel


def _private_key(where: str, table: PickupTable, folder: Path) -> paramiko.PKey | None:
    if table.key_file is None:
        return None
    path = folder / Path(table.key_file).expanduser()
    # The library says str and takes bytes (paramiko 5.1).
    secret = table.key_passphrase.reveal().encode() if table.key_passphrase else None
    try:
        return old_key(paramiko.PKey.from_path(path, secret), table.old_algorithms)
    except OSError as problem:
        raise SetupError(f"{where}: key_file {table.key_file} cannot be read: {problem.strerror}.") from None
    except Exception as problem:  # noqa: BLE001 - every kind of broken key has an exception of its own
        # A missing passphrase is a TypeError of cryptography, or the library's own exception.
        locked = secret is None and isinstance(problem, TypeError | paramiko.PasswordRequiredException)
        why = _LOCKED if locked else "is no private key that can be used, or key_passphrase does not open it"
    raise SetupError(f"{where}: key_file {table.key_file} {why}.")


_LOCKED = "is encrypted: give key_passphrase = { env = … }"


@contextmanager
def _in_words(where: str, table: PickupTable) -> Iterator[None]:
    """Whatever the network and the server do, as one sentence that names no secret."""
    host = f"{table.host}:{table.port}"
    try:
        yield
    except Unknown as unknown:
        raise SetupError(unknown.told(where, table)) from None
    except paramiko.AuthenticationException:
        raise SetupError(
            f"{where}: {host} does not let user {table.username} in. Check username, and key_file, agent or password."
            f"{_old_key_hint(table)}"
        ) from None
    except paramiko.ssh_exception.IncompatiblePeer as problem:
        raise SetupError(
            f"{where}: {host} and orderdrop share no secure way to talk ({problem}). If the server knows only what is "
            f"old, old_algorithms may open it: {', '.join(OLD)}; better have the server renewed."
        ) from None
    except socket.gaierror:
        raise TargetError(f"{where}: the name {table.host} is not known to the network. Nothing was fetched.") from None
    except (paramiko.SSHException, paramiko.SFTPError, OSError, EOFError, struct.error) as problem:
        if str(problem) == _NO_WAY_IN:  # an agent that is not there, or holds no key
            raise SetupError(f"{where}: there is no key for {host}. {_no_key(table)}") from None
        why = "no answer in time" if isinstance(problem, TimeoutError) else _said(problem)
        raise TargetError(f"{where}: {host}: {why}. It is tried again; nothing is lost.") from None


def _old_key_hint(table: PickupTable) -> str:
    """An old server takes an RSA key only with a SHA-1 signature, and refuses it without a word of why."""
    if table.old_algorithms or not (table.key_file or table.agent):
        return ""
    return ' If the key is an RSA key and the server is old, old_algorithms = ["ssh-rsa"] may open it.'


_NO_WAY_IN = "No authentication methods available"


def _no_key(table: PickupTable) -> str:
    if table.agent:
        return "The agent holds none: `ssh-add -l` lists its keys, and SSH_AUTH_SOCK has to lead to it."
    return "Give key_file, agent = true or password."


def _said(problem: Exception) -> str:
    if isinstance(problem, EOFError):
        return "the connection was closed"
    if isinstance(problem, paramiko.ssh_exception.NoValidConnectionsError):
        return "it cannot be reached"
    return io.StringIO(str(problem) or type(problem).__name__).readline().strip().rstrip(".")
