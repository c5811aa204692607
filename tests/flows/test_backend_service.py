"""The demo's backend service against a real server: discovery, a signed assertion, every patient's records, the end."""

import json
import secrets
import time
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.flows.app import introspect, read
from tests.running import ROOT, Server

CLIENT = "demo-backend"
KEYS = KeySet.import_key_set(json.loads((ROOT / "demo/keys/private.jwks.json").read_text()))


def assertion(audience: str, alg: str) -> str:
    """What the service signs for one request (RFC 7523 §3)."""
    key = next(key for key in KEYS.keys if key.get("alg") == alg)
    claims = {"iss": CLIENT, "sub": CLIENT, "aud": audience, "exp": int(time.time()) + 240}
    header = {"alg": alg, "kid": key.kid, "typ": "JWT"}
    return jwt.encode(header, {**claims, "jti": secrets.token_hex(16)}, key, algorithms=[alg])


def proof(server: Server, alg: str = "ES384") -> dict[str, str]:
    configuration = httpx.get(f"{server.url}/fhir/r4/.well-known/smart-configuration", timeout=30).json()
    assert "client_credentials" in configuration["grant_types_supported"]
    assert alg in configuration["token_endpoint_auth_signing_alg_values_supported"]
    return {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion(configuration["token_endpoint"], alg),
    }


def ask(server: Server, scope: str, alg: str = "ES384") -> dict[str, Any]:
    form = {"grant_type": "client_credentials", "scope": scope, **proof(server, alg)}
    response = httpx.post(f"{server.url}/o/token", data=form, timeout=30)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


@pytest.mark.requirement("BK-01", "SY-01", "SY-02")
@pytest.mark.parametrize("alg", ["ES384", "RS384"])
def test_it_reads_every_patient_s_records_of_the_types_in_its_scopes(server: Server, alg: str) -> None:
    answer = ask(server, "system/Patient.rs system/Observation.r user/*.rs", alg)

    token = answer["access_token"]
    assert (answer["scope"], answer["expires_in"]) == ("system/Patient.rs system/Observation.r", 300)
    assert [read(server, f"Patient/{patient}", token).status_code for patient in ("amy", "ben", "dan")] == [200] * 3
    assert read(server, "Patient", token).json()["total"] >= 3
    assert read(server, "Observation/ben-weight-1", token).status_code == 200
    refused = [read(server, path, token).status_code for path in ("Observation", "Condition/ben-diabetes", "Condition")]
    assert refused == [403] * 3


@pytest.mark.requirement("BK-07", "IN-09")
def test_its_next_token_and_giving_back_end_what_it_had(server: Server) -> None:
    first = ask(server, "system/*.rs")["access_token"]
    second = ask(server, "system/*.rs")["access_token"]

    superseded = introspect(server, first)
    alive = introspect(server, second)["active"]
    given_back = httpx.post(f"{server.url}/o/revoke", data={"token": second, **proof(server)}, timeout=30)

    assert (superseded, alive, given_back.status_code) == ({"active": False}, True, 200)
    assert [read(server, "Patient/amy", token).status_code for token in (first, second)] == [401, 401]


def test_the_command_gives_the_same_without_a_key(server: Server) -> None:
    token = server.manage("token", "--client", CLIENT, "--scope", "system/Patient.r").strip()

    assert introspect(server, token)["sub"] == CLIENT
    assert read(server, "Patient/ben", token).status_code == 200
