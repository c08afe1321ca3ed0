"""Ways in at a real OpenSSH: passwords, RSA keys, and the SHA-1 signatures that old servers ask of them."""

from __future__ import annotations

import socket
import subprocess
import threading
from pathlib import Path

import paramiko
import pytest
from pickup_place import ORDERS, Place, make_project
from project import SECRETS
from sftp_servers import SSHD, openssh

from pipeline.errors import SetupError
from pipeline.intake.old_ways import allow_old, old_key

pytestmark = pytest.mark.skipif(
    SSHD is None, reason="no OpenSSH server on this machine (Debian: apt-get install openssh-server)"
)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in (SECRETS | {"PARTNER_PASSWORD": "right \u00e4 pass"}).items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "server"
    folder.mkdir()
    return folder


def test_a_password_opens_and_a_wrong_one_is_told_without_itself(
    server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with openssh(server, password="right \u00e4 pass") as far:
        place = Place(far, make_project(tmp_path / "p"), None)
        place.lay("orders_1.csv")
        place.settings(after="archive")
        assert place.fetch().files == ["inbox/orders_1.csv"]
        assert place.inbox() == {"orders_1.csv": ORDERS}
        assert place.there() == ["archive/orders_1.csv"]
        monkeypatch.setenv("PARTNER_PASSWORD", "wrong-pass")
        told = place.fetch()
    assert isinstance(told.problem, SetupError)
    assert "does not let user partner in" in str(told.problem)
    assert "wrong-pass" not in str(told.as_json())


def test_an_rsa_key_signs_in_the_way_of_today(server: Path, tmp_path: Path) -> None:
    with openssh(server, user_kind="rsa") as far:
        place = Place(far, make_project(tmp_path / "p"), None)
        place.lay("orders_1.csv")
        assert place.fetch().files == ["inbox/orders_1.csv"]
        place.lay("orders_2.csv")
        place.settings(old_algorithms=["ssh-rsa"])  # allowed, and not needed here
        assert place.fetch().files == ["inbox/orders_2.csv"]


@pytest.mark.parametrize("kind", ["rsa", "ed25519", "ecdsa"])
@pytest.mark.parametrize("form", ["RFC4716", "PEM"])
def test_a_key_under_a_passphrase(
    server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, form: str
) -> None:
    monkeypatch.setenv("KEY_PASSPHRASE", "open s\u00e9same")
    with openssh(server, user_kind=kind) as far:
        place = Place(far, make_project(tmp_path / "p"), None)
        place.lay("orders_1.csv")
        command = ["ssh-keygen", "-q", "-p", "-m", form, "-P", "", "-N", "open s\u00e9same", "-f", server / "user"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        assert "is encrypted: give key_passphrase" in str(place.fetch().problem)
        settings(place, 'key_passphrase = { env = "PARTNER_PASSWORD" }\n')
        assert "key_passphrase does not open it" in str(place.fetch().problem)
        settings(place, 'key_passphrase = { env = "KEY_PASSPHRASE" }\n')
        assert place.fetch().files == ["inbox/orders_1.csv"]


def test_a_server_that_takes_rsa_keys_only_with_sha1(server: Path, tmp_path: Path) -> None:
    """This OpenSSH tells of newer ways although it is set to refuse them; truly old ones do not."""
    with openssh(server, user_kind="rsa", more="PubkeyAcceptedAlgorithms ssh-rsa\n") as far:
        place = Place(far, make_project(tmp_path / "p"), None)
        place.lay("orders_1.csv")
        refused = place.fetch()
        assert isinstance(refused.problem, SetupError)
        assert 'old_algorithms = ["ssh-rsa"] may open it' in str(refused.problem)
        place.settings(old_algorithms=["ssh-rsa"])
        settings(
            place, 'disable_algorithms = { pubkeys = ["rsa-sha2-512", "rsa-sha2-256"] }\n', old_algorithms=["ssh-rsa"]
        )
        assert place.fetch().files == ["inbox/orders_1.csv"]


@pytest.mark.parametrize("allowed", [False, True])
def test_a_server_too_old_to_tell_how_a_key_may_sign(server: Path, allowed: bool) -> None:
    """The first handshake of a user's key, against the library's own server side without RFC 8308."""
    key, names = paramiko.RSAKey.generate(2048), ["ssh-rsa"] if allowed else []
    ours, theirs = socket.socketpair()
    far, near = paramiko.Transport(theirs, server_sig_algs=False), allow_old(paramiko.Transport(ours), names)

    class Door(paramiko.ServerInterface):
        def get_allowed_auths(self, username: str) -> str:
            return "publickey"

        def check_auth_publickey(self, username: str, offered: paramiko.PKey) -> int:
            return paramiko.AUTH_SUCCESSFUL if offered.asbytes() == key.asbytes() else paramiko.AUTH_FAILED

    far.add_server_key(paramiko.ECDSAKey.generate())
    # As the far side of 2012: no newer way of signing with an RSA key.
    allow_old(far, ["ssh-rsa"])
    far._preferred_pubkeys = ("ssh-rsa",)
    try:
        far.start_server(threading.Event(), server=Door())
        near.start_client(timeout=20)
        if allowed:
            near.auth_publickey("partner", old_key(key, names))
        else:
            with pytest.raises(paramiko.AuthenticationException):
                near.auth_publickey("partner", old_key(key, names))
        assert near.is_authenticated() is allowed
    finally:
        near.close()
        far.close()


def settings(place: Place, more: str, **values: object) -> None:
    place.settings(**values)
    path = place.project.path / "pipeline.toml"
    path.write_text(path.read_text() + more)
