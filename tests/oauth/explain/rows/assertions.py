"""Bad signed assertions, and keys that cannot be had (E59 to E74, E99 to E103)."""

from types import SimpleNamespace
from typing import Any

import httpx
from django.db.models import F

from oauth.models import FetchedKeys
from smart.time_units import SECOND
from tests.oauth.explain.rows.row import ACCEPTED, Row, Rows, World, add_to
from tests.publishing import publisher_of
from tests.signing import assertion_form, claims_of, hs256, jwks, new_pair, pair

ASSERTIONS: Rows = {}
row = add_to(ASSERTIONS)

EC, RSA = pair("ES384"), pair("RS384")
BASE = "http://127.0.0.1:8000/fhir/r4"

# what is changed in the header and in the claims of a good assertion
CHANGES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "E61": ("CL-05", {"alg": "none"}, {}),
    "E63": ("CL-08", {"alg": "RS384"}, {}),
    "E64": ("CL-08", {"kid": "unknown"}, {}),
    "E65": ("CL-08", {"jku": "https://evil.example.org/jwks"}, {}),
    "E67": ("CL-04", {"crit": ["exp"], "exp": 1}, {}),
    "E68": ("CL-04", {}, {"sub": "another"}),
    "E69": ("CL-14", {}, {"aud": BASE}),
    "E70": ("CL-13", {}, {"exp": 1}),
    "E71": ("CL-04", {}, {"jti": "a" * 257}),
}


def client_of(world: World, **fields: Any) -> Any:
    return world.make_client("keys", **(fields or {"jwks": jwks(EC, RSA)}))


def send(world: World, assertion: str, **others: str) -> httpx.Response:
    return world.app.post("/o/revoke", data={"token": "unknown", **assertion_form(assertion), **others})


def changed(header: dict[str, Any], claims: dict[str, Any]) -> Any:
    return lambda world: send(world, EC.assertion(client_of(world).client_id, header, **claims))


ASSERTIONS.update({name: Row(rule, changed(head, claims), name) for name, (rule, head, claims) in CHANGES.items()})


@row("E59", "CL-09")
def _(world: World) -> httpx.Response:
    return send(world, EC.assertion(client_of(world).client_id), client_assertion_type="urn:another")


@row("E60", "CL-04")
def _(world: World) -> httpx.Response:
    return send(world, "no.jws")


@row("E62", "CL-05")
def _(world: World) -> httpx.Response:
    claims = claims_of(client_of(world).client_id)
    return send(world, hs256({"kid": RSA.kid}, claims, RSA.key.as_pem(private=False)))


@row("E66", "CL-05", case="E74", because="the key in the header is not looked at, and the registered one did not sign")
def _(world: World) -> httpx.Response:
    forger = new_pair("ES384", EC.kid)
    return send(world, forger.assertion(client_of(world).client_id, {"jwk": forger.public()}))


@row("E72", "CL-06")
def _(world: World) -> httpx.Response:
    assertion = EC.assertion(client_of(world).client_id)
    assert send(world, assertion).status_code == 200
    return send(world, assertion)


@row("E73", ACCEPTED)
def _(world: World) -> httpx.Response:
    assert send(world, EC.assertion(client_of(world).client_id, jti="common")).status_code == 200
    return send(world, EC.assertion(client_of(world).client_id, jti="common"))


@row("E74", "CL-05")
def _(world: World) -> httpx.Response:
    return send(world, new_pair("ES384", EC.kid).assertion(client_of(world).client_id))


# Keys at a URL --------------------------------------------------------------------------------------------------------


@row("E99", "CL-12")
def _(world: World) -> httpx.Response:
    with publisher_of("<html>Sign in</html>") as publisher:
        return send(world, EC.assertion(client_of(world, jwks_uri=publisher.url).client_id))


@row("E100", "CL-12")
def _(world: World) -> httpx.Response:
    world.monkeypatch.setattr("oauth.clients.jwks_fetch.settings", SimpleNamespace(SMARTAUTH_DEV=False))
    client = client_of(world, jwks_uri="https://169.254.169.254/jwks")
    return send(world, EC.assertion(client.client_id))


@row("E101", "CL-08", case="E64", because="such keys are passed over, as if the set had none of that kid")
def _(world: World) -> httpx.Response:
    shared = {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"}
    with publisher_of(jwks(EC.private(), shared)) as publisher:
        client = client_of(world, jwks_uri=publisher.url)
        return send(world, EC.assertion(client.client_id))


@row("E102", "CL-08", case="E64", because="the set that is fetched anew has none of that kid")
def _(world: World) -> httpx.Response:
    with publisher_of(jwks(EC)) as publisher:
        publisher.headers = {"Cache-Control": "max-age=5"}
        client = client_of(world, jwks_uri=publisher.url)
        assert send(world, EC.assertion(client.client_id)).status_code == 200
        publisher.body = jwks(RSA)
        kept = FetchedKeys.objects.filter(client=client)
        kept.update(**{name: F(name) - 6 * SECOND for name in ("asked_at", "fetched_at", "fresh_until")})
        return send(world, EC.assertion(client.client_id))


@row("E103", "CL-11")
def _(world: World) -> httpx.Response:
    with publisher_of(jwks(RSA)) as publisher:
        publisher.headers = {"Cache-Control": "max-age=600"}
        client = client_of(world, jwks_uri=publisher.url)
        assert send(world, RSA.assertion(client.client_id)).status_code == 200
        answer = send(world, EC.assertion(client.client_id))
        assert len(publisher.asked) == 1
        return answer
