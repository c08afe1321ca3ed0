"""Names nobody knows and proxies of the environment: told clearly, nothing lost, nothing twice, no password shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import Called, ProjectFolder, order_row
from proxy import HOST, Proxy, certificate, proxy

from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer

PASSWORD = "pr0xy-Pa55"


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer) -> ProjectFolder:
    """Its shop has an address that only a proxy can reach."""
    made = ProjectFolder.make(tmp_path / "p", sandbox.base_urls(), patience=0)
    settings = made.path / "pipeline.toml"
    settings.write_text(settings.read_text().replace(shop(sandbox), f"https://{HOST}/api/v2"))
    made.drop("orders_1.csv", order_row("1001"))
    return made


def shop(sandbox: SandboxServer) -> str:
    return str(sandbox.base_urls()["orderdesk"])


@pytest.fixture
def way(tmp_path: Path, sandbox: SandboxServer, project: ProjectFolder) -> Iterator[Proxy]:
    """A proxy in front of the simulated shop, and an authority the project trusts."""
    certificates = certificate(tmp_path)
    with proxy(shop(sandbox), certificates) as told:
        settings = project.path / "pipeline.toml"
        path = shop(sandbox).partition("://")[2].partition("/")[2]
        settings.write_text(settings.read_text().replace(f"https://{HOST}/api/v2", f"https://{HOST}/{path}"))
        project.secrets = {
            **project.secrets, "SSL_CERT_FILE": str(certificates[0]),
            "HTTPS_PROXY": f"http://user:{PASSWORD}@127.0.0.1:{told.port}", "NO_PROXY": "localhost,127.0.0.1",
        }  # fmt: skip
        yield told


def orders(sandbox: SandboxServer) -> Counter[str]:
    return Counter(order["source_id"] for order in sandbox.truth()["orderdesk"]["orders"])


def test_a_host_name_nobody_knows_lets_work_wait(project: ProjectFolder, sandbox: SandboxServer) -> None:
    called = project.call("run")
    assert called.code == 3
    assert "the host name could not be found" in called.err
    assert "nothing is lost" in called.err
    checked = project.call("check", "--online")
    assert checked.code == 3
    assert "host name could not be found" in checked.out
    settings = project.path / "pipeline.toml"
    settings.write_text(settings.read_text().replace(f"https://{HOST}/api/v2", shop(sandbox)))
    assert delivered(project).code == 0
    assert orders(sandbox) == Counter(["1001"])


def delivered(project: ProjectFolder) -> Called:
    """A run that waits for what was put off for a second or two."""
    settings = project.path / "pipeline.toml"
    settings.write_text(settings.read_text().replace("patience_seconds = 0", "patience_seconds = 20"))
    return project.call("run")


def test_a_proxy_of_the_environment_is_gone_through(project: ProjectFolder, sandbox: SandboxServer, way: Proxy) -> None:
    called = project.call("run", "--log-format", "json", "--log-level", "debug")
    assert called.code == 0, called.err
    assert orders(sandbox) == Counter(["1001"])
    assert all(asked.startswith(f"CONNECT {HOST}:443 ") for asked in way.asked)
    assert "Proxy-Authorization: Basic" in way.asked[0]
    assert PASSWORD not in called.err + (project.path / "var/log/orderdrop.jsonl").read_text()


@pytest.mark.parametrize("answer", ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"])
def test_what_a_proxy_refuses_was_not_sent_and_waits(
    project: ProjectFolder, sandbox: SandboxServer, way: Proxy, answer: str
) -> None:
    way.answer = answer.encode()
    called = project.call("run")
    assert called.code == 3, called.err
    assert "the proxy named in the environment did not connect" in called.err
    (account, *_) = project.status()["accounts"]
    assert (account["waiting"], account["in_doubt"]) == (1, 0)
    assert PASSWORD not in called.err
    way.answer = b"200 Connection established"
    assert delivered(project).code == 0
    assert orders(sandbox) == Counter(["1001"])


def test_a_proxy_that_is_away_lets_work_wait(project: ProjectFolder, sandbox: SandboxServer) -> None:
    project.secrets = {**project.secrets, "HTTPS_PROXY": f"http://user:{PASSWORD}@127.0.0.1:9"}
    called = project.call("run")
    assert (called.code, "no connection" in called.err) == (3, True), called.err
    assert PASSWORD not in called.err
    assert project.status()["accounts"][0]["in_doubt"] == 0


@pytest.mark.parametrize("address", [f"gopher://user:{PASSWORD}@proxy:70", f"socks5://user:{PASSWORD}@127.0.0.1:9"])
def test_a_proxy_nobody_can_use_is_told_without_its_password(project: ProjectFolder, address: str) -> None:
    project.secrets = {**project.secrets, "HTTPS_PROXY": address}
    called = project.call("run")
    assert called.code in {2, 3}, called.err
    assert "HTTPS_PROXY" in called.err
    assert PASSWORD not in called.out + called.err
    assert "Traceback" not in called.err


def test_no_proxy_names_hosts_reached_without_it(project: ProjectFolder, way: Proxy) -> None:
    project.secrets = {**project.secrets, "NO_PROXY": HOST}
    called = project.call("run")
    assert (called.code, "the host name could not be found" in called.err) == (3, True), called.err
    assert way.asked == []


def test_calls_to_this_machine_never_go_through_a_proxy(tmp_path: Path, sandbox: SandboxServer) -> None:
    project = ProjectFolder.make(tmp_path / "q", sandbox.base_urls())
    project.drop("orders_1.csv", order_row("1001"))
    away = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"), "http://127.0.0.1:9")
    project.secrets = {**project.secrets, **away, "NO_PROXY": ""}
    assert project.call("run").code == 0
    assert orders(sandbox) == Counter(["1001"])


def test_a_certificate_nobody_vouches_for_is_refused(
    project: ProjectFolder, sandbox: SandboxServer, way: Proxy
) -> None:
    project.secrets = {name: value for name, value in project.secrets.items() if name != "SSL_CERT_FILE"}
    called = project.call("run")
    assert (called.code, "certificate could not be verified" in called.err) == (3, True), called.err
    assert orders(sandbox) == Counter()
