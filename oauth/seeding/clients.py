"""Clients: what they may ask, how they prove themselves, for which FHIR servers they are the resource server."""

import json
from typing import Any

from django.conf import settings

from oauth.clients import jwks_fetch
from oauth.clients.secrets import client_secret_digest
from oauth.models import Client, ResourceServer
from oauth.seeding.outcome import Outcome, put, server
from oauth.seeding.schema import SeedError
from smart import digests
from smart.authorize.launch_url import launch_url_problem
from smart.clients import jwks
from smart.clients.redirect_uris import redirect_uri_problem
from smart.openid import standard_claims

LISTS = ("redirect_uris", "post_logout_redirect_uris", "allowed_origins", "grants")
SHORTEST_SECRET = 32


def save_client(given: dict[str, Any], path: str, outcome: Outcome) -> None:
    """One entry of `clients`. The secret is the first one: it is set when there is none and never again."""
    client_id = given["client_id"]
    row = Client.of(client_id) or Client(client_id=client_id)
    added = row.pk is None
    changed = put(row, _fields(given, path, outcome))
    _judge(row, path)
    changed += _put_secret(row, given, path, outcome)
    changed += _put_servers(row, given, path)
    changed += _put_protects(row, given, path)
    outcome.note(f"client {client_id}", added, changed, client=client_id)


def _fields(given: dict[str, Any], path: str, outcome: Outcome) -> dict[str, Any]:
    elsewhere = {"secret", "jwks_file", "fhir_servers", "protects", *LISTS}
    fields = {name: value for name, value in given.items() if name not in elsewhere}
    fields |= {name: " ".join(given[name]) for name in LISTS if name in given}
    if "jwks_file" in given:
        fields["jwks"] = _public_keys(given["jwks_file"], f"{path}.jwks_file", outcome)
    return fields


def _judge(row: Client, path: str) -> None:
    """What no single key can tell: RG-01, RG-02 and one source of keys (RG-03)."""
    native = row.application_type == Client.ApplicationType.NATIVE
    for key in ("redirect_uris", "post_logout_redirect_uris"):
        for place, uri in enumerate(getattr(row, key).split()):
            if problem := redirect_uri_problem(uri, native, dev=settings.SMARTAUTH_DEV):
                raise SeedError(f"{path}.{key}[{place}]", f"{uri} cannot be registered: {problem}")
    if row.launch_url and (problem := launch_url_problem(row.launch_url, dev=settings.SMARTAUTH_DEV)):
        raise SeedError(f"{path}.launch_url", f"{row.launch_url} cannot be opened: {problem}")
    if "authorization_code" in row.grants.split() and not row.redirect_uris:
        raise SeedError(f"{path}.redirect_uris", "is missing; a client without one has `grants: []`")
    if row.profile == Client.Profile.OPENID and (never := standard_claims.scopes_beyond_openid(row.scope)):
        raise SeedError(f"{path}.scope", f"{never[0]} is never granted to plain OpenID Connect")
    if row.backend_by_secret and row.authentication != Client.Authentication.SECRET:
        raise SeedError(f"{path}.backend_by_secret", "is only for a client with `authentication: secret`")
    if row.authentication == Client.Authentication.KEYS and bool(row.jwks) == bool(row.jwks_uri):
        raise SeedError(f"{path}.jwks_file", "a client with keys needs either jwks_file or jwks_uri")
    if row.jwks_uri and (problem := jwks_fetch.jwks_uri_problem(row.jwks_uri)):
        raise SeedError(f"{path}.jwks_uri", f"{row.jwks_uri} cannot be registered: {problem}")


def _public_keys(name: str, path: str, outcome: Outcome) -> str:
    """The JWK set as text, by the rules of the admin's form (RG-04)."""
    try:
        text = (outcome.folder / name).read_text(encoding="utf-8")
        jwks.read_registered(text)
    except (OSError, ValueError) as error:  # UnfitKeys among them
        raise SeedError(path, f"{name} cannot be registered: {error}") from None
    return json.dumps(json.loads(text), sort_keys=True)


def _put_secret(row: Client, given: dict[str, Any], path: str, outcome: Outcome) -> list[str]:
    if row.authentication != Client.Authentication.SECRET:
        if "secret" in given:
            raise SeedError(f"{path}.secret", "is only for a client with `authentication: secret`")
        return []
    if row.secret_digest:
        return []
    secret = given.get("secret") or digests.random_token()
    if len(secret) < SHORTEST_SECRET and not outcome.demo:
        raise SeedError(f"{path}.secret", f"needs {SHORTEST_SECRET} random characters; leave it out and one is drawn")
    if "secret" not in given:
        outcome.secrets[row.client_id] = secret
    row.secret_digest = client_secret_digest(row.client_id, secret)
    row.save(update_fields=["secret_digest"])
    return ["secret"]


def _put_servers(row: Client, given: dict[str, Any], path: str) -> list[str]:
    if "fhir_servers" not in given:
        return []
    wanted = {server(base, f"{path}.fhir_servers[{place}]") for place, base in enumerate(given["fhir_servers"])}
    if wanted == set(row.fhir_servers.all()):
        return []
    row.fhir_servers.set(wanted)
    return ["fhir_servers"]


def _put_protects(row: Client, given: dict[str, Any], path: str) -> list[str]:
    """Exactly these roles: one that is no longer listed is taken away."""
    if "protects" not in given:
        return []
    before = {role.fhir_server: role for role in row.protects.select_related("fhir_server")}
    changed: list[str] = []
    for place, role in enumerate(given["protects"]):
        base = server(role["fhir_server"], f"{path}.protects[{place}].fhir_server")
        kept = before.pop(base, None)
        found = kept or ResourceServer(client=row, fhir_server=base)
        changed += put(found, {"tells_addresses": role.get("tells_addresses", 0)}) or ([] if kept else ["protects"])
    ResourceServer.objects.filter(pk__in=[role.pk for role in before.values()]).delete()
    return ["protects"] if changed or before else []
