"""`serve --tls-certificate`: a server that ends TLS by itself, as production runs it on a machine without a proxy."""

import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from django.core.management import CommandError, call_command

from smartauth.own_tls import Certificate
from tests.publishing import authority, certificate_files, handshake, trusting_context
from tests.running import Server, production_secrets

pytestmark = pytest.mark.one_engine
HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate_files(tmp_path_factory.mktemp("tls"), HOST)


@pytest.fixture(scope="module")
def server(files: tuple[Path, Path]) -> Iterator[Server]:
    """In production, with a certificate."""
    made = Server()
    made.environment |= production_secrets()
    made.environment["SMARTAUTH_ISSUER"] = made.url = f"https://{HOST}:{made.port}"
    made.options, made.tls = (f"--tls-certificate={files[0]}", f"--tls-key={files[1]}"), trusting_context()
    try:
        made.migrate()
        yield made.start()
    finally:
        made.remove()


def shaken(server: Server, context: ssl.SSLContext) -> tuple[str | None, str, str]:
    return handshake(server.port, HOST, context)


def limited(
    lowest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2, highest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, ciphers: str = ""
) -> ssl.SSLContext:
    context = trusting_context()
    context.minimum_version, context.maximum_version = lowest, highest
    if ciphers:
        context.set_ciphers(ciphers)
    return context


V1, V1_1, V1_2 = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2


@pytest.mark.requirement("SD-02")
def test_tls_1_3_and_1_2_come_with_aes_256(server: Server) -> None:
    newest, older = shaken(server, trusting_context()), shaken(server, limited(V1_2, V1_2))

    assert newest[:2] == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
    assert older[:2] == ("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384")


@pytest.mark.requirement("SD-02")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("version", "ciphers"),
    [(V1_2, "ECDHE+AES128:ECDHE+CHACHA20:ECDHE-ECDSA-AES256-SHA"), (V1_1, "ALL:@SECLEVEL=0"), (V1, "ALL:@SECLEVEL=0")],
    ids=["AES-128", "TLS 1.1", "TLS 1.0"],
)
def test_weaker_ciphers_and_older_versions_are_refused(server: Server, version: ssl.TLSVersion, ciphers: str) -> None:
    with pytest.raises(ssl.SSLError):
        shaken(server, limited(version, version, ciphers))


ASKS = """
import socket, ssl, sys
plain = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10)
with ssl.create_default_context(cafile=sys.argv[2]).wrap_socket(plain, server_hostname="127.0.0.1") as made:
    agreed = made.version(), made.cipher()[0]  # before the server may close: version() is None afterwards
    heard = b""
    try:
        made.sendall(b"GET /healthz HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nConnection: close\\r\\n\\r\\n")
        heard = made.recv(12)
    except OSError:
        pass
    print(*agreed, heard.decode())
"""


@pytest.mark.requirement("SD-02")
@pytest.mark.parametrize(
    ("cipher", "heard"),
    [("TLS_AES_128_GCM_SHA256", ""), ("TLS_AES_256_GCM_SHA384", "HTTP/1.1 200")],
)
def test_who_offers_128_bits_alone_in_tls_1_3_gets_no_answer(
    server: Server, tmp_path: Path, cipher: str, heard: str
) -> None:
    known, offers = tmp_path / "authority.pem", tmp_path / "openssl.cnf"
    known.write_bytes(authority()[1].public_bytes(serialization.Encoding.PEM))
    offers.write_text(f"openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nCiphersuites = {cipher}\n")

    asked = subprocess.run(
        [sys.executable, "-c", ASKS, str(server.port), str(known)],
        env={**os.environ, "OPENSSL_CONF": str(offers)}, capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip

    assert asked.stdout.strip() == f"TLSv1.3 {cipher} {heard}".strip()


@pytest.mark.requirement("SD-01")
@pytest.mark.parametrize(("path", "status"), [("/login", 200), ("/o/jwks", 200), ("/readyz", 200), ("/nothing", 404)])
def test_its_answers_are_those_of_https(server: Server, path: str, status: int) -> None:
    answer = httpx.get(f"{server.url}{path}", verify=trusting_context())

    assert answer.status_code == status
    assert int(answer.headers["Strict-Transport-Security"].removeprefix("max-age=").partition(";")[0]) >= 31_536_000
    assert all("; Secure" in each for each in answer.headers.get_list("Set-Cookie"))


def test_a_renewed_certificate_is_shown_to_the_next_connection_and_open_ones_go_on(
    server: Server, files: tuple[Path, Path]
) -> None:
    with httpx.Client(verify=trusting_context(), base_url=server.url) as before:
        before.get("/healthz").raise_for_status()
        first = shaken(server, trusting_context())[2]
        certificate_files(files[0].parent, HOST)

        renewed = shaken(server, trusting_context())[2]

        assert renewed != first
        assert before.get("/healthz").status_code == 200


def test_half_a_renewal_leaves_the_certificate_before_and_a_line_in_the_log(
    server: Server, files: tuple[Path, Path], tmp_path: Path
) -> None:
    first = shaken(server, trusting_context())[2]
    other, _ = certificate_files(tmp_path, HOST)
    kept = files[0].read_bytes()
    said = len(server.log().encode())

    files[0].write_bytes(other.read_bytes())  # its key comes later
    halfway = shaken(server, trusting_context())[2]
    files[0].write_bytes(kept)

    assert halfway == shaken(server, trusting_context())[2] == first
    assert "cannot be used, the one before is" in server.log(since=said)


def test_a_key_that_is_given_to_the_server_only_afterwards_is_read_then(tmp_path: Path) -> None:
    chain, key = certificate_files(tmp_path, HOST)
    certificate = Certificate(chain, key)
    first, written = certificate.context(), key.stat()

    while key.stat().st_ctime_ns == written.st_ctime_ns:  # file systems count time in steps
        key.chmod(0o640)

    assert key.stat().st_mtime_ns == written.st_mtime_ns
    assert certificate.context() is not first


def test_a_certificate_that_is_gone_is_one_line_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    chain, key = certificate_files(tmp_path, HOST)
    certificate = Certificate(chain, key)
    first = certificate.context()

    key.rename(tmp_path / "elsewhere")
    gone = [certificate.context() for _ in range(3)]
    (tmp_path / "elsewhere").rename(key)

    assert gone == [first] * 3
    assert len(caplog.records) == 1
    assert certificate.context() is not first


def test_plain_http_gets_no_answer(server: Server) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://{HOST}:{server.port}/healthz", timeout=10)


@pytest.fixture
def https_issuer(settings: pytest.FixtureRequest) -> None:
    settings.SMARTAUTH_ISSUER = "https://auth.example.org"  # type: ignore[attr-defined]


@pytest.mark.usefixtures("https_issuer")
def test_what_cannot_be_served_is_refused_at_the_start(files: tuple[Path, Path], tmp_path: Path) -> None:
    chain, key = files
    _, others = certificate_files(tmp_path, HOST)

    with pytest.raises(CommandError, match="go together"):
        call_command("serve", f"--tls-certificate={chain}")
    with pytest.raises(CommandError, match=r"nothing\.pem.*No such file"):
        call_command("serve", f"--tls-certificate={chain}", "--tls-key=/nothing.pem")
    with pytest.raises(CommandError, match="KEY_VALUES_MISMATCH"):
        call_command("serve", f"--tls-certificate={chain}", f"--tls-key={others}")
    key.chmod(0o604)
    with pytest.raises(CommandError, match="chmod 600"):
        call_command("serve", f"--tls-certificate={chain}", f"--tls-key={key}")
    key.chmod(0o600)


def test_an_issuer_without_https_is_refused(files: tuple[Path, Path]) -> None:
    with pytest.raises(CommandError, match="SMARTAUTH_ISSUER"):
        call_command("serve", f"--tls-certificate={files[0]}", f"--tls-key={files[1]}")
