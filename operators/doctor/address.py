"""The issuer as others see it: whether it answers by its own name, and how its TLS is."""

import json
import socket
import ssl
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import SplitResult, urlsplit

import httpx
from cryptography import x509
from django.conf import settings

from operators.doctor.problem import Problem

METADATA = "/.well-known/oauth-authorization-server"
SECONDS = 5.0
SOON = 21  # days
KEY_BITS = 256
PROXIES = ("nginx", "openresty", "envoy", "istio-envoy", "caddy", "apache", "haproxy", "cloudflare", "awselb")
OLD_VERSIONS = ((ssl.TLSVersion.TLSv1, "1.0"), (ssl.TLSVersion.TLSv1_1, "1.1"))


def find_address_problems() -> Iterator[Problem]:
    """A server that is reached at its issuer names that issuer, through all proxies."""
    issuer = settings.SMARTAUTH_ISSUER
    try:
        # whether the certificate is believed is another check
        answer = httpx.get(issuer + METADATA, verify=_lenient_context(), trust_env=False, timeout=SECONDS)
    except httpx.HTTPError as error:
        yield Problem(f"nobody answers at {issuer}: {_text(error)}", "start the server, or correct SMARTAUTH_ISSUER")
        return
    named = _named_issuer(answer)
    if answer.status_code == httpx.codes.BAD_REQUEST:
        what = f"{issuer} refuses its own name with 400: a proxy sends another Host"
        yield Problem(what, "let the proxy pass Host on, as docs/how-to/run-in-production.md shows")
    elif named != issuer:
        what = f"at {issuer} answers something else: status {answer.status_code}, issuer {named or 'none'}"
        yield Problem(what, "let the proxy lead there, or correct SMARTAUTH_ISSUER")
    elif (proxy := _proxy(answer)) and not settings.SMARTAUTH_TRUSTED_PROXIES:
        what = f"{proxy} stands in front of {issuer}, so every caller seems to come from its address"
        yield Problem(what, "set SMARTAUTH_TRUSTED_PROXIES to the number of proxies, and let them add X-Forwarded-For")


def find_tls_problems() -> Iterator[Problem]:
    """Certificate, version and cipher as a caller of an issuer with https meets them."""
    url = urlsplit(settings.SMARTAUTH_ISSUER)
    try:
        certificate, cipher, bits = _handshake(url)
    except OSError as error:
        yield Problem(f"no TLS at {url.netloc}: {_text(error)}", "start the server or proxy that has the certificate")
        return
    yield from _certificate_problems(url, certificate)
    if bits < KEY_BITS:
        yield Problem(f"TLS at {url.netloc} chooses {cipher}", "prefer suites with AES-256 in the proxy")
    for version, name in OLD_VERSIONS:
        if _speaks(url, version):
            yield Problem(f"{url.netloc} still speaks TLS {name}", "allow TLS 1.2 and 1.3 alone in the proxy")


def _certificate_problems(url: SplitResult, certificate: x509.Certificate) -> Iterator[Problem]:
    days = (certificate.not_valid_after_utc - datetime.now(UTC)).days
    if days < SOON:
        when = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
        what = f"the certificate of {url.netloc} {'ended' if days < 0 else 'ends'} on {when}"
        yield Problem(what, "renew it, and look why nothing renews it by itself")
    elif certificate.issuer == certificate.subject:
        what = f"the certificate of {url.netloc} is self-signed: nobody elsewhere believes it"
        yield Problem(what, "take one of an authority that apps and FHIR servers know")


def _handshake(url: SplitResult) -> tuple[x509.Certificate, str, int]:
    """The certificate, by whichever authority, the cipher and the bits of its key. Raises OSError."""
    context = _lenient_context()
    with _connection(url) as plain, context.wrap_socket(plain, server_hostname=url.hostname) as secured:
        sent, cipher = secured.getpeercert(binary_form=True), secured.cipher()
    name, _, bits = cipher or ("no cipher", "", 0)
    return x509.load_der_x509_certificate(sent or b""), name, bits


def _speaks(url: SplitResult, version: ssl.TLSVersion) -> bool:
    context = _lenient_context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that these versions are old is what this is about
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    try:
        with _connection(url) as plain, context.wrap_socket(plain, server_hostname=url.hostname):
            return True
    except OSError:
        return False


def _lenient_context() -> ssl.SSLContext:
    """It looks at what is there, and hands out nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _connection(url: SplitResult) -> socket.socket:
    return socket.create_connection((url.hostname or "", url.port or 443), SECONDS)


def _proxy(answer: httpx.Response) -> str:
    """What it says of itself; smartauth names no server."""
    named = str(answer.headers.get("Server", "")).partition("/")[0].strip()
    if named.lower() in PROXIES:
        return named
    return "a proxy" if "Via" in answer.headers else ""


def _named_issuer(answer: httpx.Response) -> str:
    try:
        found = json.loads(answer.content)
    except ValueError:
        return ""
    return str(found.get("issuer", "")) if isinstance(found, dict) else ""


def _text(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
