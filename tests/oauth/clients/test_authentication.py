"""Clients that prove themselves by signed assertions, at every endpoint, by the lines E59 to E74 and E99 to E103."""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from accounts import clock, rate_limit
from oauth.clients import jwks_fetch
from smart.time_units import SECOND
from tests.conftest import SECRET, App, Granted, basic
from tests.fixture_types import Events, Grant, Introspect, Issue, MakeClient
from tests.publishing import Publisher, certificate, published, trusting
from tests.signing import TOKEN_URL, TYPE, Json, Pair, claims_of, hs256, jwks, made, pair, shown

EC, RSA = pair("ES384"), pair("RS384")
ISSUER = "http://127.0.0.1:8000"
line = pytest.mark.requirement


@pytest.fixture(autouse=True)
def nobody_failed_before(committed: None) -> None:
    """Failures of callers that name no client are counted together; those of other tests are not ours."""
    rate_limit.forget_failures("client", "", "192.0.2.7")


@pytest.fixture
def granted(grant: Grant, make_client: MakeClient) -> Granted:
    """A client with both keys pasted, and a code that waits for it."""
    return grant(make_client("keys", jwks=jwks(EC, RSA)))


def exchange(app: App, granted: Granted, assertion: str, **others: Any) -> httpx.Response:
    return app.post("/o/token", data=granted.exchange(**{**shown(assertion), **others}))


def is_refused(response: httpx.Response) -> bool:
    """401 as every failed client authentication reads, not cached, with the challenge."""
    return (
        response.status_code == 401
        and response.json()["error"] == "invalid_client"
        and response.json()["error_description"].startswith("client authentication failed")
        and response.headers["www-authenticate"] == 'Basic realm="smartauth"'
        and response.headers["cache-control"] == "no-store"
        and response.headers["pragma"] == "no-cache"
    )


def still_works(app: App, granted: Granted) -> bool:
    """Whether nothing was used up: the code buys its token with a good assertion (WF-04)."""
    return exchange(app, granted, EC.assertion(granted.client.client_id)).status_code == 200


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
    refreshed = app.post("/o/token", data={**form, **shown(EC.assertion(client.client_id))})

    assert is_refused(nobody)
    assert refreshed.status_code == 200


# At every endpoint ----------------------------------------------------------------------------------------------------


def at(app: App, path: str, assertion: str) -> httpx.Response:
    return app.post(path, data={"token": "unknown", **shown(assertion)})


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

    response = app.post("/o/revoke", data={"token": token, **shown(EC.assertion(client_id))})

    assert (response.status_code, response.content) == (200, b"")
    assert introspect(token) == {"active": False}


@pytest.mark.requirement("CL-14", "IN-07")
def test_a_resource_server_with_keys_asks_about_tokens_and_nobody_without_the_role(
    app: App, issue: Issue, make_client: MakeClient, fhir_server: Any
) -> None:
    from oauth.models import ResourceServer

    token = issue()["access_token"]
    client = make_client("keys", jwks=jwks(EC), grants="", redirect_uris="")

    before = app.post("/o/introspect", data={"token": token, **shown(EC.assertion(client.client_id))})
    ResourceServer.objects.create(client=client, fhir_server=fhir_server)
    after = app.post("/o/introspect", data={"token": token, **shown(EC.assertion(client.client_id))})

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

    form = granted.exchange(**shown(EC.assertion(client_id)), **body)
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
    forger = made(alg, {"ES384": EC, "RS384": RSA}[alg].kid)

    assert is_refused(exchange(app, granted, forger.assertion(granted.client.client_id)))
    assert still_works(app, granted)


@pytest.mark.requirement("E74", "E68")
def test_the_key_of_another_client_proves_nothing(app: App, granted: Granted, make_client: MakeClient) -> None:
    other = made("ES384")
    make_client("keys", jwks=jwks(other))

    assert is_refused(exchange(app, granted, other.assertion(granted.client.client_id)))
    assert still_works(app, granted)


@pytest.mark.requirement("E63", "E64")
@pytest.mark.parametrize(
    "keys",
    [
        pytest.param([EC.public(use="enc")], id="a key for encryption"),
        pytest.param([EC.public(alg="ES512")], id="a key for another algorithm"),
        pytest.param([EC.public(), made("ES384", EC.kid).public()], id="two keys of one kid"),
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
    forger = made("ES384", EC.kid)
    with published(jwks(forger)) as attacker:
        carried: Json = {
            "jwk": forger.public(), "x5c": [base64.b64encode(b"certificate" * 50).decode()],
            "x5u": attacker.url, "jku": attacker.url,
        }  # fmt: skip
        response = exchange(app, granted, forger.assertion(granted.client.client_id, {member: carried[member]}))

    assert is_refused(response)
    assert attacker.asked == []


# Once -----------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("E72", "CL-06")
@pytest.mark.parametrize("path", ["/o/token", "/o/introspect", "/o/revoke"])
def test_an_assertion_is_good_once_wherever_it_is_shown_again(app: App, granted: Granted, path: str) -> None:
    assertion = EC.assertion(granted.client.client_id)
    assert at(app, "/o/revoke", assertion).status_code == 200

    assert is_refused(at(app, path, assertion))


@pytest.mark.requirement("E72", "CL-06")
def test_the_same_jti_under_another_signature_is_the_same(app: App, granted: Granted) -> None:
    client_id = granted.client.client_id
    assert at(app, "/o/revoke", EC.assertion(client_id, jti="chosen")).status_code == 200

    assert is_refused(at(app, "/o/revoke", RSA.assertion(client_id, jti="chosen")))


@pytest.mark.requirement("E73")
def test_another_client_may_use_the_same_jti(app: App, granted: Granted, make_client: MakeClient) -> None:
    other = make_client("keys", jwks=jwks(EC))

    answers = [at(app, "/o/revoke", EC.assertion(c.client_id, jti="common")) for c in (granted.client, other)]

    assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.requirement("CL-06")
@pytest.mark.parametrize("path", ["/o/token", "/o/revoke"])
def test_an_assertion_is_used_up_also_where_the_request_fails_afterwards(app: App, granted: Granted, path: str) -> None:
    assertion = EC.assertion(granted.client.client_id)

    failed = app.post(path, data=shown(assertion))

    assert (failed.status_code, failed.json()["error"]) == (400, "invalid_request")
    assert is_refused(exchange(app, granted, assertion))
    assert still_works(app, granted)


@pytest.mark.requirement("CL-06")
def test_a_jti_is_remembered_only_when_the_signature_is_good(app: App, granted: Granted) -> None:
    client_id = granted.client.client_id
    forged = made("ES384", EC.kid).assertion(client_id, jti="theirs")

    assert is_refused(at(app, "/o/revoke", forged))
    assert at(app, "/o/revoke", EC.assertion(client_id, jti="theirs")).status_code == 200


@pytest.mark.requirement("CL-06")
@pytest.mark.parametrize("jti", ["a" * 256, "\ud800", "\u0000", "e\u0301", "'; DROP TABLE oauth_assertionid; --"])
def test_a_jti_may_be_any_text(app: App, granted: Granted, jti: str) -> None:
    answers = [at(app, "/o/revoke", EC.assertion(granted.client.client_id, jti=jti)) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 401]


@pytest.mark.requirement("CL-06")
def test_a_jti_is_forgotten_only_after_the_assertion_is_too_old(app: App, granted: Granted) -> None:
    from oauth.models import AssertionId
    from oauth.retention.sweeping import sweep

    assertion = EC.assertion(granted.client.client_id)
    at(app, "/o/revoke", assertion)
    rows = AssertionId.objects.filter(client=granted.client)

    sweep()
    assert is_refused(at(app, "/o/revoke", assertion))
    (row,) = rows
    assert row.forget_at > (claims_of("x")["exp"] + 59) * SECOND
    rows.update(forget_at=clock.now() - 61 * SECOND)
    sweep()

    assert not rows.exists()


def test_no_assertion_and_no_jti_lies_in_the_database(app: App, granted: Granted) -> None:
    from django.apps import apps

    assertion = EC.assertion(granted.client.client_id, jti="a-jti-to-look-for")
    at(app, "/o/revoke", assertion)

    kept = [
        str(value)
        for label in ("oauth", "audit", "accounts")
        for model in apps.get_app_config(label).get_models()
        if label != "audit" or model.__name__ == "OutboxEvent"
        for row in model._default_manager.values_list()
        for value in row
    ]
    assert not [value for value in kept if "a-jti-to-look-for" in value or assertion.rpartition(".")[2] in value]


# What is told ---------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("WF-06", "CL-15")
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
        EC.assertion(client_id, aud="x"), EC.assertion("nobody"), "a.b.c", made("ES384", EC.kid).assertion(client_id),
    ]  # fmt: skip

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
    forger = made("ES384", EC.kid)

    answers = [exchange(app, granted, forger.assertion(client_id)) for _ in range(12)]

    assert [answer.status_code for answer in answers] == [401] * 9 + [429] * 3
    assert len(events("client-authentication-failed", client=client_id)) == 9
    assert still_works(app, granted)


# Keys by address ------------------------------------------------------------------------------------------------------


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with published(jwks(EC, RSA)) as server:
        yield server


@pytest.fixture
def by_address(make_client: MakeClient, publisher: Publisher) -> Any:
    """A client whose keys are at its own server."""
    return make_client("keys", jwks_uri=publisher.url)


def proves(app: App, client: Any, key: Pair = EC, **claims: Any) -> bool:
    """Whether the client proves itself with that key now."""
    response = at(app, "/o/revoke", key.assertion(client.client_id, **claims))
    assert response.status_code == 200 or is_refused(response), response.text
    return response.status_code == 200


def later(client: Any, seconds: int) -> None:
    """As if so many seconds had passed since the keys were fetched."""
    from django.db.models import F

    from oauth.models import FetchedKeys

    passed = seconds * SECOND
    FetchedKeys.objects.filter(client=client).update(
        asked_at=F("asked_at") - passed, fetched_at=F("fetched_at") - passed, fresh_until=F("fresh_until") - passed
    )


@pytest.mark.requirement("RG-03", "CL-10", "CL-11")
def test_keys_at_an_address_are_fetched_once_while_they_are_fresh(
    app: App, by_address: Any, publisher: Publisher
) -> None:
    assert [proves(app, by_address, key) for key in (EC, RSA, EC)] == [True] * 3

    assert len(publisher.asked) == 1


@pytest.mark.requirement("CL-10", "E102")
def test_a_key_that_was_taken_back_is_dead_when_max_age_is_over(
    app: App, by_address: Any, publisher: Publisher
) -> None:
    publisher.headers = {"Cache-Control": "max-age=5"}
    assert proves(app, by_address)
    publisher.body = jwks(RSA)

    later(by_address, 4)
    still_fresh = proves(app, by_address)
    later(by_address, 2)

    assert still_fresh
    assert not proves(app, by_address)
    assert proves(app, by_address, RSA)
    assert len(publisher.asked) == 2


@pytest.mark.requirement("CL-10")
@pytest.mark.parametrize("said", ["no-store", "max-age=0", "no-cache", "no-store, max-age=600"])
def test_what_may_not_be_kept_is_fetched_every_time(app: App, by_address: Any, publisher: Publisher, said: str) -> None:
    publisher.headers = {"Cache-Control": said}

    assert [proves(app, by_address) for _ in range(3)] == [True] * 3
    assert len(publisher.asked) == 3
    publisher.body = jwks()

    assert not proves(app, by_address)


@pytest.mark.requirement("CL-10")
def test_without_a_word_of_the_sender_keys_live_a_minute(app: App, by_address: Any, publisher: Publisher) -> None:
    publisher.headers = {}
    assert proves(app, by_address)
    later(by_address, 58)
    assert proves(app, by_address)
    asked = len(publisher.asked)
    later(by_address, 3)

    assert proves(app, by_address)
    assert (asked, len(publisher.asked)) == (1, 2)


@pytest.mark.requirement("CL-11", "E64")
def test_a_key_that_is_new_is_found_by_one_more_fetch(app: App, by_address: Any, publisher: Publisher) -> None:
    new = made("ES384")
    publisher.headers = {"Cache-Control": "max-age=600"}
    assert proves(app, by_address)
    publisher.body = jwks(EC, new)

    too_soon = proves(app, by_address, new)
    later(by_address, 31)

    assert not too_soon
    assert proves(app, by_address, new)
    assert len(publisher.asked) == 2


@pytest.mark.requirement("E103", "CL-11")
def test_a_flood_of_unknown_kids_makes_one_fetch_in_thirty_seconds(
    app: App, by_address: Any, publisher: Publisher
) -> None:
    publisher.headers = {"Cache-Control": "max-age=600"}
    assert proves(app, by_address)
    later(by_address, 31)
    flood = [shown(made_up(by_address.client_id, number), token="x") for number in range(40)]

    async def together() -> list[Any]:
        return await asyncio.gather(*(app._client.post("/o/revoke", data=form) for form in flood))

    answers = app.run(together())

    assert {answer.status_code for answer in answers} <= {401, 429}
    assert len(publisher.asked) == 2
    assert proves(app, by_address)


def made_up(client_id: str, number: int) -> str:
    return EC.assertion(client_id, {"kid": f"made-up-{number}"})


@pytest.mark.requirement("CL-11")
def test_many_at_once_share_one_fetch(app: App, by_address: Any, publisher: Publisher) -> None:
    forms = [shown(EC.assertion(by_address.client_id), token="x") for _ in range(30)]

    async def together() -> list[Any]:
        return await asyncio.gather(*(app._client.post("/o/revoke", data=form) for form in forms))

    answers = app.run(together())

    assert [answer.status_code for answer in answers] == [200] * 30
    assert len(publisher.asked) == 1


@pytest.mark.requirement("CL-11", "CL-10")
def test_many_at_once_of_what_may_not_be_kept_share_a_fetch_that_began_after_they_came(
    app: App, by_address: Any, publisher: Publisher
) -> None:
    publisher.headers = {"Cache-Control": "no-store"}
    forms = [shown(EC.assertion(by_address.client_id), token="x") for _ in range(30)]

    async def together() -> list[Any]:
        return await asyncio.gather(*(app._client.post("/o/revoke", data=form) for form in forms))

    answers = app.run(together())

    assert [answer.status_code for answer in answers] == [200] * 30
    assert len(publisher.asked) <= 3


@pytest.mark.requirement("E65", "CL-08")
def test_jku_is_the_registered_address_to_the_letter(app: App, by_address: Any, publisher: Publisher) -> None:
    client_id = by_address.client_id
    right = EC.assertion(client_id, {"jku": publisher.url})
    wrong = [EC.assertion(client_id, {"jku": jku}) for jku in (f"{publisher.url}/", publisher.url.upper(), "", 7, None)]

    assert [at(app, "/o/revoke", assertion).status_code for assertion in wrong[:4]] == [401] * 4
    assert publisher.asked == []
    assert at(app, "/o/revoke", right).status_code == 200


@pytest.mark.requirement("E99", "CL-12")
@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"status": 404}, id="404"),
        pytest.param({"status": 500}, id="500"),
        pytest.param({"status": 302, "headers": {"Location": "/elsewhere"}}, id="redirect"),
        pytest.param({"body": "<html><body>Sign in</body></html>"}, id="HTML"),
        pytest.param({"body": "nonsense"}, id="not JSON"),
        pytest.param({"body": "[]"}, id="a list"),
        pytest.param({"body": "{}"}, id="no keys"),
        pytest.param({"body": " " * 262_145}, id="too long"),
        pytest.param({"body": jwks(*[EC] * 101)}, id="too many keys"),
    ],
)
def test_a_fetch_in_vain_is_a_refusal_with_a_reason_and_no_old_key_outlives_its_time(
    app: App, by_address: Any, publisher: Publisher, change: dict[str, Any], events: Events
) -> None:
    assert proves(app, by_address)
    for name, value in change.items():
        setattr(publisher, name, value)

    while_fresh = proves(app, by_address)
    later(by_address, 61)

    assert while_fresh
    assert not proves(app, by_address)
    (event,) = events("client-authentication-failed", client=by_address.client_id)
    assert event.reason.startswith("the client's keys could not be had: It ")


@pytest.mark.requirement("E99")
def test_keys_come_back_when_their_server_does(app: App, by_address: Any, publisher: Publisher) -> None:
    publisher.status = 503
    assert not proves(app, by_address)
    publisher.status = 200

    assert proves(app, by_address)


@pytest.mark.requirement("E101")
def test_private_and_shared_keys_are_ignored_and_recorded_once(
    app: App, by_address: Any, publisher: Publisher, events: Events
) -> None:
    shared_key = {"kty": "oct", "kid": "shared", "k": base64.urlsafe_b64encode(SECRET.encode()).decode()}
    publisher.body = jwks(EC.private(), shared_key, RSA)
    publisher.headers = {"Cache-Control": "no-store"}

    private = proves(app, by_address)
    by_secret = at(app, "/o/revoke", hs256({"kid": "shared"}, claims_of(by_address.client_id), SECRET.encode()))
    others = [proves(app, by_address, RSA) for _ in range(2)]

    assert (private, others) == (False, [True, True])
    assert is_refused(by_secret)
    (event,) = events("client-keys-exposed", client=by_address.client_id)
    assert event.reason == "private or shared keys at its JWKS URL: 2"


@pytest.mark.requirement("E101")
def test_no_private_key_that_was_fetched_is_kept(app: App, by_address: Any, publisher: Publisher) -> None:
    from oauth.models import FetchedKeys

    publisher.body = jwks(EC.private(), RSA)
    assert proves(app, by_address, RSA)

    assert EC.private()["d"] not in FetchedKeys.objects.get(client=by_address).keys


def test_a_new_address_makes_the_keys_of_the_old_one_worthless(app: App, by_address: Any, publisher: Publisher) -> None:
    from oauth.models import Client

    assert proves(app, by_address)
    with published(jwks(RSA)) as moved:
        Client.objects.filter(pk=by_address.pk).update(jwks_uri=moved.url)

        assert not proves(app, by_address)
        assert proves(app, by_address, RSA)
        assert len(moved.asked) == 1


@pytest.mark.requirement("E100", "CL-12")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]"])
def test_an_address_inside_is_never_asked_outside_development(
    app: App, make_client: MakeClient, settings: Any, host: str, events: Events
) -> None:
    settings.SMARTAUTH_DEV = False
    with published(jwks(EC), tls=certificate("127.0.0.1")) as inside:
        client = make_client("keys", jwks_uri=f"https://{host}:{inside.port}/jwks")
        good = proves(app, client)

    assert not good
    assert inside.asked == []
    (event,) = events("client-authentication-failed", client=client.client_id)
    assert "not public" in event.reason or "gaierror" in event.reason


@pytest.mark.requirement("RG-06")
def test_keys_over_https_prove_a_client_and_over_http_outside_development_never(
    app: App, make_client: MakeClient, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = trusting()
    monkeypatch.setattr(jwks_fetch, "_tls_context", lambda: context)
    monkeypatch.setattr(jwks_fetch, "_is_public", lambda address: True)
    settings.SMARTAUTH_DEV = False
    with published(jwks(EC)) as plain, published(jwks(EC), tls=certificate("127.0.0.1")) as secure:
        over_http = proves(app, make_client("keys", jwks_uri=plain.url))
        over_https = proves(app, make_client("keys", jwks_uri=secure.url))

    assert (over_http, over_https) == (False, True)
    assert plain.asked == []


def test_slow_hosts_hold_up_nobody_else(
    app: App, make_client: MakeClient, granted: Granted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More hosts that never answer than there are writer threads."""
    import threading
    import time

    monkeypatch.setattr(jwks_fetch, "SECONDS", 3.0)
    over = threading.Event()
    with published() as tarpit:
        tarpit.respond = lambda _: [over.wait(20)].clear()
        slow = [make_client("keys", jwks_uri=f"{tarpit.url}/{number}") for number in range(12)]
        forms = [shown(EC.assertion(client.client_id), token="x") for client in slow]

        async def among_them() -> tuple[float, int, list[int]]:
            waiting = [asyncio.create_task(app._client.post("/o/revoke", data=form)) for form in forms]
            while len(tarpit.asked) < len(slow):  # noqa: ASYNC110  # the requests arrive in other threads
                await asyncio.sleep(0.05)
            begun = time.monotonic()
            good = shown(EC.assertion(granted.client.client_id), token="x")
            answer = await app._client.post("/o/revoke", data=good)
            took = time.monotonic() - begun
            return took, answer.status_code, [(await each).status_code for each in waiting]

        took, status, others = app.run(among_them())
        over.set()

    assert (status, others) == (200, [401] * 12)
    assert took < 1


def test_a_process_that_died_while_it_fetched_blocks_nobody_for_long(
    app: App, by_address: Any, publisher: Publisher
) -> None:
    from oauth.models import FetchedKeys

    assert proves(app, by_address)
    later(by_address, 120)
    FetchedKeys.objects.filter(client=by_address).update(asked_at=clock.now() - 11 * SECOND)

    assert proves(app, by_address)
    assert len(publisher.asked) == 2


def test_while_another_process_fetches_its_answer_is_waited_for(
    app: App, by_address: Any, publisher: Publisher
) -> None:
    """The other process has claimed the fetch and answers half a second later."""
    import threading
    import time

    from oauth.models import FetchedKeys

    assert proves(app, by_address)
    later(by_address, 120)
    rows, fresh = FetchedKeys.objects.filter(client=by_address), clock.now() + 60 * SECOND
    rows.update(asked_at=clock.now())

    def answer() -> None:
        time.sleep(0.5)
        rows.update(fetched_at=clock.now(), fresh_until=fresh)

    threading.Thread(target=answer).start()

    assert proves(app, by_address)
    assert len(publisher.asked) == 1
