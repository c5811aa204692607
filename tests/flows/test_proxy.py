"""The proxy configuration of the docs, run by nginx in front of a server as production has it."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.publishing import certificate_files, handshake, trusting_context
from tests.running import ROOT, Server, free_port, production_secrets
from tests.strangers import Process, _nginx

pytestmark = pytest.mark.one_engine

HOST = "auth.example.org"
NGINX = """
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
daemon off;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{proxy}
}}
"""


@dataclass(frozen=True)
class Proxy:
    """Where it listens."""

    server: Server
    port: int
    plain_port: int

    def context(self, **limits: Any) -> ssl.SSLContext:
        found = trusting_context()
        for name, value in limits.items():
            setattr(found, name, value)
        return found

    def shaken(self, context: ssl.SSLContext) -> tuple[str | None, str]:
        """Protocol and cipher of a handshake. Raises ssl.SSLError."""
        return handshake(self.port, HOST, context)[:2]

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        url, headers = f"https://127.0.0.1:{self.port}{path}", {"Host": HOST, **options.pop("headers", {})}
        with httpx.Client(verify=self.context(), timeout=30) as client:
            return client.request(method, url, headers=headers, extensions={"sni_hostname": HOST}, **options)


def configured(folder: Path, server: Server, port: int, plain_port: int) -> Path:
    """The shipped file with the addresses and certificate of this run."""
    certificate, private = certificate_files(folder, HOST)
    text = (ROOT / "docker" / "proxy.conf").read_text(encoding="utf-8")
    for shipped, here in {
        "listen 443": f"listen 127.0.0.1:{port}",
        "listen 80": f"listen 127.0.0.1:{plain_port}",
        "/etc/ssl/smartauth/certificate.pem": str(certificate),
        "/etc/ssl/smartauth/key.pem": str(private),
        "127.0.0.1:8000": f"127.0.0.1:{server.port}",
    }.items():
        assert shipped in text
        text = text.replace(shipped, here)
    file = folder / "nginx.conf"
    file.write_text(NGINX.format(folder=folder, proxy=text), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder, port, plain_port = tmp_path_factory.mktemp("proxy"), free_port(), free_port()
    server = Server(
        SMARTAUTH_ISSUER=f"https://{HOST}", SMARTAUTH_TRUSTED_PROXIES="1", SMARTAUTH_ALLOWED_HOSTS="127.0.0.1"
    )
    server.environment |= production_secrets()
    server.url = f"http://127.0.0.1:{server.port}"
    try:
        server.migrate()
        server.start()
        config = configured(folder, server, port, plain_port)
        command = [_nginx(), "-p", str(folder), "-e", "error.log", "-c", str(config)]
        running = Process(command, f"http://127.0.0.1:{plain_port}", folder)
        yield Proxy(server, port, plain_port)
        running.stop()
    finally:
        server.remove()


@pytest.mark.requirement("SD-02", "DS-24")
def test_tls_1_3_is_offered_with_a_256_bit_key(proxy: Proxy) -> None:
    assert proxy.shaken(proxy.context()) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")


@pytest.mark.requirement("SD-02", "DS-24")
def test_tls_1_2_has_aes_256_and_nothing_less(proxy: Proxy) -> None:
    weaker = proxy.context(maximum_version=ssl.TLSVersion.TLSv1_2)
    weaker.set_ciphers("ECDHE+AES128:ECDHE+CHACHA20:ECDHE-ECDSA-AES256-SHA")

    usual = proxy.shaken(proxy.context(maximum_version=ssl.TLSVersion.TLSv1_2))

    assert usual == ("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384")
    with pytest.raises(ssl.SSLError):
        proxy.shaken(weaker)


@pytest.mark.requirement("SD-02", "DS-24")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_older_versions_are_refused(proxy: Proxy, version: ssl.TLSVersion) -> None:
    old = proxy.context(minimum_version=version, maximum_version=version)
    old.set_ciphers("ALL:@SECLEVEL=0")

    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        proxy.shaken(old)


@pytest.mark.requirement("SD-01")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/login", 200), ("POST", "/o/token", 400), ("POST", "/o/introspect", 400), ("GET", "/o/jwks", 200),
        ("GET", "/fhir/r4/metadata", 200), ("GET", "/fhir/r4/Patient/x", 401), ("GET", "/nothing", 404),
    ],
)  # fmt: skip
def test_every_answer_says_that_only_https_counts(proxy: Proxy, method: str, path: str, status: int) -> None:
    answer = proxy.request(method, path)

    assert answer.status_code == status
    (said,) = answer.headers.get_list("Strict-Transport-Security")
    assert int(said.removeprefix("max-age=").partition(";")[0]) >= 31_536_000


@pytest.mark.requirement("SD-01")
def test_cookies_are_for_https_alone(proxy: Proxy) -> None:
    cookies = proxy.request("GET", "/login").headers.get_list("Set-Cookie")

    assert cookies
    assert all(each.startswith("__Host-") and "; Secure" in each for each in cookies)


@pytest.mark.requirement("SD-01")
def test_plain_http_is_led_to_https_and_answers_nothing(proxy: Proxy) -> None:
    answer = httpx.get(f"http://127.0.0.1:{proxy.plain_port}/login?next=/apps", headers={"Host": HOST})

    assert (answer.status_code, answer.headers["Location"]) == (301, f"https://{HOST}/login?next=/apps")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.requirement("SD-01", "E131")
@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "[::1]"])
def test_plain_http_is_led_to_our_own_name_whatever_the_caller_calls_us(proxy: Proxy, host: str) -> None:
    answer = httpx.get(f"http://127.0.0.1:{proxy.plain_port}/login", headers={"Host": host})

    assert (answer.status_code, answer.headers["Location"]) == (301, f"https://{HOST}/login")


@pytest.mark.requirement("DS-17")
def test_behind_it_everything_names_the_issuer_of_the_configuration(proxy: Proxy) -> None:
    document = proxy.request("GET", "/.well-known/oauth-authorization-server").json()

    assert document["issuer"] == f"https://{HOST}"
    assert document["token_endpoint"] == f"https://{HOST}/o/token"


@pytest.mark.requirement("PR-05")
def test_what_a_caller_says_of_its_address_does_not_count(proxy: Proxy) -> None:
    lying = {"X-Forwarded-For": "203.0.113.9"}
    form = {"token": "x", "client_id": "counted-by-address", "client_secret": "wrong"}

    statuses = [
        proxy.request("POST", "/o/introspect", data=form, headers={**lying, "X-Real-IP": str(number)}).status_code
        for number in range(11)
    ]
    other = proxy.request("POST", "/o/introspect", data=form, headers={"X-Forwarded-For": "203.0.113.10"})

    assert statuses[-1] == other.status_code == 429


# The proxy and `Upgrade` ---------------------------------------------------------------------------------------------

FORWARDS_UPGRADE = """
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass http://127.0.0.1:{server};
        proxy_http_version 1.1;
        proxy_set_header Host {host};
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection "upgrade";
    }}
}}
"""


@pytest.fixture(scope="module")
def forwarding_port(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A proxy as many are configured: it passes `Upgrade` on, and asks for one with every request."""
    folder, port = tmp_path_factory.mktemp("forwarding"), free_port()
    text = FORWARDS_UPGRADE.format(port=port, server=proxy.server.port, host=HOST)
    file = folder / "nginx.conf"
    file.write_text(NGINX.format(folder=folder, proxy=text), encoding="utf-8")
    command = [_nginx(), "-p", str(folder), "-e", "error.log", "-c", str(file)]
    running = Process(command, f"http://127.0.0.1:{port}/healthz", folder)
    yield port
    running.stop()


UPGRADE = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAEAAEAAAAIAAAABAAMAAABkAAQ"}
INNER = b"GET /o/jwks HTTP/1.1\r\nHost: x\r\n\r\n"
TWICE = b"&scope=a&scope=b"  # is refused as sent twice, so a body that was lost is noticed
BODIES = {"a form": b"client_id=nobody" + TWICE, "a request": INNER + TWICE}


@pytest.mark.requirement("SD-27")
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("chunks", [False, True], ids=["length", "chunks"])
@pytest.mark.parametrize("way", ["shipped", "forwarding"])
def test_a_body_behind_a_proxy_arrives_whole_with_an_upgrade(
    proxy: Proxy, forwarding_port: int, way: str, chunks: bool, body: str
) -> None:
    sent: Any = iter([BODIES[body][:9], BODIES[body][9:]]) if chunks else BODIES[body]
    headers = {"Content-Type": "application/x-www-form-urlencoded", **(UPGRADE if way == "forwarding" else {})}
    with httpx.Client(base_url=f"http://127.0.0.1:{forwarding_port}") as client:
        ask = client.request if way == "forwarding" else proxy.request
        answer = ask("POST", "/o/token", content=sent, headers=headers)
        after = ask("GET", "/o/jwks")

    assert (answer.status_code, answer.json()["error_description"]) == (400, "scope was sent twice")
    assert after.json().keys() == {"keys"}
