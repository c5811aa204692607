"""The rules of a client, the same at every door (RG-01 to RG-09): nothing is registered that could never work."""

import json
import re
from collections.abc import Collection

from oauth.models import Client, FhirServer
from oauth.registration.candidate import Candidate
from oauth.registration.client_fields import RULES
from oauth.registration.problems import Problems, collect

MIN_SECRET_LENGTH = 32
_SECRET = re.compile(r"[A-Za-z0-9._~-]+")


def problems(client: Client, fhir_servers: Collection[FhirServer]) -> Problems:
    """Why this client may not be registered, by field; {} if it may. `fhir_servers` are those that it shall reach."""
    candidate = Candidate(client, fhir_servers)
    return collect(**{field: rule(candidate) for field, rule in RULES.items()})


def warnings(client: Client, fhir_servers: Collection[FhirServer], protects: Collection[object] = ()) -> Problems:
    """What may be registered and will surprise, by field. `protects`: the FHIR servers that it asks for."""
    candidate = Candidate(client, fhir_servers)
    asks = candidate.is_app or candidate.is_service
    by_secret = candidate.is_service and client.authentication == Client.Authentication.SECRET
    found: Problems = {}
    if asks and client.profile != Client.Profile.OPENID and not fhir_servers:
        found["fhir_servers"] = ["it may reach no FHIR server, so every request of it is refused."]
    if asks and not client.scope:
        found["scope"] = ["it may ask no scope, so every request of it is refused."]
    if not asks and not protects:
        found["grants"] = ["it has no grant and protects no FHIR server: it can do nothing."]
    if by_secret and not client.backend_by_secret:
        found["backend_by_secret"] = ["it gets no token: client_credentials with a secret is not allowed to it."]
    return found


def compact_jwks(text: str) -> str:
    """The JWK set as it is kept, the same for every way to write it; what is no JSON stays as it is."""
    try:
        return json.dumps(json.loads(text), sort_keys=True)
    except (ValueError, RecursionError):
        return text.strip()


def secret_problem(client: Client, secret: str, *, demo: bool = False) -> str:
    """Why this may not be the secret that somebody chose for it, or "" (RG-08)."""
    if client.authentication != Client.Authentication.SECRET:
        return "is only for a client with `authentication: secret`."
    if not _SECRET.fullmatch(secret):
        return "must be made of A-Z a-z 0-9 . _ ~ -."
    if len(secret) < MIN_SECRET_LENGTH and not demo:
        return f"needs {MIN_SECRET_LENGTH} random characters; leave it out and one is drawn."
    return ""


def resource_server_problem(client: Client) -> str:
    """Why it may protect no FHIR server, or "": anybody who knows its id could ask about every token (IN-01)."""
    public = client.authentication == Client.Authentication.NONE
    return "is only for a client with a secret or keys." if public else ""
