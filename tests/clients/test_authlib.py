"""authlib's OAuth2Session: a web app or a backend in Python, public, with a secret and with keys."""

import secrets
import time
from typing import Any

import httpx
import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT, private_key_jwt_sign
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import JWKRegistry, KeySet

from tests.clients.conftest import (
    ALGORITHMS,
    ASYMMETRIC,
    BACKEND,
    PUBLIC,
    SCOPE,
    SECRET,
    SYMMETRIC,
    Clinic,
    private_key,
    right,
)  # fmt: skip
from tests.flows.app import RESOURCE_SERVER, StandaloneLaunch

pytestmark = pytest.mark.clients

NOT_GRANTED = "launch/encounter"  # asked for, and beyond what the app is registered for
HOUR = "exp is more than 300 seconds ahead"


def session(clinic: Clinic, client_id: str, secret: str = "", key: dict[str, Any] | None = None) -> OAuth2Session:
    """An app as its developer writes it, endpoints from discovery."""
    found = httpx.get(f"{clinic.issuer}/.well-known/openid-configuration").json()
    assert found["issuer"] == clinic.issuer
    method = "private_key_jwt" if key else "client_secret_basic" if secret else "none"
    made = OAuth2Session(
        client_id,
        JWKRegistry.import_key(key) if key else secret,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        scope="system/*.rs" if client_id == BACKEND else SCOPE,
        redirect_uri=f"{clinic.app}/callback",
        code_challenge_method="S256",
        **found,
    )
    if key:
        made.register_client_auth_method(SmartPrivateKeyJWT(found["token_endpoint"], alg=key["alg"]))
    return made


class SmartPrivateKeyJWT(PrivateKeyJWT):  # type: ignore[misc]  # authlib has no types
    """What SMART asks of an assertion and authlib does not do by itself: a kid, five minutes at most."""

    def sign(self, auth: Any, token_endpoint: str) -> str:
        header = {"kid": auth.client_secret.kid, "typ": "JWT"}
        key, more = auth.client_secret, {"header": header, "expires_in": 240}
        return str(private_key_jwt_sign(key, auth.client_id, token_endpoint, alg=self.alg, **more))


def launched(clinic: Clinic, app: OAuth2Session) -> dict[str, Any]:
    """Through authorize and back by amy, who allows; the claims of the id_token, checked as authlib checks them."""
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    address, state = app.create_authorization_url(
        app.metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce, aud=clinic.base
    )
    person = StandaloneLaunch(clinic.server)
    called = person.allow(person.browser.get(address))
    token = app.fetch_token(authorization_response=called, code_verifier=verifier, state=state)
    keys = KeySet.import_key_set(httpx.get(app.metadata["jwks_uri"]).json())
    decoded = jwt.decode(token["id_token"], keys, ["RS256"])
    expected = {"nonce": nonce, "client_id": app.client_id, "access_token": token["access_token"]}
    rules = {"iss": {"value": clinic.issuer}, "aud": {"value": app.client_id}}
    claims = CodeIDToken(decoded.claims, decoded.header, rules, expected)
    claims.validate()
    return dict(claims)


def introspected(app: OAuth2Session, token: str) -> dict[str, Any]:
    """What the FHIR server hears, by authlib too."""
    server = OAuth2Session(*RESOURCE_SERVER)
    answer: dict[str, Any] = server.introspect_token(app.metadata["introspection_endpoint"], token).json()
    return answer


@pytest.mark.requirement("SD-14", "WF-05", "WF-11")
@pytest.mark.requirement("WF-15", "WF-16", "WF-17")
@pytest.mark.parametrize(
    ("client_id", "secret", "algorithm"),
    [(PUBLIC, "", ""), (SYMMETRIC, SECRET, ""), *((ASYMMETRIC, "", algorithm) for algorithm in ALGORITHMS)],
    ids=["public", "symmetric", *ALGORITHMS],
)
def test_an_app_lives_from_discovery_to_its_end(clinic: Clinic, client_id: str, secret: str, algorithm: str) -> None:
    app = session(clinic, client_id, secret, private_key(algorithm) if algorithm else None)
    app.scope = f"{SCOPE} {NOT_GRANTED}"

    claims, first = launched(clinic, app), dict(app.token)
    assert right(first)
    assert NOT_GRANTED not in first["scope"]
    assert claims["fhirUser"] == f"{clinic.base}/Patient/amy"
    assert app.get(f"{clinic.base}/Patient/amy").json()["id"] == "amy"
    second = app.refresh_token()
    assert right(second)
    assert app.get(f"{clinic.base}/Patient/amy").json()["id"] == "amy"
    assert clinic.is_dead(first["access_token"])
    assert introspected(app, second["access_token"])["client_id"] == client_id

    ended = app.revoke_token(app.metadata["revocation_endpoint"], second["refresh_token"], "refresh_token")
    assert (ended.status_code, ended.content) == (200, b"")
    assert introspected(app, second["access_token"]) == {"active": False}
    assert app.get(f"{clinic.base}/Patient/amy").status_code == 401
    with pytest.raises(OAuthError, match="invalid_grant"):
        app.refresh_token()


@pytest.mark.requirement("SD-14", "WF-05", "WF-16")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_backend_service_gets_its_token_without_a_person(clinic: Clinic, algorithm: str) -> None:
    app = session(clinic, BACKEND, key=private_key(algorithm))

    token = app.fetch_token(grant_type="client_credentials")

    assert (token["scope"], token["expires_in"], "refresh_token" in token) == ("system/*.rs", 300, False)
    assert app.get(f"{clinic.base}/Patient/amy").json()["id"] == "amy"
    assert introspected(app, token["access_token"])["sub"] == BACKEND
    assert app.revoke_token(app.metadata["revocation_endpoint"], token["access_token"]).status_code == 200
    assert introspected(app, token["access_token"]) == {"active": False}
    assert app.get(f"{clinic.base}/Patient/amy").status_code == 401


@pytest.mark.requirement("CL-06")
def test_claims_that_authlib_is_given_keep_their_jti_so_the_second_request_is_refused(clinic: Clinic) -> None:
    app, key = session(clinic, BACKEND, key=private_key("ES384")), private_key("ES384")
    signing = PrivateKeyJWT(alg="ES384", headers={"kid": key["kid"]}, claims={"exp": int(time.time()) + 240})
    app.register_client_auth_method(signing)
    app.fetch_token(grant_type="client_credentials")

    with pytest.raises(OAuthError, match="its jti is known"):
        app.fetch_token(grant_type="client_credentials")


@pytest.mark.requirement("WF-06")
@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({}, f"alg is not one of RS384, ES384; kid is missing; {HOUR}"),
        ({"alg": "RS384"}, f"kid is missing; {HOUR}"),
        ({"alg": "RS384", "headers": {"kid": "smartauth-demo-rs384"}}, HOUR),
    ],
    ids=["as authlib has it", "no kid", "an hour"],
)
def test_what_authlib_signs_by_default_is_refused_and_every_reason_is_named(
    clinic: Clinic, changes: dict[str, Any], named: str
) -> None:
    key = {name: value for name, value in private_key("RS384").items() if name != "alg"}
    app = session(clinic, BACKEND)
    app.client_secret, app.token_endpoint_auth_method = JWKRegistry.import_key(key), "private_key_jwt"
    app.register_client_auth_method(PrivateKeyJWT(app.metadata["token_endpoint"], **changes))

    with pytest.raises(OAuthError) as refused:
        app.fetch_token(grant_type="client_credentials")

    assert refused.value.error == "invalid_client"
    assert refused.value.description == f"client authentication failed: {named}"
