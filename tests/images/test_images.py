"""The images of docker/Dockerfile: what they hold, and each service of docker/compose.yaml at work with them."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import yaml

from tests.flows.app import Form
from tests.images.builder import AS_ROOT, Image, image
from tests.images.container import Container
from tests.postgresql import PostgreSQL
from tests.running import ROOT, free_port
from tests.smartauth.test_distributions import PACKAGES
from tests.waiting import wait_until

pytestmark = [pytest.mark.clients, AS_ROOT]

DOCKER = ROOT / "docker"
HOST = "auth.example.org"
PASSWORD = "correct-horse-battery-9"
MOST_BYTES = 420_000_000  # of which Debian's base without documentation is half
FORBIDDEN = re.compile(r"\.env(\..*)?|.*\.sqlite3.*|\.git|tests|bench|node_modules|pip|setuptools|build|app")


@pytest.fixture(scope="module")
def production() -> Image:
    return image("production")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """What compose.yaml says once Debian's docker-compose has read it."""
    return composed("compose.yaml")["services"]  # type: ignore[no-any-return]


def composed(name: str) -> dict[str, Any]:
    environment = {**os.environ, "SMARTAUTH_HOST": HOST, "FHIR_IMAGE": "my-fhir-server"}
    command = ["docker-compose", "-f", str(DOCKER / name), "config"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    read: dict[str, Any] = yaml.safe_load(done.stdout)
    return read


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgreSQL]:
    made = PostgreSQL(superuser="postgres")
    try:
        yield made.start()
    finally:
        made.remove()


@pytest.fixture(scope="module")
def secrets(cluster: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As docker/draw-secrets.sh draws them, for a database that listens elsewhere; databases.sh has made the roles."""
    folder = tmp_path_factory.mktemp("drawn") / "secrets"
    subprocess.run(["sh", DOCKER / "draw-secrets.sh", folder], check=True, capture_output=True, timeout=60)
    roles = {f"SMARTAUTH_{role}_FILE": str(folder / file) for role, file in (
        ("PASSWORD", "serving_password"), ("OWNER_PASSWORD", "owner_password")
    )}  # fmt: skip
    where = {"PGHOST": "127.0.0.1", "PGPORT": str(cluster.port), "PGUSER": "postgres"}
    subprocess.run(["sh", DOCKER / "databases.sh"], env={**os.environ, **where, **roles}, check=True, timeout=60)
    for url in folder.glob("*_url"):
        url.chmod(0o644)
        url.write_text(url.read_text().replace("@postgres/", f"@127.0.0.1:{cluster.port}/"))
    folder.chmod(0o755)  # a container engine mounts each file by itself
    folder.parent.chmod(0o755)
    return folder


def container(production: Image, services: dict[str, Any], secrets: Path, name: str) -> Container:
    """A container of that service."""
    service = services[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    given = {**service["environment"], "SMARTAUTH_REDIS_URL": os.environ["SMARTAUTH_REDIS_URL"]}
    return Container(production.root, {**production.environment, **given}, secrets)


@pytest.fixture(scope="module")
def migrated(production: Image, services: dict[str, Any], secrets: Path) -> None:
    done = container(production, services, secrets, "migrate").run(services["migrate"]["command"])

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def web(
    migrated: None, production: Image, services: dict[str, Any], secrets: Path
) -> Iterator[tuple[Container, httpx.Client]]:
    """The service `web` on another port, and somebody who asks it as the proxy does."""
    running, port = container(production, services, secrets, "web"), free_port()
    running.start([*services["web"]["command"], "--port", str(port)])
    headers = {"Host": HOST, "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
            wait_for(client, "/readyz", running)
            yield running, client
    finally:
        running.kill()


def wait_for(client: httpx.Client, path: str, running: Container) -> None:
    def answers() -> bool:
        try:
            return client.get(path).status_code == 200
        except httpx.TransportError:
            return False

    assert wait_until(answers, within=180), f"{path} is not 200: {running.written()}"


def test_an_image_holds_the_product_and_nothing_else_of_a_checkout(production: Image) -> None:
    packages = next((production.root / "opt/smartauth").glob("lib/python3*/site-packages"))

    tops = [*packages.iterdir(), *(production.root / "srv/smartauth").iterdir(), *production.root.iterdir()]
    ours = [file for name in PACKAGES for file in (packages / name).rglob("*")]
    unwanted = [file for file in (*tops, *ours) if FORBIDDEN.fullmatch(file.name)]

    assert (packages / "smartauth/bundled/templates").is_dir()
    assert (production.root / "opt/smartauth/static").is_dir()
    assert ours
    assert not unwanted
    assert not (production.root / "usr/bin/gcc").exists()
    assert production.size < MOST_BYTES


def test_the_account_of_an_image_owns_one_folder_and_can_write_nowhere_else(production: Image) -> None:
    found = Container(production.root, production.environment).run(
        ["find", "/", "-xdev", "-writable", "-not", "-type", "l", "-not", "-path", "/proc/*"]
    )

    assert production.user == "10001"
    assert set(found.stdout.split()) <= {"/tmp", "/srv/smartauth", "/run"}


def test_an_image_without_secrets_refuses_to_start_and_names_them(production: Image) -> None:
    environment = {**production.environment, "SMARTAUTH_ISSUER": f"https://{HOST}"}

    done = Container(production.root, environment).run(production.command)

    assert done.returncode == 1
    assert "SMARTAUTH_SECRET_KEY is unsafe: not set outside development." in done.stderr
    assert "SMARTAUTH_KEY_ENCRYPTION_KEYS is unsafe: not set outside development." in done.stderr
    assert "Traceback" not in done.stderr


def test_the_server_of_compose_is_ready_and_brings_its_static_files(web: tuple[Container, httpx.Client]) -> None:
    _, client = web

    page = client.get("/login")
    style = re.search(r'href="(/static/[^"]+\.css)"', page.text)

    assert page.status_code == 200
    assert style
    assert client.get(style[1]).status_code == 200
    assert client.get("/.well-known/openid-configuration").json()["issuer"] == f"https://{HOST}"


def test_without_its_secret_the_bundled_fhir_server_is_absent(web: tuple[Container, httpx.Client]) -> None:
    _, client = web

    assert client.get("/fhir/r4/metadata").status_code == 404
    assert client.get("/dev/tokens").status_code == 404


def cookies(answer: httpx.Response) -> str:
    """As a header: they are for https alone, which the proxy in front speaks."""
    return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())


def test_the_first_operator_signs_in_after_one_command(
    web: tuple[Container, httpx.Client], production: Image, services: dict[str, Any], secrets: Path
) -> None:
    _, client = web
    added = container(production, services, secrets, "web").run(
        ["smartauth", "person", "add", "olivia", "--operator", "--password"], text=f"{PASSWORD}\n"
    )
    page, form = client.get("/login"), Form()
    form.feed(page.text)

    signed_in = client.post(
        "/login",
        data={**form.filled, "username": "olivia", "password": PASSWORD},
        headers={"Origin": f"https://{HOST}", "Cookie": cookies(page)},
    )

    assert added.returncode == 0, added.stderr
    assert signed_in.status_code == 303, signed_in.text
    assert client.get("/admin/", headers={"Cookie": cookies(signed_in)}).status_code == 200


def test_the_worker_moves_events_as_a_role_that_owns_nothing(
    migrated: None, production: Image, services: dict[str, Any], secrets: Path, cluster: PostgreSQL
) -> None:
    worker = container(production, services, secrets, "worker").start(services["worker"]["command"])
    asked = container(production, services, secrets, "web").run(["smartauth", "person", "add", "wanda", "--operator"])
    try:
        with psycopg.connect(cluster.url("smartauth_audit"), autocommit=True) as audit:
            is_moved = wait_until(lambda: count(audit) > 0, within=180)
        status = worker.stop(60)
    finally:
        worker.kill()

    assert asked.returncode == 0, asked.stderr
    assert is_moved, worker.written()
    assert status == 0, worker.written()


def count(audit: psycopg.Connection[Any]) -> int:
    row = audit.execute("SELECT count(*) FROM audit_securityevent").fetchone()
    return int(row[0]) if row else 0


@pytest.mark.parametrize("database", ["smartauth", "smartauth_audit"])
def test_the_role_that_serves_owns_no_table_and_makes_none(
    migrated: None, cluster: PostgreSQL, secrets: Path, database: str
) -> None:
    owned = "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = 'smartauth'"
    serving = (secrets / "serving_database_url").read_text().strip().rpartition("/")[0]

    with psycopg.connect(f"{serving}/{database}") as connection:
        assert connection.execute(owned).fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (a int)")


def test_sigterm_ends_the_server_in_order(
    production: Image, services: dict[str, Any], secrets: Path, migrated: None
) -> None:
    running, port = container(production, services, secrets, "web"), free_port()
    running.start([*services["web"]["command"], "--port", str(port)])
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        wait_for(client, "/healthz", running)

    assert running.stop() == 0, running.written()


def test_compose_for_development_shares_one_network_with_the_producers_server() -> None:
    services = composed("compose.dev.yaml")["services"]

    assert services["fhir"]["network_mode"] == "service:smartauth"
    assert services["smartauth"]["build"]["target"] == "dev"
    assert {port.rpartition(":")[0].rpartition(":")[0] for port in services["smartauth"]["ports"]} == {"127.0.0.1"}


def test_the_proxy_of_compose_is_the_file_of_the_docs_with_its_own_names(
    services: dict[str, Any], tmp_path: Path
) -> None:
    shell, option, script = services["proxy"]["command"]
    written, given = tmp_path / "default.conf", tmp_path / "resolv.conf"
    given.write_text("search example.org\nnameserver fd00::53\nnameserver 192.0.2.53\n", encoding="utf-8")
    script = script.replace("/etc/resolv.conf", str(given))
    script = script.replace("/proxy.conf", str(DOCKER / "proxy.conf")).replace("$$", "$")
    script = script.replace("/etc/nginx/conf.d/default.conf", str(written)).replace("exec nginx", ": nginx")

    subprocess.run([shell, option, script], env={**os.environ, "SMARTAUTH_HOST": "login.example"}, check=True)

    text = (DOCKER / "proxy.conf").read_text(encoding="utf-8")
    resolver = "resolver [fd00::53] valid=2s ipv6=off; resolver_timeout 5s"
    upstream = f"{resolver}; set $web web:8000; proxy_pass http://$web"
    own = text.replace("auth.example.org", "login.example").replace("proxy_pass http://127.0.0.1:8000", upstream)
    assert written.read_text(encoding="utf-8") == own


def test_a_service_that_serves_is_given_no_secret_of_the_owner(services: dict[str, Any]) -> None:
    for name in ("web", "worker"):
        assert not [each for each in services[name]["secrets"] if "owner" in json.dumps(each)]
