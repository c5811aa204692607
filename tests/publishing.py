"""A client's own web server, which publishes its keys: well, badly, slowly, or elsewhere."""

import datetime
import ipaddress
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Respond = Callable[[BaseHTTPRequestHandler], None]


class Publisher:
    """On a free port of this machine; `asked` holds the headers of every request that came."""

    def __init__(self, body: str = "", *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.body, self.status = body, 200
        self.headers: dict[str, str] = {"Cache-Control": "max-age=60"}
        self.asked: list[dict[str, str]] = []
        self.respond: Respond = self._respond
        self._server = _Quiet((host, 0), self._handler())
        scheme = "http"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
            scheme = "https"
        self.port = self._server.server_port
        self.url = f"{scheme}://{host}:{self.port}/jwks"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                publisher.asked.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
                publisher.respond(self)

            def log_message(self, *_: object) -> None:
                """Keeps the test's output quiet."""

        return Handler

    def _respond(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(self.status)
        for name, value in self.headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(self.body.encode())

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Who asks may hang up, or not like the certificate."""


@contextmanager
def publisher_of(body: str = "", **options: Any) -> Iterator[Publisher]:
    """A publisher for as long as the block lasts."""
    made = Publisher(body, **options)
    try:
        yield made
    finally:
        made.stop()


# Certificates ---------------------------------------------------------------------------------------------------------


@lru_cache
def authority() -> tuple[Any, x509.Certificate]:
    """A certificate authority that lives as long as this run."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "an authority of the tests")])
    built = _builder(name, name, key).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return key, built.sign(key, hashes.SHA256())


def server_context(*hosts: str, days: int = 1, is_self_signed: bool = False) -> ssl.SSLContext:
    """What a server of these names shows for so many days, signed by the authority or by itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        context.load_cert_chain(*certificate_files(Path(folder), *hosts, days=days, is_self_signed=is_self_signed))
    return context


def certificate_files(folder: Path, *hosts: str, days: int = 1, is_self_signed: bool = False) -> tuple[Path, Path]:
    """A certificate for these names, `certificate.pem`, and its key, `key.pem`."""
    root, issuer = authority()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, hosts[0])])
    names = x509.SubjectAlternativeName([_general(host) for host in hosts])
    subject, signer = (name, key) if is_self_signed else (issuer.subject, root)
    built = _builder(name, subject, key, days).add_extension(names, critical=False)
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(built.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    private.chmod(0o600)
    return certificate, private


def trusting_context() -> ssl.SSLContext:
    """What somebody uses who trusts the authority, and nobody else."""
    pem = authority()[1].public_bytes(serialization.Encoding.PEM).decode()
    return ssl.create_default_context(cadata=pem)


def handshake(port: int, name: str, context: ssl.SSLContext) -> tuple[str | None, str, str]:
    """Protocol, cipher and the certificate's number of who listens there by that name. Raises ssl.SSLError."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as made,
    ):
        cipher, shown = made.cipher(), made.getpeercert() or {}
        return made.version(), cipher[0] if cipher else "", str(shown["serialNumber"])


def _builder(subject: x509.Name, issuer: x509.Name, key: Any, days: int = 1) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return x509.CertificateBuilder(
        issuer, subject, key.public_key(), x509.random_serial_number(),
        now - datetime.timedelta(days=30), now + datetime.timedelta(days=days),
    )  # fmt: skip


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
