"""Fetching a client's keys from its JWKS URL: https, public addresses, small, quick, no redirect (RG-06, CL-12)."""

import asyncio
import socket
import ssl
from typing import NamedTuple

import httpx
from django.conf import settings

from oauth.clients import jwks_uri
from oauth.http.bounded_body import BodyTooLong, append_part
from smart.clients import jwks
from smart.http import cache_control
from smart.http.outgoing_tls import outgoing_tls

SECONDS = 5.0


class Unfetchable(Exception):
    """Why the keys could not be had, in words for an operator."""


class NotPublic(Unfetchable):
    """The host is one that only this machine can reach (E100)."""


class FetchedJwks(NamedTuple):
    """A JWK set as it came, and for how many seconds it may be used."""

    body: bytes
    seconds: int


def fetch_public_keys(uri: str) -> tuple[jwks.PublicKey, ...]:
    """The keys behind the URL, for an operator who looks: one bad key is a problem. Raises Unfetchable, InvalidKeys."""
    return jwks.parse_fetched_jwks(asyncio.run(fetch(uri)).body)


async def fetch(uri: str) -> FetchedJwks:
    """What the URL answers now, whole within five seconds. Raises Unfetchable."""
    if problem := jwks_uri.jwks_uri_problem(uri, dev=settings.SMARTAUTH_DEV):
        raise (NotPublic if problem == jwks_uri.NOT_PUBLIC else Unfetchable)(problem)
    try:
        async with asyncio.timeout(SECONDS):
            return await _request(httpx.URL(uri))
    except TimeoutError:
        raise Unfetchable(f"It took longer than {SECONDS:.0f} seconds") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        raise Unfetchable(f"It could not be fetched: {type(error).__name__}") from None


async def _request(url: httpx.URL) -> FetchedJwks:
    """The answer, asked of the very address that was judged, so that a name cannot change its mind in between."""
    port = url.port or (443 if url.scheme == "https" else 80)
    request = httpx.Request(
        "GET",
        url.copy_with(host=await _public_address(url.host, port)),
        headers={"Host": url.netloc.decode(), "Accept": "application/json", "Accept-Encoding": "identity"},
        extensions={"sni_hostname": url.host, "timeout": httpx.Timeout(SECONDS).as_dict()},
    )
    async with httpx.AsyncClient(verify=_tls_context(), trust_env=False, follow_redirects=False) as client:
        answer = await client.send(request, stream=True)
        try:
            return FetchedJwks(await _read_body(answer), _usable_seconds(answer.headers))
        finally:
            await answer.aclose()


async def _read_body(answer: httpx.Response) -> bytes:
    if answer.status_code != httpx.codes.OK:
        raise Unfetchable(f"It answered {answer.status_code} instead of 200")
    body = b""
    try:
        async for part in answer.aiter_raw(4096):
            body = append_part(body, part, jwks.MAX_FETCHED_LENGTH)
    except BodyTooLong:
        raise Unfetchable(f"It is longer than {jwks.MAX_FETCHED_LENGTH} bytes") from None
    return body


def _usable_seconds(headers: httpx.Headers) -> int:
    return cache_control.freshness_seconds(headers.get("cache-control"), headers.get("age"))


def _tls_context() -> ssl.SSLContext:
    """The authorities that are believed, read once."""
    return outgoing_tls(settings.SMARTAUTH_CA_FILE)


async def _public_address(host: str, port: int) -> str:
    """One address of the host, if all of them are public (in development any)."""
    known = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    found = {str(entry[4][0]) for entry in known}
    if not settings.SMARTAUTH_DEV and not all(map(jwks_uri.is_public, found)):
        raise NotPublic(jwks_uri.NOT_PUBLIC)
    return sorted(found, key=lambda one: ":" in one)[0]
