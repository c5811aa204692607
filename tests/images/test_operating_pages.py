"""The pages about installing and running as they stand: in Debian's Docker, and on a Debian machine with systemd.

A block of a page names its place: `<!-- run in docker -->`. What a page leaves to the reader is done here: a
certificate, a password that is asked for, a backup that is restored.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import placed
from tests.flows.app import Form
from tests.images.builder import AS_ROOT
from tests.images.docker_engine import Engine
from tests.running import ROOT
from tests.terminal import Terminal
from tests.tracked import clone
from tests.waiting import wait_until

pytestmark = [pytest.mark.clients, AS_ROOT]

DOCKER, MACHINE, CHECKOUT = "in docker", "on a machine", "in a checkout"
HOST = "auth.example.org"
PASSWORD = "correct-horse-battery-9"
ASK = """
import base64, os, urllib.request
basic = {{"Authorization": "Basic " + base64.b64encode(b"{}").decode()}}
request = urllib.request.Request(os.environ["SMARTAUTH_INTROSPECTION_URL"], b"token=unknown", basic)
print(urllib.request.urlopen(request).read().decode())
"""
# what systemd needs in a container; not all rights, for who runs this may not have all of them
WITH_SYSTEMD = [
    "--cap-add=SYS_ADMIN", "--cap-add=NET_ADMIN", "--cap-add=SYS_PTRACE", "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined", "--tmpfs=/run:exec", "--tmpfs=/tmp:exec", "--cgroupns=host",
    "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw", "--env=container=docker",
]  # fmt: skip


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = Engine()
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture(scope="module")
def checkout(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git tracks, in which pages may write. Its environment is the one of the tests."""
    copy = tmp_path_factory.mktemp("checkout") / "smartauth"
    clone(copy)
    (copy / ".venv").symlink_to((ROOT / ".venv").resolve())
    return copy


@pytest.fixture(scope="module")
def release(engine: Engine, checkout: Path) -> Path:
    """What `make dist` of the page writes."""
    (command,) = placed("how-to/install.md", CHECKOUT)
    engine.terminal(command, cwd=checkout).end()
    return checkout / "dist"


def finished(terminal: Terminal, *, password: str = "") -> str:
    """What the commands printed, with the password typed where they ask for it."""
    try:
        if password:
            for asked in ("New password: $", "New password again: $"):
                terminal.wait_for(asked, within=900)
                terminal.type(f"{password}\n")
        return terminal.end()
    finally:
        terminal.close()


def status(engine: Engine, url: str, *options: str) -> str:
    """What a caller gets who stands where the ports of the containers are."""
    return engine.run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", *options, url, check=False).stdout


def signs_in(engine: Engine, base: str, jar: Path, *options: str) -> str:
    """The status of a sign-in of the first operator."""
    page, form = engine.run("curl", "-sS", "-c", str(jar), *options, f"{base}/login").stdout, Form()
    form.feed(page)
    hidden = {name: values[0] for name, values in form.filled.items()}
    fields = {**hidden, "username": "olivia", "password": PASSWORD}
    typed = [part for name, value in fields.items() for part in ("--data-urlencode", f"{name}={value}")]
    return status(
        engine, f"{base}/login", *options, "-b", str(jar), "-c", str(jar), "-H", f"Origin: https://{HOST}", *typed
    )


# In Docker ------------------------------------------------------------------------------------------------------------


def test_the_demo_in_a_container_answers_at_the_port_of_the_page(engine: Engine, checkout: Path) -> None:
    demo, _, _ = placed("how-to/run-in-containers.md", DOCKER)
    terminal = engine.terminal(demo, cwd=checkout)
    try:
        terminal.wait_for("!! DEVELOPMENT SERVER, OPEN TO A NETWORK", within=900)
        is_there = wait_until(lambda: status(engine, "http://127.0.0.1:8000/fhir/r4/metadata") == "200", within=120)

        assert is_there, terminal.printed
        assert status(engine, "http://127.0.0.1:8000/") == "200"
    finally:
        terminal.close()


def test_a_producers_server_beside_the_demo_introspects_with_what_the_page_made(engine: Engine, checkout: Path) -> None:
    _, beside, _ = placed("how-to/run-in-containers.md", DOCKER)
    compose = ["env", "FHIR_IMAGE=any", "docker", "compose", "-f", "docker/compose.dev.yaml"]
    try:
        printed = finished(engine.terminal(beside, cwd=checkout))
        shown = re.search(r"curl -sS -u (\S+) -d token=", printed)
        assert shown, printed

        answer = engine.run(*compose, "exec", "-T", "fhir", "python3", "-c", ASK.format(shown[1]), cwd=checkout).stdout

        assert answer.strip() == '{"active":false}'
        assert status(engine, "http://127.0.0.1:9000/fhir/Patient/amy") == "200"
    finally:
        engine.run(*compose, "down", "--volumes", cwd=checkout)


@pytest.fixture(scope="module")
def for_real(engine: Engine, checkout: Path) -> Iterator[list[str]]:
    """What compose.yaml starts, as the page says, with a certificate. The options with which curl finds it."""
    _, _, commands = placed("how-to/run-in-containers.md", DOCKER)
    tls = checkout / "docker" / "tls"
    tls.mkdir()
    engine.run(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}",
        "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", str(tls / "key.pem"), "-out", str(tls / "certificate.pem"),
    )  # fmt: skip
    try:
        finished(engine.terminal(commands, cwd=checkout), password=PASSWORD)
        yield ["--resolve", f"{HOST}:443:127.0.0.1", "--cacert", str(tls / "certificate.pem")]
    finally:
        engine.run("docker", "compose", "-f", "docker/compose.yaml", "down", "--volumes", cwd=checkout)


def test_compose_serves_behind_its_proxy_and_the_first_operator_signs_in(
    engine: Engine, for_real: list[str], tmp_path: Path
) -> None:
    base, jar = f"https://{HOST}", tmp_path / "jar"
    is_ready = wait_until(lambda: status(engine, f"{base}/readyz", *for_real) == "200", within=120)

    assert is_ready
    assert signs_in(engine, base, jar, *for_real) == "303"
    assert status(engine, f"{base}/admin/", *for_real, "-b", str(jar)) == "200"
    assert status(engine, f"{base}/fhir/r4/metadata", *for_real) == "404"


def people(engine: Engine, checkout: Path) -> str:
    """Everybody in the database that compose.yaml runs."""
    compose = ["docker", "compose", "-f", "docker/compose.yaml"]
    asked = ["psql", "-U", "postgres", "-At", "-c", "SELECT username FROM accounts_user ORDER BY 1", "smartauth"]
    return engine.run(*compose, "exec", "-T", "postgres", *asked, cwd=checkout).stdout


def test_what_postgresqls_container_restores_is_as_it_was_and_ends_every_session(
    engine: Engine, checkout: Path, for_real: list[str], tmp_path: Path
) -> None:
    backup, restore = placed("how-to/back-up-and-restore.md", DOCKER)
    compose = ["docker", "compose", "-f", "docker/compose.yaml"]
    base, before, after = f"https://{HOST}", tmp_path / "before", tmp_path / "after"
    assert signs_in(engine, base, before, *for_real) == "303"
    assert status(engine, f"{base}/admin/", *for_real, "-b", str(before)) == "200"

    finished(engine.terminal(backup, cwd=checkout))
    engine.run(*compose, "exec", "-T", "web", "smartauth", "person", "add", "latecomer", cwd=checkout)
    newer = "CREATE TABLE newer (id bigint PRIMARY KEY, client bigint REFERENCES oauth_client (id))"
    in_postgresql = [*compose, "exec", "-T", "postgres", "psql", "-U", "postgres", "-At", "smartauth", "-c"]
    engine.run(*in_postgresql, newer, cwd=checkout)
    assert people(engine, checkout) == "latecomer\nolivia\n"
    finished(engine.terminal(restore, cwd=checkout))

    assert wait_until(lambda: status(engine, f"{base}/readyz", *for_real) == "200", within=120)
    assert people(engine, checkout) == "olivia\n"
    assert engine.run(*in_postgresql, "SELECT to_regclass('newer')", cwd=checkout).stdout == "\n"
    assert status(engine, f"{base}/admin/", *for_real, "-b", str(before)) != "200"
    assert signs_in(engine, base, after, *for_real) == "303"
    assert status(engine, f"{base}/admin/", *for_real, "-b", str(after)) == "200"
    assert len(list((checkout / "var/backups").iterdir())) == 1


def test_a_backup_that_is_damaged_changes_nothing_and_says_so(
    engine: Engine, checkout: Path, for_real: list[str], tmp_path: Path
) -> None:
    backup, restore = placed("how-to/back-up-and-restore.md", DOCKER)
    finished(engine.terminal(backup, cwd=checkout))
    *_, newest = sorted((checkout / "var/backups").iterdir())
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    there = people(engine, checkout)

    terminal = engine.terminal(restore, cwd=checkout, TMPDIR=str(tmp_path))
    try:
        terminal.end(expected=1)
    finally:
        terminal.close()

    assert people(engine, checkout) == there
    assert status(engine, f"https://{HOST}/readyz", *for_real) == "200"
    assert list(tmp_path.iterdir()) == []


def test_a_restore_that_is_cut_short_on_its_way_changes_nothing(
    engine: Engine, checkout: Path, for_real: list[str], tmp_path: Path
) -> None:
    backup, restore = placed("how-to/back-up-and-restore.md", DOCKER)
    base, jar = f"https://{HOST}", tmp_path / "jar"
    finished(engine.terminal(backup, cwd=checkout))
    assert signs_in(engine, base, jar, *for_real) == "303"
    whole, cut = '<"$script" >/dev/null', '< <(head -n -1 "$script") >/dev/null'
    assert restore.count(whole) == 1

    finished(engine.terminal(restore.replace(whole, cut), cwd=checkout))

    assert wait_until(lambda: status(engine, f"{base}/readyz", *for_real) == "200", within=120)
    assert status(engine, f"{base}/admin/", *for_real, "-b", str(jar)) == "200"


# On a machine ---------------------------------------------------------------------------------------------------------


class Debian:
    """A Debian machine, which is a container with an init of its own. The checkout lies where root's shell begins."""

    def __init__(self, engine: Engine, checkout: Path, *options: str) -> None:
        self._engine = engine
        self._name = engine.run(
            "docker", "run", "--detach", "--workdir=/root/smartauth", *WITH_SYSTEMD, *options, "machine"
        ).stdout.strip()
        engine.run("docker", "cp", f"{checkout}/.", f"{self._name}:/root/smartauth")
        assert wait_until(lambda: self.run("systemctl", "is-system-running", check=False) == "running", within=120)

    def terminal(self, commands: str) -> Terminal:
        return self._engine.terminal(commands, inside=self._name)

    def run(self, *command: str, check: bool = True) -> str:
        return self._engine.run("docker", "exec", self._name, *command, check=check).stdout.strip()

    def status(self, url: str, *options: str) -> str:
        return self.run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", *options, url, check=False)

    def remove(self) -> None:
        self._engine.run("docker", "rm", "--force", self._name)


@pytest.fixture(scope="module")
def machine(engine: Engine, checkout: Path, release: Path) -> Iterator[Debian]:
    made = Debian(engine, checkout)
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def service(machine: Debian) -> Debian:
    """The machine once its page was followed."""
    install, prepare, begin = placed("how-to/run-as-a-service.md", MACHINE)
    finished(machine.terminal(install))
    finished(machine.terminal(prepare), password=PASSWORD)
    finished(machine.terminal(begin))
    return machine


PROXY = ["-H", f"Host: {HOST}", "-H", "X-Forwarded-For: 192.0.2.7", "-H", "X-Forwarded-Proto: https"]


def test_systemd_runs_the_units_of_the_page_and_the_server_is_ready(service: Debian) -> None:
    is_ready = wait_until(lambda: service.status("http://127.0.0.1:8000/readyz", *PROXY) == "200", within=120)

    assert is_ready, service.run("journalctl", "--no-pager", "--lines=50", "--unit=smartauth", check=False)
    for unit in ("smartauth", "smartauth-worker"):
        assert service.run("systemctl", "is-active", unit) == "active"
        assert service.run("systemctl", "is-enabled", unit) == "enabled"
        shown = service.run("systemctl", "show", "--property=User", "--property=NRestarts", unit)
        assert {*shown.split()} == {"User=smartauth", "NRestarts=0"}


def test_the_account_that_serves_reads_what_its_settings_name_and_nothing_of_the_owner(service: Debian) -> None:
    by_the_service = ["runuser", "-u", "smartauth", "--"]
    secrets = ["find", "/etc/smartauth/secrets", "-type", "f"]
    named = service.run("sed", "-n", "s|.*_FILE=/etc/smartauth/secrets/||p", "/etc/smartauth/environment")

    read = service.run(*by_the_service, *secrets, "-readable", "-printf", "%f\n")
    changed = service.run(*by_the_service, *secrets, "-writable")

    assert sorted(read.split()) == sorted(named.split())
    assert len(service.run(*secrets).split()) == 9
    assert changed == ""


def test_without_a_proxy_the_server_speaks_tls_at_the_port_of_the_page(service: Debian) -> None:
    (serve,) = placed("how-to/run-in-production.md", MACHINE)
    pair = ["-keyout", "/etc/smartauth/key.pem", "-out", "/etc/smartauth/chain.pem"]
    name = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    service.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *name, *pair)
    service.run("chgrp", "smartauth", "/etc/smartauth/key.pem")
    service.run("chmod", "640", "/etc/smartauth/key.pem")
    known = ["--resolve", f"{HOST}:8443:127.0.0.1", "--cacert", "/etc/smartauth/chain.pem"]
    settings = f"set -a; . /etc/smartauth/environment; SMARTAUTH_ISSUER=https://{HOST}:8443 SMARTAUTH_TRUSTED_PROXIES=0"

    terminal = service.terminal(f"{settings}\nPATH=/opt/smartauth/bin:$PATH\n{as_an_account(serve)}")
    try:
        is_ready = wait_until(lambda: service.status(f"https://{HOST}:8443/readyz", *known) == "200", within=120)
        assert is_ready, terminal.printed
    finally:
        terminal.close()


def as_an_account(commands: str, account: str = "smartauth") -> str:
    """The commands, in a shell of that account: by default the one that the units run as."""
    return f"runuser -u {account} -- bash -eux <<'COMMANDS'\n{commands}COMMANDS\n"


def test_a_backup_of_the_machine_is_restored_by_the_commands_of_the_page(service: Debian) -> None:
    (restore,) = placed("how-to/back-up-and-restore.md", MACHINE)
    folder, _, _ = restore.partition(" --yes")
    owner = (
        "set -a; . /etc/smartauth/environment; PATH=/opt/smartauth/bin:$PATH; "
        "SMARTAUTH_DATA_DIR=/var/lib/smartauth-owner "
        "SMARTAUTH_DATABASE_URL_FILE=/etc/smartauth/secrets/owner_database_url "
        "SMARTAUTH_AUDIT_DATABASE_URL_FILE=/etc/smartauth/secrets/owner_audit_database_url\n"
    )
    install = "install -d -m 700 -o smartauth-owner /var/backups/smartauth\n"
    backup = as_an_account(f"smartauth backup {folder.split()[-1]}\n", "smartauth-owner")
    finished(service.terminal(f"{owner}{install}{backup}"))
    service.run("systemctl", "stop", "smartauth", "smartauth-worker")
    try:
        printed = finished(service.terminal(f"{owner}{as_an_account(restore, 'smartauth-owner')}"))
    finally:
        service.run("systemctl", "start", "smartauth", "smartauth-worker")

    assert "everything that was granted has ended" in printed
    assert wait_until(lambda: service.status("http://127.0.0.1:8000/readyz", *PROXY) == "200", within=120)


# Installed ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def laptop(engine: Engine, checkout: Path) -> Iterator[Debian]:
    """Where somebody has an environment of their own."""
    made = Debian(engine, checkout)
    try:
        made.run("python3", "-m", "venv", "/root/own")
        yield made
    finally:
        made.remove()


def test_pipx_installs_a_command_that_serves_the_demo(laptop: Debian) -> None:
    first, extras, dev, _, _ = placed("how-to/install.md", MACHINE)
    finished(laptop.terminal(first + extras))

    terminal = laptop.terminal(f"cd /\nPATH=/root/.local/bin:$PATH\n{dev}")
    try:
        terminal.wait_for("401: the token is revoked.*\n.*\n")
        assert laptop.status("http://127.0.0.1:8000/fhir/r4/metadata") == "200"
        assert laptop.run("ls", "/root/.local/share/smartauth")
    finally:
        terminal.close()


def test_the_packages_for_producers_go_into_an_environment_of_theirs(laptop: Debian) -> None:
    *_, probe, enforcement = placed("how-to/install.md", MACHINE)

    finished(laptop.terminal(f". /root/own/bin/activate\n{probe}{enforcement}"))

    assert "fixture" in laptop.run("/root/own/bin/python", "-c", "import smartauth_probe.catalogue; print('fixture')")
    assert laptop.run("/root/own/bin/python", "-c", "import smartauth_enforcement; print(1)") == "1"
    assert "django" not in laptop.run("/root/own/bin/pip", "list").lower()


# In a checkout --------------------------------------------------------------------------------------------------------


def test_make_dist_writes_what_the_page_says(release: Path) -> None:
    names = {file.name.partition("-")[0] for file in release.iterdir() if file.suffix == ".whl"}

    assert names == {"smartauth", "smartauth_probe", "smartauth_enforcement"}
    assert len(list(release.glob("*.tar.gz"))) == 3
    assert len(list(release.glob("smartauth-*.cdx.json"))) == 1


def test_the_server_for_test_suites_starts_with_its_limits(engine: Engine, checkout: Path) -> None:
    (commands,) = placed("how-to/run-test-suites.md", CHECKOUT)
    wrong = ["-u", "demo-resource-server:wrong", "-d", "token=x"]
    terminal = engine.terminal(commands, cwd=checkout)
    try:
        terminal.wait_for("401: the token is revoked.*\n.*\n")
        refused = {status(engine, "http://127.0.0.1:8000/o/introspect", *wrong) for _ in range(20)}
        assert refused == {"401"}
    finally:
        terminal.close()
