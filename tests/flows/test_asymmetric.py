"""`demo-asymmetric`, an app that signs, from discovery to the dead token, against a real server."""

import json
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey

from tests.flows.app import REDIRECT_URI, StandaloneLaunch, introspect, read
from tests.running import ROOT, Server
from tests.signing import Pair, assertion_form

CLIENT = "demo-asymmetric"
SCOPE = "launch/patient patient/*.rs offline_access"


def pairs() -> dict[str, Pair]:
    """The demo's two pairs by algorithm."""
    found = json.loads((ROOT / "demo" / "keys" / "private.jwks.json").read_text(encoding="utf-8"))["keys"]
    return {key["alg"]: Pair(key["alg"], (ECKey if key["kty"] == "EC" else RSAKey).import_key(key)) for key in found}


def signed(server: Server, path: str, pair: Pair, **form: str) -> httpx.Response:
    """A request that the app proves by a new assertion."""
    assertion = pair.assertion(CLIENT, aud=f"{server.url}/o/token")
    return httpx.post(f"{server.url}{path}", data={**form, **assertion_form(assertion)}, timeout=30)


@pytest.mark.requirement("CL-04", "CL-05", "DS-09")
@pytest.mark.parametrize("alg", ["ES384", "RS384"])
def test_an_app_that_signs_goes_the_whole_way(server: Server, alg: str) -> None:
    told = httpx.get(f"{server.url}/fhir/r4/.well-known/smart-configuration", timeout=30).json()
    launch = StandaloneLaunch(server, client_id=CLIENT, scope=SCOPE)
    pair = pairs()[alg]

    code = {"code": launch.code(), "redirect_uri": REDIRECT_URI, "code_verifier": launch.verifier}
    bought = signed(server, "/o/token", pair, grant_type="authorization_code", **code).json()
    seen = read(server, "Patient/amy", bought["access_token"])
    form: dict[str, Any] = {"grant_type": "refresh_token", "refresh_token": bought["refresh_token"]}
    refreshed = signed(server, "/o/token", pair, **form).json()
    alive = introspect(server, refreshed["access_token"])
    ended = signed(server, "/o/revoke", pair, token=refreshed["refresh_token"])

    assert "client-confidential-asymmetric" in told["capabilities"]
    assert "private_key_jwt" in told["token_endpoint_auth_methods_supported"]
    assert alg in told["token_endpoint_auth_signing_alg_values_supported"]
    assert told["scopes_supported"]
    assert (seen.status_code, seen.json()["id"]) == (200, "amy")
    assert (alive["active"], alive["client_id"], alive["patient"]) == (True, CLIENT, "amy")
    assert ended.status_code == 200
    assert introspect(server, refreshed["access_token"]) == {"active": False}
    assert read(server, "Patient/amy", refreshed["access_token"]).status_code == 401


@pytest.mark.requirement("WF-04", "E50")
def test_without_an_assertion_the_code_is_worth_nothing_and_stays_good(server: Server) -> None:
    launch = StandaloneLaunch(server, client_id=CLIENT, scope=SCOPE)
    code = launch.code()
    form = {"code": code, "redirect_uri": REDIRECT_URI, "code_verifier": launch.verifier}

    without = launch.exchange(code)
    after = signed(server, "/o/token", pairs()["ES384"], grant_type="authorization_code", **form)

    assert (without.status_code, without.json()["error"]) == (401, "invalid_client")
    assert after.status_code == 200
