"""Asking the authorization server about a token (RFC 7662): the only way to know one. Nothing is cached (TV-16)."""

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

import httpx
from django.conf import settings

from fhir.operation_outcome import Unavailable
from smart.http import addresses, strict_json
from smart.http.media_types import parse_media_type
from smart.http.outgoing_tls import outgoing_tls

log = logging.getLogger("smartauth.fhir")

JSON = "application/json"  # RFC 7662 §2.2
MAX_ANSWER = 1_048_576  # room for the ids of 10,000 patients that a person may see

_lock = threading.Lock()
_clients: list[httpx.Client] = []
# a connection that the other side has just closed tells nothing about the token
_BROKEN = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


def introspect(token: str, address: str) -> dict[str, Any] | None:
    """The claims of a live token, None for any other. Raises Unavailable unless that is a 200 with a JSON object."""
    form = {"token": token}
    if address:
        form["__client_ip"] = address
    try:
        claims = strict_json.loads(_answer(form))
    except httpx.HTTPError as error:
        raise _unavailable(f"{type(error).__name__} {error}") from error
    except ValueError as error:  # its text may repeat what came
        raise _unavailable(type(error).__name__) from error
    if not isinstance(claims, dict) or not isinstance(claims.get("active"), bool):
        raise _unavailable("an answer that is none of RFC 7662")
    return claims if claims["active"] else None


def _answer(form: dict[str, str]) -> bytes:
    try:
        return _post(form)
    except _BROKEN:
        return _post(form)


def _post(form: dict[str, str]) -> bytes:
    """The body of a 200, within the time and size allowed."""
    timeout = settings.SMARTAUTH_FHIR_INTROSPECTION_TIMEOUT
    deadline = time.monotonic() + timeout
    credentials = (settings.SMARTAUTH_FHIR_CLIENT_ID, settings.SMARTAUTH_FHIR_CLIENT_SECRET)
    url = settings.SMARTAUTH_FHIR_INTROSPECTION_URL
    with _client().stream("POST", url, data=form, auth=credentials, timeout=timeout) as response:
        if response.status_code != httpx.codes.OK:
            raise _unavailable(f"status {response.status_code}")
        if parse_media_type(response.headers.get("content-type", "")).name != JSON:
            raise _unavailable("an answer that is not application/json")
        body = b""
        for piece in response.iter_raw():
            body += piece
            if len(body) > MAX_ANSWER or time.monotonic() > deadline:
                raise _unavailable("an answer that is too long or too slow")
        return body


def _unavailable(cause: str) -> Unavailable:
    """One line for the operator, with nothing of the token; the app hears no more than 503."""
    url = settings.SMARTAUTH_FHIR_INTROSPECTION_URL
    log.warning("the authorization server at %s did not answer about a token: %s", url, " ".join(cause.split()))
    return Unavailable()


def _client() -> httpx.Client:
    """One for the process, with connections kept open a shorter while than the server keeps them."""
    with _lock:
        if not _clients:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=2.0)
            headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
            tls = outgoing_tls(settings.SMARTAUTH_CA_FILE)
            _clients.append(
                httpx.Client(verify=tls, limits=limits, headers=headers, trust_env=False, follow_redirects=False)
            )
    return _clients[0]


def caller_address(environ: Mapping[str, Any]) -> str:
    """Where the request came from: counted from the right past the proxies that are trusted (BCP §4.13)."""
    trusted = settings.SMARTAUTH_TRUSTED_PROXIES
    return addresses.caller_address(environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", ""), trusted)
