"""What each field of a client may be (RG-01 to RG-09): one rule for each, in one table."""

import re
from collections.abc import Callable, Iterable, Iterator

from django.conf import settings

from oauth.clients.jwks_uri import jwks_uri_problem
from oauth.models import Client
from oauth.registration.candidate import Candidate
from oauth.registration.problems import (
    choice_problem,
    number_problem,
    pattern_problem,
    repeated_problems,
    sentence,
    text_problems,
)
from smart.authorize.launch_url import launch_url_problem
from smart.authorize.unvalidated_request import AUTHORIZATION_CODE, REFRESH_TOKEN
from smart.clients import jwks
from smart.clients.redirect_uris import redirect_uri_problem, reserved_parameter_problem
from smart.clients.scope_rules import ScopeHolder, scope_problems
from smart.fhir.id import is_fhir_id
from smart.http.cors import origin_of
from smart.scopes.scope_sets import parse_scopes
from smart.text import ascii_excerpt
from smart.tokens.client_credentials import GRANT as CLIENT_CREDENTIALS

GRANTS = (AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS)
MAX_LIST_LENGTH = 20_000
MAX_TOKENS_TO_KEEP = 1000
MAX_REFRESH_TOKEN_SECONDS = 315_360_000
_CLIENT_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")


def _client_id(candidate: Candidate) -> list[str]:
    return [pattern_problem(candidate.row.client_id, _CLIENT_ID, "1 to 100 of A-Z a-z 0-9 . _ ~ -")]


def _name(candidate: Candidate) -> Iterable[str]:
    return text_problems(candidate.row.name, required=True)


def _maker(candidate: Candidate) -> Iterable[str]:
    return text_problems(candidate.row.maker)


def _choice(name: str) -> Callable[[Candidate], list[str]]:
    return lambda candidate: [choice_problem(candidate.row, name)]


def _number(name: str, least: int, most: int) -> Callable[[Candidate], list[str]]:
    return lambda candidate: [number_problem(getattr(candidate.row, name), least, most)]


def _access_token_seconds(candidate: Candidate) -> list[str]:
    return [number_problem(candidate.row.access_token_seconds, 0, settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS)]


def _grants(candidate: Candidate) -> Iterator[str]:
    row = candidate.row
    yield from repeated_problems(row.grants.split())
    yield from (f"{name}: must be one of {', '.join(GRANTS)}." for name in row.grants.split() if name not in GRANTS)
    if REFRESH_TOKEN in candidate.grants and not candidate.is_app:
        yield "refresh_token: only a client with authorization_code is ever given a refresh token."
    if candidate.is_service and row.authentication == Client.Authentication.NONE:
        yield "client_credentials: needs a client that proves itself, by keys."
    if candidate.is_service and row.profile == Client.Profile.OPENID:
        yield "client_credentials: is never granted to plain OpenID Connect."


def _redirect_uris(candidate: Candidate) -> Iterator[str]:
    if candidate.is_app and not candidate.row.redirect_uris:
        yield "is missing: an app needs at least one, a client without one has `grants: []`."
    yield from _uris(candidate, candidate.row.redirect_uris)


def _post_logout_redirect_uris(candidate: Candidate) -> Iterator[str]:
    return _uris(candidate, candidate.row.post_logout_redirect_uris)


def _uris(candidate: Candidate, uris: str) -> Iterator[str]:
    """RG-01, RG-02: each one complete, fit for this type of application, and free of what we append."""
    yield from _list_problems(uris)
    for uri in uris.split():
        problem = redirect_uri_problem(uri, candidate.is_native, dev=settings.SMARTAUTH_DEV)
        if problem := problem or reserved_parameter_problem(uri):
            yield f"{ascii_excerpt(uri)}: {problem}."


def _allowed_origins(candidate: Candidate) -> Iterator[str]:
    yield from _list_problems(candidate.row.allowed_origins)
    for origin in candidate.row.allowed_origins.split():
        if redirect_uri_problem(origin, native=False, dev=settings.SMARTAUTH_DEV) or origin_of(origin) != origin:
            yield f"{ascii_excerpt(origin)}: must be https://host, without a path, as a browser sends it."


def _list_problems(text: str) -> Iterator[str]:
    yield from repeated_problems(text.split())
    if len(text) > MAX_LIST_LENGTH:
        yield f"is longer than {MAX_LIST_LENGTH} characters."


def _launch_urls(candidate: Candidate) -> Iterator[str]:
    """RG-01: each one complete, and free of what an EHR appends."""
    yield from _list_problems(candidate.row.launch_urls)
    for url in candidate.row.launch_urls.split():
        if problem := launch_url_problem(url, dev=settings.SMARTAUTH_DEV):
            yield f"{ascii_excerpt(url)}: {problem}."


def _scope(candidate: Candidate) -> Iterator[str]:
    row = candidate.row
    openid = row.profile == Client.Profile.OPENID
    versions = tuple(dict.fromkeys(server.version for server in candidate.fhir_servers))
    yield from scope_problems(row.scope, ScopeHolder(candidate.grants, versions, openid, row.backend_patient))
    if len(row.scope) > MAX_LIST_LENGTH:
        yield f"is longer than {MAX_LIST_LENGTH} characters."


def _jwks(candidate: Candidate) -> Iterator[str]:
    """One source of keys (RG-03), and each key of them one that works (RG-04)."""
    row = candidate.row
    if row.authentication == Client.Authentication.KEYS and bool(row.jwks) == bool(row.jwks_uri):
        yield "a client with keys needs them either pasted or by URL, one of the two (RG-03)."
    if row.jwks:
        try:
            jwks.read_registered(row.jwks)
        except jwks.InvalidKeys as invalid:
            yield from invalid.problems


def _jwks_uri(candidate: Candidate) -> list[str]:
    """RG-06, by the function that the fetch asks too."""
    uri = candidate.row.jwks_uri
    return [sentence(jwks_uri_problem(uri, dev=settings.SMARTAUTH_DEV) if uri else "")]


def _backend_patient(candidate: Candidate) -> Iterator[str]:
    row = candidate.row
    if row.backend_patient and not is_fhir_id(row.backend_patient):
        yield "must be a FHIR id (letters, digits, - and ., at most 64)."
    if not row.backend_patient and candidate.is_service and not candidate.is_app:
        about_one = [scope.name for scope in parse_scopes(row.scope) if scope.context == "patient"]
        yield from (f"{ascii_excerpt(name)}: which patient is it about?" for name in about_one)


def _always_asks_consent(candidate: Candidate) -> list[str]:
    needless = candidate.row.always_asks_consent and not candidate.is_app
    return ["is only for an app that people use, with authorization_code among its grants."] if needless else []


def _backend_by_secret(candidate: Candidate) -> list[str]:
    needless = candidate.row.backend_by_secret and candidate.row.authentication != Client.Authentication.SECRET
    return ["is only for a client with `authentication: secret`."] if needless else []


RULES: dict[str, Callable[[Candidate], Iterable[str]]] = {
    "client_id": _client_id,
    "name": _name,
    "maker": _maker,
    "authentication": _choice("authentication"),
    "profile": _choice("profile"),
    "application_type": _choice("application_type"),
    "grants": _grants,
    "scope": _scope,
    "redirect_uris": _redirect_uris,
    "post_logout_redirect_uris": _post_logout_redirect_uris,
    "allowed_origins": _allowed_origins,
    "launch_urls": _launch_urls,
    "jwks": _jwks,
    "jwks_uri": _jwks_uri,
    "supersede": _choice("supersede"),
    "address_policy": _choice("address_policy"),
    "tokens_to_keep": _number("tokens_to_keep", 1, MAX_TOKENS_TO_KEEP),
    "access_token_seconds": _access_token_seconds,
    "refresh_token_seconds": _number("refresh_token_seconds", 0, MAX_REFRESH_TOKEN_SECONDS),
    "always_asks_consent": _always_asks_consent,
    "backend_patient": _backend_patient,
    "backend_by_secret": _backend_by_secret,
}
