"""SHA-1 for servers that know nothing newer. The library has dropped it; here it is again, for pickups that ask.

Nothing of it is offered to any other server, and what is newer goes first where a server knows both.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from typing import Any

import paramiko
from cryptography.hazmat.primitives import hashes
from paramiko.kex_gex import KexGexSHA256
from paramiko.kex_group14 import KexGroup14SHA256

from pipeline.errors import SetupError, nearest


class _Group14(KexGroup14SHA256):  # type: ignore[misc]  # paramiko is untyped
    name = "diffie-hellman-group14-sha1"
    hash_algo = sha1


class _GroupExchange(KexGexSHA256):  # type: ignore[misc]  # as above
    name = "diffie-hellman-group-exchange-sha1"
    hash_algo = sha1


class _Rsa(paramiko.RSAKey):  # type: ignore[misc]  # as above
    HASHES = {**paramiko.RSAKey.HASHES, "ssh-rsa": hashes.SHA1}  # noqa: RUF012 - as in the library


_SHA1 = "ssh-rsa"
_KEX: dict[str, Any] = {kind.name: kind for kind in (_Group14, _GroupExchange)}
_KEYS: dict[str, Any] = {_SHA1: _Rsa}
OLD = (*_KEX, *_KEYS)
"""What a pickup may ask for; of ciphers and checksums, old ones are offered in any case, last."""


def prove_old(names: Sequence[str], where: str) -> None:
    """Refuse names that are none of the old ways."""
    for name in names:
        if name not in OLD:
            raise SetupError(f"{where} old_algorithms: '{name}' is none.{nearest(name, OLD)} Known: {', '.join(OLD)}.")


def allow_old(transport: paramiko.Transport, names: Sequence[str]) -> paramiko.Transport:
    """Let this one connection use the old ways named."""
    kex = {name: _KEX[name] for name in names if name in _KEX}
    keys = {name: _KEYS[name] for name in names if name in _KEYS}
    transport._kex_info = {**transport._kex_info, **kex}  # noqa: SLF001 - no public way
    transport._preferred_kex = (*transport._preferred_kex, *kex)  # noqa: SLF001 - as above
    transport._key_info = {**transport._key_info, **keys}  # noqa: SLF001 - as above
    transport._preferred_keys = (*transport._preferred_keys, *keys)  # noqa: SLF001 - as above
    if _SHA1 in names:
        transport._preferred_pubkeys = (*transport._preferred_pubkeys, _SHA1)  # noqa: SLF001 - as above
        # A server from before 2016 does not tell how a user's key may sign: then SHA-1 is all it knows. One that
        # tells (RFC 8308) puts its own list in the place of this one, before a key is used.
        transport.server_extensions = {"server-sig-algs": _SHA1.encode()}
    return transport


def old_key(key: paramiko.PKey, names: Sequence[str]) -> paramiko.PKey:
    """The same private key, able to sign in the old ways named."""
    if _SHA1 not in names or not isinstance(key, paramiko.RSAKey):
        return key
    able = _Rsa(key=key.key)
    able.public_blob = key.public_blob
    return able
