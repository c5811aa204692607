"""Clients that prove themselves by signed assertions, at every endpoint, by the lines E59 to E74 and E99 to E103."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts import clock, rate_limit
from oauth.clients import jwks_cache
from oauth.clients.authentication import run_as_client
from oauth.clients.jwks_fetch import NotPublic, Unfetchable
from smart.http.errors import InvalidClient
from tests.conftest import SECRET, App, Granted, basic
from tests.fixture_types import Events, Grant, Introspect, Issue, MakeClient
from tests.oauth.clients.assertion_client import EC, RSA, at, exchange, is_refused, signed, still_works
from tests.publishing import publisher_of
from tests.signing import TOKEN_URL, TYPE, Json, Pair, assertion_form, claims_of, hs256, jwks, new_pair

ISSUER = "http://127.0.0.1:8000"
line = pytest.mark.requirement


@pytest.fixture(autouse=True)
def nobody_failed_before(committed: None) -> None:
    """Failures of callers that name no client are counted together; those of other tests are not ours."""
    rate_limit.forget_failures("client", "", "192.0.2.7")


# Good -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [EC, RSA], ids=["ES384", "RS384"])
@pytest.mark.requirement("CL-04", "CL-05", "RG-03")
def test_a_signed_assertion_proves_the_client(app: App, granted: Granted, key: Pair) -> None:
    response = exchange(app, granted, key.assertion(granted.client.client_id))

    assert response.status_code == 200
    assert response.json()["scope"] == "launch/patient patient/*.rs"


@pytest.mark.requirement("WF-05", "CL-04")
@pytest.mark.parametrize(
    ("header", "claims", "others"),
    [
        pytest.param({"typ": None}, {"aud": ISSUER}, {}, id="openid-client"),
        pytest.param({}, {"iat": None, "nbf": None}, {}, id="fhirclient"),
        pytest.param({}, {"aud": [ISSUER, TOKEN_URL]}, {"client_id": "ITS"}, id="a list, and client_id in the body"),
    ],
)
def test_assertions_as_real_clients_write_them_are_accepted(
    app: App, granted: Granted, header: Json, claims: Json, others: Json
) -> None:
    client_id = granted.client.client_id
    others = dict.fromkeys(others, client_id)

    assert exchange(app, granted, EC.assertion(client_id, header, **claims), **others).status_code == 200


@pytest.mark.requirement("CL-04")
def test_a_client_with_keys_refreshes_with_a_new_assertion(app: App, grant: Grant, make_client: MakeClient) -> None:
    scope = "patient/*.rs offline_access"
    client = make_client("keys", jwks=jwks(EC), grants="authorization_code refresh_token", scope=scope)
    bought = exchange(app, grant(client, scope=scope), EC.assertion(client.client_id)).json()
    form = {"grant_type": "refresh_token", "refresh_token": bought["refresh_token"]}

    nobody = app.post("/o/token", data=form)
    refreshed = app.post("/o/token", data={**form, **assertion_form(EC.assertion(client.client_id))})

    assert is_refused(nobody)
    assert refreshed.status_code == 200


@pytest.mark.requirement("CL-14")
@pytest.mark.parametrize("path", ["/o/introspect", "/o/revoke"])
@pytest.mark.parametrize("audience", [ISSUER, TOKEN_URL, "OWN"], ids=["issuer", "token", "its own address"])
def test_other_endpoints_accept_the_same_audiences_and_their_own(
    app: App, granted: Granted, path: str, audience: str
) -> None:
    audience = audience.replace("OWN", f"{ISSUER}{path}")

    assert at(app, path, EC.assertion(granted.client.client_id, aud=audience)).status_code == 200


@pytest.mark.requirement("CL-14", "E69")
@pytest.mark.parametrize(
    ("path", "audience"), [("/o/introspect", "/o/revoke"), ("/o/revoke", "/o/introspect"), ("/o/token", "/o/revoke")]
)
def test_the_address_of_another_endpoint_is_no_audience(app: App, granted: Granted, path: str, audience: str) -> None:
    assertion = EC.assertion(granted.client.client_id, aud=f"{ISSUER}{audience}")

    assert is_refused(at(app, path, assertion))


@pytest.mark.requirement("CL-14", "RV-01")
def test_a_client_with_keys_ends_its_own_token(app: App, granted: Granted, introspect: Introspect) -> None:
    client_id = granted.client.client_id
    token = exchange(app, granted, EC.assertion(client_id)).json()["access_token"]

    response = app.post("/o/revoke", data={"token": token, **assertion_form(EC.assertion(client_id))})

    assert (response.status_code, response.content) == (200, b"")
    assert introspect(token) == {"active": False}


@pytest.mark.requirement("CL-14", "IN-07")
def test_a_resource_server_with_keys_asks_about_tokens_and_nobody_without_the_role(
    app: App, issue: Issue, make_client: MakeClient, fhir_server: Any
) -> None:
    from oauth.models import ResourceServerRole

    token = issue()["access_token"]
    client = make_client("keys", jwks=jwks(EC), grants="", redirect_uris="")

    before = app.post("/o/introspect", data={"token": token, **assertion_form(EC.assertion(client.client_id))})
    ResourceServerRole.objects.create(client=client, fhir_server=fhir_server)
    after = app.post("/o/introspect", data={"token": token, **assertion_form(EC.assertion(client.client_id))})

    assert before.json() == {"active": False}
    assert after.json()["active"] is True


# Bad ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        *(pytest.param({"alg": alg}, {}, marks=line("E61"), id=f"alg {alg}") for alg in ("none", "None", "NONE")),
        *(pytest.param({"alg": alg}, {}, marks=line("CL-05"), id=f"alg {alg}") for alg in ("RS256", "ES256", "PS384")),
        pytest.param({"alg": "RS384"}, {}, marks=line("E63", "CL-05"), id="RS384 with the kid of an EC key"),
        pytest.param({"kid": None}, {}, marks=line("E64"), id="no kid"),
        pytest.param({"kid": "unknown"}, {}, marks=line("E64"), id="unknown kid"),
        pytest.param({"kid": "\u0000\ud800"}, {}, marks=line("E64"), id="a kid that is no text"),
        pytest.param({"jku": "https://evil.example.org/jwks"}, {}, marks=line("E65"), id="jku"),
        pytest.param({"crit": ["exp"], "exp": 1}, {}, marks=line("E67", "SB-10"), id="crit"),
        pytest.param({"crit": [7]}, {}, marks=line("E67", "SB-10"), id="crit that holds a number"),
        pytest.param({"b64": False, "crit": ["b64"]}, {}, marks=line("E67"), id="a payload that is not encoded"),
        pytest.param({"typ": "at+jwt"}, {}, marks=line("E67"), id="typ of an access token"),
        pytest.param({"x5c": "no list"}, {}, marks=line("SB-10"), id="x5c of another type"),
        pytest.param({}, {"sub": "another"}, marks=line("E68"), id="iss is not sub"),
        pytest.param({}, {"iss": "nobody", "sub": "nobody"}, marks=line("E68"), id="iss unknown"),
        pytest.param({}, {"iss": "a\u0000", "sub": "a\u0000"}, marks=line("E68"), id="iss holds a NUL"),
        pytest.param({}, {"iss": "\ud800", "sub": "\ud800"}, marks=line("E68"), id="iss is no text"),
        pytest.param({}, {"iss": ["a"], "sub": ["a"]}, marks=line("E68"), id="iss is a list"),
        *(
            pytest.param({}, {"aud": aud}, marks=line("E69"), id=f"aud {aud}")
            for aud in (None, f"{ISSUER}/fhir/r4", f"{ISSUER}/o/authorize", "https://other.example.org/o/token",
                        "https://127.0.0.1:8000/o/token", f"{TOKEN_URL}/")
        ),
        pytest.param({}, {"exp": None}, marks=line("E70"), id="no exp"),
        pytest.param({}, {"exp": 1}, marks=line("E70"), id="exp past"),
        pytest.param({}, {"exp": "1790000000"}, marks=line("E70"), id="exp a text"),
        pytest.param({}, {"exp": 10**300}, marks=line("E70"), id="exp far ahead"),
        pytest.param({}, {"nbf": 10**12}, marks=line("E70"), id="nbf in the future"),
        pytest.param({}, {"iat": 10**12}, marks=line("E70"), id="iat in the future"),
        *(
            pytest.param({}, {"jti": jti}, marks=line("E71"), id=f"jti {str(jti)[:5]!r}")
            for jti in (None, "", 7, ["a"], "a" * 257)
        ),
    ],
)  # fmt: skip
@pytest.mark.requirement("E61", "E67", "E71")
def test_an_assertion_that_breaks_a_rule_proves_nothing_and_uses_nothing_up(
    app: App, granted: Granted, header: Json, claims: Json
) -> None:
    response = exchange(app, granted, EC.assertion(granted.client.client_id, header, **claims))

    assert is_refused(response)
    assert still_works(app, granted)


@pytest.mark.parametrize(
    "assertion",
    [
        pytest.param(lambda good: good.rpartition(".")[0], id="two parts"),
        pytest.param(lambda good: good.rpartition(".")[0] + ".", id="no signature", marks=line("E61")),
        pytest.param(lambda good: f"{good}.AAAA.AAAA", id="five parts, as JWE"),
        pytest.param(lambda good: json.dumps({"payload": good.split(".")[1], "signatures": []}), id="JSON"),
        pytest.param(lambda good: f"{good}{'A' * 8192}", id="longer than 8 kB"),
        pytest.param(lambda good: "eyJ", id="a scrap"),
        pytest.param(lambda good: f" {good}", id="a space before it"),
        pytest.param(lambda good: "é.é.é", id="letters that are none"),
    ],
)  # fmt: skip
@pytest.mark.requirement("E60", "E61")
def test_what_is_no_signed_text_proves_nothing(app: App, granted: Granted, assertion: Callable[[str], str]) -> None:
    response = exchange(app, granted, assertion(EC.assertion(granted.client.client_id)))

    assert is_refused(response)
    assert still_works(app, granted)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"client_assertion_type": None}, id="type missing"),
        pytest.param({"client_assertion_type": ""}, id="type empty"),
        pytest.param({"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}, id="SAML"),
        pytest.param({"client_assertion": None}, id="type without assertion"),
        pytest.param({"client_assertion": None, "client_id": "ITS"}, id="type without assertion, with client_id"),
        pytest.param({"client_assertion": ""}, id="assertion empty"),
    ],
)
@pytest.mark.requirement("E59", "CL-09")
def test_type_and_assertion_go_together(app: App, granted: Granted, changes: dict[str, str | None]) -> None:
    client_id = granted.client.client_id
    changes = {name: client_id if value == "ITS" else value for name, value in changes.items()}

    response = exchange(app, granted, EC.assertion(client_id), **changes)

    assert is_refused(response)
    assert still_works(app, granted)


@pytest.mark.requirement("E55", "CL-07")
def test_a_client_id_that_is_not_iss_is_refused(app: App, granted: Granted, make_client: MakeClient) -> None:
    another = make_client().client_id

    response = exchange(app, granted, EC.assertion(granted.client.client_id), client_id=another)

    assert is_refused(response)
    assert still_works(app, granted)


@pytest.mark.requirement("E54", "CL-01")
@pytest.mark.parametrize("way", ["Basic", "Bearer", "secret in the body"])
def test_two_ways_at_once_are_400(app: App, granted: Granted, way: str) -> None:
    client_id = granted.client.client_id
    headers = {"Basic": basic(client_id, SECRET), "Bearer": {"Authorization": "Bearer x"}}.get(way, {})
    body = {"client_secret": SECRET} if not headers else {}

    form = granted.exchange(**assertion_form(EC.assertion(client_id)), **body)
    response = app.post("/o/token", data=form, headers=headers)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert response.headers["cache-control"] == "no-store"
    assert still_works(app, granted)


@pytest.mark.requirement("E59")
def test_a_type_without_assertion_beside_basic_is_refused(app: App, grant: Grant, make_client: MakeClient) -> None:
    granted = grant(make_client("secret"))

    response = app.post(
        "/o/token", data=granted.exchange(client_assertion_type=TYPE), headers=basic(granted.client.client_id, SECRET)
    )

    assert is_refused(response)


@pytest.mark.requirement("E56", "CL-01")
@pytest.mark.parametrize("authentication", ["none", "secret"])
def test_only_a_client_registered_with_keys_may_sign(
    app: App, grant: Grant, make_client: MakeClient, authentication: str
) -> None:
    granted = grant(make_client(authentication, jwks=jwks(EC)))

    assert is_refused(exchange(app, granted, EC.assertion(granted.client.client_id), client_id=None))


@pytest.mark.requirement("E56", "CL-01")
@pytest.mark.parametrize("way", ["nothing", "Basic", "empty Basic", "secret in the body"])
def test_a_client_with_keys_proves_itself_by_nothing_else(app: App, granted: Granted, settings: Any, way: str) -> None:
    from oauth.clients.secrets import client_secret_digest
    from oauth.models import Client

    settings.SMARTAUTH_TOKEN_SECRET_IN_BODY = True
    client_id = granted.client.client_id
    Client.objects.filter(pk=granted.client.pk).update(secret_digest=client_secret_digest(client_id, SECRET))
    headers = {"Basic": basic(client_id, SECRET), "empty Basic": basic(client_id, "")}.get(way, {})
    body = {"client_secret": SECRET} if way == "secret in the body" else {}

    response = app.post("/o/token", data=granted.exchange(client_id=client_id, **body), headers=headers)

    assert is_refused(response)
    assert still_works(app, granted)


@pytest.mark.requirement("E57")
def test_a_disabled_client_proves_nothing(app: App, granted: Granted) -> None:
    from oauth.models import Client

    Client.objects.filter(pk=granted.client.pk).disable()

    assert is_refused(exchange(app, granted, EC.assertion(granted.client.client_id)))


@pytest.mark.requirement("E62", "CL-05")
@pytest.mark.parametrize("secret", ["the public key", "a client secret"])
def test_a_shared_secret_signs_nothing_whatever_it_is_made_of(
    app: App, grant: Grant, make_client: MakeClient, secret: str
) -> None:
    client = make_client("keys", jwks=jwks(RSA))
    made_of = {"the public key": RSA.key.as_pem(private=False), "a client secret": SECRET.encode()}[secret]
    assertion = hs256({"kid": RSA.kid}, claims_of(client.client_id), made_of)

    assert is_refused(exchange(app, grant(client), assertion))


@pytest.mark.requirement("E74")
@pytest.mark.parametrize("alg", ["ES384", "RS384"])
def test_a_forged_signature_proves_nothing(app: App, granted: Granted, alg: str) -> None:
    forger = new_pair(alg, {"ES384": EC, "RS384": RSA}[alg].kid)

    assert is_refused(exchange(app, granted, forger.assertion(granted.client.client_id)))
    assert still_works(app, granted)


@pytest.mark.requirement("E74", "E68")
def test_the_key_of_another_client_proves_nothing(app: App, granted: Granted, make_client: MakeClient) -> None:
    other = new_pair("ES384")
    make_client("keys", jwks=jwks(other))

    assert is_refused(exchange(app, granted, other.assertion(granted.client.client_id)))
    assert still_works(app, granted)


@pytest.mark.requirement("E63", "E64")
@pytest.mark.parametrize(
    "keys",
    [
        pytest.param([EC.public(use="enc")], id="a key for encryption"),
        pytest.param([EC.public(alg="ES512")], id="a key for another algorithm"),
        pytest.param([EC.public(), new_pair("ES384", EC.kid).public()], id="two keys of one kid"),
        pytest.param([EC.private()], id="a private key"),
        pytest.param([{"kty": "oct", "kid": EC.kid, "k": "c2VjcmV0"}], id="a shared key"),
        pytest.param([], id="no key"),
    ],
)
def test_a_registered_key_that_does_not_fit_verifies_nothing(
    app: App, grant: Grant, make_client: MakeClient, keys: list[Json]
) -> None:
    client = make_client("keys", jwks=jwks(*keys))

    assert is_refused(exchange(app, grant(client), EC.assertion(client.client_id)))


@pytest.mark.requirement("E66", "E65", "CL-08")
@pytest.mark.parametrize("member", ["jwk", "x5c", "x5u", "jku"])
def test_no_key_is_taken_from_an_assertion_and_no_address_in_it_is_asked(
    app: App, granted: Granted, member: str
) -> None:
    forger = new_pair("ES384", EC.kid)
    with publisher_of(jwks(forger)) as attacker:
        carried: Json = {
            "jwk": forger.public(), "x5c": [base64.b64encode(b"certificate" * 50).decode()],
            "x5u": attacker.url, "jku": attacker.url,
        }  # fmt: skip
        response = exchange(app, granted, forger.assertion(granted.client.client_id, {member: carried[member]}))

    assert is_refused(response)
    assert attacker.asked == []


# What is told ---------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("WF-06")
def test_development_names_every_rule_that_the_defaults_of_authlib_break(
    app: App, granted: Granted, events: Events
) -> None:
    client_id = granted.client.client_id
    now = claims_of("x")["iat"]
    assertion = RSA.sign({"alg": "RS256"}, {**claims_of(client_id), "exp": now + 3600})

    told = exchange(app, granted, assertion).json()["error_description"]

    for said in ("alg is not one of RS384, ES384", "kid is missing", "exp is more than 300 seconds ahead"):
        assert said in told
    (event,) = events("client-authentication-failed", client=client_id)
    assert "kid is missing" in event.reason
    assert event.address == "192.0.2.7"


@pytest.mark.requirement("TK-04", "CL-09", "CL-03")
def test_outside_development_every_refusal_reads_the_same(
    app: App, granted: Granted, settings: Any, events: Events
) -> None:
    settings.SMARTAUTH_DEV = False
    client_id = granted.client.client_id
    bad = [
        EC.assertion(client_id, aud="x"),
        EC.assertion("nobody"),
        "a.b.c",
        new_pair("ES384", EC.kid).assertion(client_id),
    ]

    answers = [exchange(app, granted, assertion) for assertion in bad]

    assert all(map(is_refused, answers))
    assert {answer.json()["error_description"] for answer in answers} == {"client authentication failed"}
    reasons = {event.reason for event in events("client-authentication-failed", client=client_id)}
    assert any("aud is not one of" in reason for reason in reasons)
    assert any("signature does not verify" in reason for reason in reasons)


@pytest.mark.requirement("E58", "TK-10")
def test_too_many_forged_assertions_are_429_and_the_client_itself_is_not_locked_out(
    app: App, granted: Granted, events: Events
) -> None:
    client_id = granted.client.client_id
    forger = new_pair("ES384", EC.kid)

    answers = [exchange(app, granted, forger.assertion(client_id)) for _ in range(12)]

    assert [answer.status_code for answer in answers] == [401] * 9 + [429] * 3
    assert len(events("client-authentication-failed", client=client_id)) == 9
    assert still_works(app, granted)


# Keys that cannot be had ----------------------------------------------------------------------------------------------


@pytest.fixture
def by_url(make_client: MakeClient) -> Any:
    return make_client("keys", jwks_uri="https://keys.example.org/jwks")


@line("CL-12", "E99")
def test_keys_are_asked_for_ten_times_and_then_the_request_is_refused(
    by_url: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def in_vain(key_fetch: jwks_cache.KeyFetch) -> None:
        asked.append(key_fetch.client_id)

    monkeypatch.setattr(jwks_cache, "renew", in_vain)
    with pytest.raises(InvalidClient) as refused:
        asyncio.run(run_as_client(signed(by_url.client_id, EC, clock.now()), lambda client: client))

    assert asked == [by_url.client_id] * 10
    assert refused.value.event_reason == "the client's keys could not be had in time"


@line("CL-12", "E99", "E100")
@pytest.mark.parametrize(("kind", "case"), [(Unfetchable, "E99"), (NotPublic, "E100")])
def test_why_keys_could_not_be_had_is_the_reason_of_the_refusal(
    by_url: Any, monkeypatch: pytest.MonkeyPatch, kind: type[Unfetchable], case: str
) -> None:
    async def refuse(_: jwks_cache.KeyFetch) -> None:
        raise kind("It is a sentence")

    monkeypatch.setattr(jwks_cache, "renew", refuse)
    with pytest.raises(InvalidClient) as refused:
        asyncio.run(run_as_client(signed(by_url.client_id, EC, clock.now()), lambda client: client))

    assert refused.value.event_reason == "the client's keys could not be had: It is a sentence"
    assert refused.value.why == {"rule": "CL-12", "case": case, "presented": "https://keys.example.org/jwks"}
