"""The ID token (OpenID Connect Core §2), from a launch and from a refresh."""

import time
from typing import Any

import pytest

from accounts.models import SignIn
from oauth.models import Authorization, Client, Code, FhirIdentity, FhirServer
from oauth.tokens import id_token
from tests.conftest import BASE, SECRET, App, basic
from tests.fixture_types import Introspect, Issue, MakeClient, MakePerson
from tests.oauth.jwt import header, payload, raw_payload, verified_claims
from tests.oauth.remembering import HTTPS, exchange, refreshing_client
from tests.oauth.visitor import Visitor, line_number, redirect_query, ticked_lines

ISSUER = "http://127.0.0.1:8000"
SCOPE = "openid fhirUser launch/patient patient/*.rs offline_access"


@pytest.fixture
def client(make_client: MakeClient) -> Any:
    """A client that may ask who signs in, and refresh."""
    return refreshing_client(
        make_client, "none", scope="openid fhirUser profile launch/patient patient/*.rs offline_access"
    )


def launched(app: App, visitor: Visitor, client: Any, person: Any, **changes: Any) -> dict[str, Any]:
    """The token answer of a whole launch."""
    request = {"scope": SCOPE, "redirect_uri": HTTPS, **changes}
    page = visitor.reach_consent(client, person, **request)
    return exchange(app, client, redirect_query(visitor.allow(page))["code"])


def refreshed(app: App, client: Any, told: dict[str, Any], **form: str) -> dict[str, Any]:
    sent = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"], "client_id": client.client_id}
    response = app.post("/o/token", data={**sent, **form})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


@pytest.mark.requirement("ID-01", "ID-04", "CG-08")
def test_a_launch_tells_the_app_who_signed_in(app: App, visitor: Visitor, client: Any, make_person: MakePerson) -> None:
    person, before = make_person("amy"), int(time.time())

    told = launched(app, visitor, client, person, nonce="n-0S6_WzA2Mj")

    claims = verified_claims(app, told["id_token"])
    assert told["scope"] == SCOPE
    assert claims["iss"] == ISSUER
    assert claims["sub"] == person.subject
    assert claims["aud"] == client.client_id
    assert claims["nonce"] == "n-0S6_WzA2Mj"
    assert claims["fhirUser"] == f"{BASE}/Patient/amy"
    assert before <= claims["auth_time"] <= claims["iat"] <= time.time() < claims["exp"]
    assert claims.keys() == {"iss", "sub", "aud", "iat", "exp", "nonce", "auth_time", "fhirUser"}


@pytest.mark.requirement("ID-01")
def test_the_subject_is_short_ascii_and_is_never_the_clients(issue: Issue) -> None:
    told = issue(scope="openid patient/*.rs")

    subject = payload(told["id_token"])["sub"]
    assert subject.isascii()
    assert len(subject) <= 255
    assert subject not in (told["granted"].client.client_id, told["granted"].person.username)
    assert subject == payload(told["access_token"])["sub"]


@pytest.mark.requirement("ID-02", "WF-17")
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_it_is_signed_rs256_whatever_signs_the_access_token(
    app: App, issue: Issue, make_client: MakeClient, algorithm: str
) -> None:
    server, _ = FhirServer.objects.get_or_create(
        base=f"https://{algorithm.lower()}.example.org/fhir", defaults={"name": "S", "signing_algorithm": algorithm}
    )

    told = issue(make_client(), scope="openid patient/*.rs", server=server)

    assert header(told["id_token"]).keys() == {"alg", "typ", "kid"}
    assert (header(told["id_token"])["alg"], header(told["id_token"])["typ"]) == ("RS256", "JWT")
    assert header(told["access_token"])["alg"] == algorithm
    assert verified_claims(app, told["id_token"])["iss"] == ISSUER


@pytest.mark.requirement("WF-17", "AZ-22")
def test_the_payload_is_ascii_whatever_the_nonce_is(
    app: App, visitor: Visitor, client: Any, make_person: MakePerson
) -> None:
    told = launched(app, visitor, client, make_person("amy"), nonce="Zürich 東京")

    assert raw_payload(told["id_token"]).isascii()
    assert verified_claims(app, told["id_token"])["nonce"] == "Zürich 東京"


@pytest.mark.requirement("CG-08")
@pytest.mark.parametrize("scope", ["patient/*.rs", "launch/patient patient/*.rs", "__openid patient/*.rs"])
def test_without_openid_there_is_none(issue: Issue, scope: str) -> None:
    assert "id_token" not in issue(scope=scope)


@pytest.mark.requirement("SCP-16", "ID-01")
@pytest.mark.parametrize(
    ("scope", "named"), [("openid", False), ("openid fhirUser", True), ("openid profile", True)], ids=str
)
def test_fhir_user_is_told_where_it_was_granted(issue: Issue, scope: str, named: bool) -> None:
    claims = payload(issue(scope=f"{scope} patient/*.rs")["id_token"])

    assert ("fhirUser" in claims) is named


@pytest.mark.requirement("SCP-16")
def test_who_is_nobody_at_the_fhir_server_is_not_asked_for_it(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, person = refreshing_client(make_client, "none", scope="openid fhirUser offline_access"), make_person("amy")
    FhirIdentity.objects.filter(user=person).delete()
    page = visitor.sign_in(visitor.follow(visitor.ask(client, scope="openid fhirUser", redirect_uri=HTTPS)), person)

    told = exchange(app, client, redirect_query(visitor.allow(page))["code"])

    assert "Your name and your role" not in page.text
    assert told["scope"] == "openid"
    assert "fhirUser" not in payload(told["id_token"])


@pytest.mark.requirement("AZ-14", "CG-08")
def test_who_unticks_it_stays_unknown(app: App, visitor: Visitor, client: Any, make_person: MakePerson) -> None:
    page = visitor.reach_consent(client, make_person("amy"), scope=SCOPE, redirect_uri=HTTPS, nonce="n")
    left = [number for number in ticked_lines(page) if number != line_number(page, "Your name and your role")]

    told = exchange(app, client, redirect_query(visitor.allow(page, ask=left))["code"])

    assert told["scope"] == "launch/patient patient/*.rs offline_access"
    assert "id_token" not in told


@pytest.mark.requirement("ID-01")
def test_auth_time_is_the_login_and_not_the_leave(
    app: App, visitor: Visitor, client: Any, make_person: MakePerson
) -> None:
    person = make_person("amy")
    page = visitor.reach_consent(client, person, scope=SCOPE, redirect_uri=HTTPS)
    login = int(time.time()) - 1000
    SignIn.objects.filter(user=person).update(created_at=login * 1_000_000 + 7)

    told = exchange(app, client, redirect_query(visitor.allow(page))["code"])

    assert payload(told["id_token"])["auth_time"] == login


@pytest.mark.requirement("RF-10", "WF-17", "CG-08")
def test_a_refresh_tells_the_same_person_again(
    app: App, visitor: Visitor, client: Any, make_person: MakePerson
) -> None:
    told = launched(app, visitor, client, make_person("amy"), nonce="once")
    first = payload(told["id_token"])

    again = verified_claims(app, refreshed(app, client, told)["id_token"])

    assert again.keys() == first.keys() - {"nonce"}
    same = ("iss", "sub", "aud", "auth_time", "fhirUser")
    assert [again[name] for name in same] == [first[name] for name in same]
    assert again["iat"] >= first["iat"]


@pytest.mark.requirement("RF-02", "CG-08")
def test_a_refresh_without_openid_tells_nobody_and_the_next_one_does(
    app: App, visitor: Visitor, client: Any, make_person: MakePerson
) -> None:
    told = launched(app, visitor, client, make_person("amy"))

    narrow = refreshed(app, client, told, scope="patient/*.rs offline_access")

    assert "id_token" not in narrow
    assert "id_token" in refreshed(app, client, narrow)


@pytest.mark.requirement("CG-08")
def test_a_client_that_may_not_ask_any_more_hears_it_no_more(
    app: App, visitor: Visitor, client: Any, make_person: MakePerson
) -> None:
    told = launched(app, visitor, client, make_person("amy"))
    Client.objects.filter(pk=client.pk).update(scope="launch/patient patient/*.rs offline_access")

    again = refreshed(app, client, told)

    assert "id_token" not in again
    assert again["scope"] == "launch/patient patient/*.rs offline_access"


@pytest.mark.requirement("AZ-17")
def test_the_nonce_waits_with_the_code_alone(app: App, visitor: Visitor, client: Any, make_person: MakePerson) -> None:
    launched(app, visitor, client, make_person("amy"), nonce="kept-with-the-code")

    authorization = Authorization.objects.get(client=client)
    assert Code.objects.get(authorization=authorization).nonce == "kept-with-the-code"
    assert authorization.auth_time


@pytest.mark.requirement("ID-07", "IN-06")
def test_an_id_token_is_no_access_token(issue: Issue, introspect: Introspect) -> None:
    told = issue(scope="openid fhirUser patient/*.rs")

    assert introspect(told["id_token"]) == {"active": False}
    assert introspect(told["access_token"])["active"] is True


@pytest.mark.requirement("ID-07", "E43")
def test_an_access_token_is_no_id_token_even_of_the_same_key(issue: Issue) -> None:
    server, _ = FhirServer.objects.get_or_create(
        base="https://rs256.example.org/fhir", defaults={"name": "S", "signing_algorithm": "RS256"}
    )
    told = issue(scope="openid patient/*.rs", server=server)

    assert header(told["access_token"])["kid"] == header(told["id_token"])["kid"]
    assert id_token.parse_hint(told["access_token"]) is None
    assert id_token.parse_hint(told["id_token"]) == (told["granted"].person.subject, told["granted"].client.client_id)


@pytest.mark.requirement("E113", "ID-07")
def test_an_id_token_cannot_be_revoked(app: App, issue: Issue, make_client: MakeClient, introspect: Introspect) -> None:
    told = issue(make_client("secret"), scope="openid patient/*.rs")
    caller = basic(told["granted"].client.client_id, SECRET)

    response = app.post(
        "/o/revoke", data={"token": told["id_token"], "token_type_hint": "access_token"}, headers=caller
    )

    assert (response.status_code, response.json()["error"]) == (400, "unsupported_token_type")
    assert response.headers["Cache-Control"] == "no-store"
    assert introspect(told["access_token"])["active"] is True


@pytest.mark.requirement("E109", "E113")
@pytest.mark.parametrize("change", ["signature", "payload", "header"])
def test_what_only_looks_like_an_id_token_is_garbage_to_revoke(
    app: App, issue: Issue, make_client: MakeClient, change: str
) -> None:
    told = issue(make_client("secret"), scope="openid patient/*.rs")
    parts = dict(zip(("header", "payload", "signature"), told["id_token"].split("."), strict=True))
    parts[change] = parts[change][:-6] + ("AAAAAA" if parts[change][-6:] != "AAAAAA" else "BBBBBB")

    response = app.post(
        "/o/revoke", data={"token": ".".join(parts.values())}, headers=basic(told["granted"].client.client_id, SECRET)
    )

    assert (response.status_code, response.content) == (200, b"")
