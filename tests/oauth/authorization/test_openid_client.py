"""Plain OpenID Connect: an app that knows nothing of FHIR (issue 6, 7), beside which SMART apps stay strict."""

from typing import Any
from urllib.parse import urlencode

import pytest

from accounts.models import User
from oauth.models import AccessToken, Code, FhirServer, PendingRequest
from tests.conftest import BASE, CHALLENGE, SECRET, VERIFIER, App, basic
from tests.fixture_types import Grant, Introspect, MakeClient, MakeVisitor
from tests.oauth.authorization.openid_client import SCOPE, ask, exchange, sign_in_and_allow, userinfo
from tests.oauth.jwt import payload, verified_claims
from tests.oauth.remembering import HTTPS
from tests.oauth.visitor import FORM, Visitor, line_number, redirect_query, ticked_lines

ISSUER = "http://127.0.0.1:8000"


@pytest.mark.requirement("ID-01", "ID-05")
def test_a_person_signs_in_and_the_app_hears_who_it_is(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any
) -> None:
    client = make_openid()

    told = exchange(app, client, sign_in_and_allow(visitor, client, person, nonce="n-7")).json()

    claims = verified_claims(app, told["id_token"])
    assert (claims["iss"], claims["sub"], claims["aud"]) == (ISSUER, person.subject, client.client_id)
    assert (claims["nonce"], told["scope"]) == ("n-7", SCOPE)
    assert claims.keys() == {"iss", "sub", "aud", "iat", "exp", "nonce", "auth_time"}
    about = userinfo(app, told)
    assert about.pop("updated_at") == person.updated_at // 1_000_000
    assert about == {
        "sub": person.subject, "name": person.name, "preferred_username": person.username, "email": person.email,
        "email_verified": True,
    }  # fmt: skip


@pytest.mark.requirement("ID-05")
def test_what_is_known_of_a_name_is_told_in_its_parts(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any
) -> None:
    parts = {"given_name": "Amy", "family_name": "Shaw", "locale": "en-GB"}
    type(person).objects.get_queryset().filter(pk=person.pk).update(**parts)
    client = make_openid()
    told = exchange(app, client, sign_in_and_allow(visitor, client, person)).json()

    about = userinfo(app, told)

    assert {name: about[name] for name in parts} == parts


@pytest.mark.requirement("ID-05")
@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("openid", {"sub"}),
        ("openid profile", {"sub", "name", "preferred_username", "updated_at"}),
        ("openid email", {"sub", "email", "email_verified"}),
    ],
)
def test_only_what_was_asked_and_allowed_is_told(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any, scope: str, names: set[str]
) -> None:
    client = make_openid()

    told = exchange(app, client, sign_in_and_allow(visitor, client, person, scope=scope)).json()

    assert told["scope"] == scope
    assert userinfo(app, told).keys() == names


@pytest.mark.requirement("ID-05")
def test_an_address_that_nobody_vouches_for_is_told_as_such_and_a_missing_one_not_at_all(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any
) -> None:
    client = make_openid()
    told = exchange(app, client, sign_in_and_allow(visitor, client, person)).json()

    User.objects.filter(pk=person.pk).update(email_verified=0)
    assert userinfo(app, told)["email_verified"] is False
    User.objects.filter(pk=person.pk).update(email="", name="")
    assert userinfo(app, told).keys() == {"sub", "preferred_username", "updated_at"}


@pytest.mark.requirement("AZ-14")
def test_the_person_may_leave_out_their_address(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any
) -> None:
    client = make_openid()
    page = visitor.sign_in(ask(visitor, client), person)
    left = [number for number in ticked_lines(page) if number != line_number(page, "Your email address")]

    told = exchange(app, client, redirect_query(visitor.allow(page, ask=left))["code"]).json()

    assert "Let Growth Chart know who you are?" in page.text
    assert "health record" not in page.text
    assert told["scope"] == "openid profile"
    assert "email" not in userinfo(app, told)


# No FHIR scope, ever -------------------------------------------------------------------------------------------------


@pytest.mark.requirement("AZ-08", "SCP-20")
@pytest.mark.parametrize("changes", [{}, {"aud": BASE}, {"resource": BASE}], ids=["no aud", "aud", "resource"])
def test_no_fhir_scope_is_granted_whatever_is_asked(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any, fhir_server: Any, changes: dict[str, str]
) -> None:
    wide = "openid fhirUser launch launch/patient patient/*.cruds user/*.cruds system/*.rs online_access address phone"
    client = make_openid(scope=f"{wide} profile")
    client.fhir_servers.add(fhir_server)

    told = exchange(app, client, sign_in_and_allow(visitor, client, person, scope=wide, **changes)).json()

    assert told["scope"] == "openid"
    assert "patient" not in told
    assert payload(told["access_token"])["aud"] == f"{ISSUER}/o/userinfo"
    assert "fhirUser" not in payload(told["id_token"])


@pytest.mark.requirement("IN-06", "AT-03")
def test_no_resource_server_hears_of_its_token(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any, introspect: Introspect
) -> None:
    client = make_openid()
    told = exchange(app, client, sign_in_and_allow(visitor, client, person)).json()

    assert introspect(told["access_token"]) == {"active": False}
    assert userinfo(app, told)["sub"] == person.subject


@pytest.mark.requirement("E16")
@pytest.mark.parametrize("scope", ["profile email", "patient/*.rs", "offline_access", "address"])
def test_without_openid_there_is_nothing_to_grant(visitor: Visitor, make_openid: MakeClient, scope: str) -> None:
    client = make_openid()

    told = redirect_query(ask(visitor, client, scope=scope, state="s"))

    assert (told["error"], told["state"]) == ("invalid_scope", "s")
    assert PendingRequest.objects.filter(client=client).count() == 0


def test_what_is_no_fhir_server_is_shown_and_used_as_none(app: App, fhir_server: Any) -> None:
    row = FhirServer.userinfo()

    assert FhirServer.userinfo() == row
    assert row not in FhirServer.objects.all()
    assert app.get(f"/o/smart-configuration?{urlencode({'aud': row.base})}").status_code == 404


# Looser -------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("AZ-14", "AZ-15")
def test_what_cannot_be_left_out_is_no_tick(visitor: Visitor, make_openid: MakeClient, person: Any) -> None:
    alone = visitor.sign_in(ask(visitor, make_openid(), scope="openid"), person)
    more = ask(visitor, make_openid(), scope="openid email")

    assert '<input type="checkbox"' not in alone.text
    assert '<input type="radio"' not in alone.text
    assert '<p class="fixed">Recognise you next time' in alone.text
    assert '<p class="fixed"><span>Whenever I am signed in here' in alone.text
    assert more.text.count('<input type="checkbox"') == 1
    assert "code" in redirect_query(visitor.allow(alone))


@pytest.mark.requirement("AZ-22", "AZ-03")
def test_what_it_does_not_know_is_ignored(app: App, visitor: Visitor, make_openid: MakeClient, person: Any) -> None:
    client = make_openid()
    unknown = {
        "display": "page", "claims_locales": "de", "ui_locales": "de-CH fr", "acr_values": "1 2", "claims": "{}",
        "extra": "x", "launch": "nobody's",
    }  # fmt: skip

    code = sign_in_and_allow(visitor, client, person, scope="openid address phone", **unknown)

    assert exchange(app, client, code).json()["scope"] == "openid"


@pytest.mark.requirement("E34")
@pytest.mark.parametrize(
    ("parameter", "error"),
    [("request", "request_not_supported"), ("request_uri", "request_uri_not_supported"),
     ("registration", "registration_not_supported")],
)  # fmt: skip
def test_a_request_object_is_refused(visitor: Visitor, make_openid: MakeClient, parameter: str, error: str) -> None:
    told = redirect_query(ask(visitor, make_openid(), state="s", **{parameter: "eyJhbGciOiJub25lIn0.e30."}))

    assert (told["error"], told["state"], told["iss"]) == (error, "s", ISSUER)


@pytest.mark.requirement("AZ-02")
def test_a_post_at_authorize_means_the_same(app: App, visitor: Visitor, make_openid: MakeClient, person: Any) -> None:
    client = make_openid()
    form = {"response_type": "code", "client_id": client.client_id, "redirect_uri": HTTPS, "scope": SCOPE}
    first = visitor.request("POST", "/o/authorize", content=urlencode(form), headers=FORM)

    page = visitor.sign_in(visitor.follow(first), person)

    assert exchange(app, client, redirect_query(visitor.allow(page))["code"]).json()["scope"] == SCOPE


@pytest.mark.requirement("CL-02")
@pytest.mark.parametrize("in_body", [True, False], ids=["client_secret_post", "client_secret_basic"])
def test_its_secret_may_come_either_way(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any, in_body: bool
) -> None:
    client = make_openid()
    code = sign_in_and_allow(visitor, client, person, scope="openid offline_access")

    told = exchange(app, client, code, in_body=in_body)

    assert told.status_code == 200
    secret = {"client_id": client.client_id, "client_secret": SECRET} if in_body else {}
    form = {"grant_type": "refresh_token", "refresh_token": told.json()["refresh_token"], **secret}
    headers = {} if in_body else basic(client.client_id, SECRET)
    again = app.post("/o/token", data=form, headers=headers)
    assert again.status_code == 200
    assert payload(again.json()["id_token"])["sub"] == person.subject


@pytest.mark.requirement("CL-02", "E52")
def test_a_wrong_secret_in_the_body_is_refused(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any
) -> None:
    client = make_openid()
    form = {"client_id": client.client_id, "client_secret": "wrong", "redirect_uri": HTTPS}
    code = sign_in_and_allow(visitor, client, person)

    response = app.post("/o/token", data={"grant_type": "authorization_code", "code": code, **form})

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert Code.objects.get(authorization__client=client).consumed_at == 0


# Proof keys ---------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("CG-02")
def test_a_proof_key_that_was_begun_is_demanded(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any
) -> None:
    client = make_openid()
    key = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    code = sign_in_and_allow(visitor, client, person, **key)

    without, wrong = exchange(app, client, code), exchange(app, client, code, code_verifier="x" * 43)
    right = exchange(app, client, code, code_verifier=VERIFIER)

    assert (without.status_code, without.json()["error"]) == (400, "invalid_grant")
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
    assert right.status_code == 200


@pytest.mark.requirement("CG-03", "E83")
def test_a_verifier_without_a_challenge_is_a_downgrade(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any
) -> None:
    client = make_openid()
    code = sign_in_and_allow(visitor, client, person)

    response = exchange(app, client, code, code_verifier=VERIFIER)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
    assert AccessToken.objects.filter(authorization__client=client).count() == 0


@pytest.mark.requirement("E22", "E23")
@pytest.mark.parametrize(
    "key",
    [
        {"code_challenge": CHALLENGE},
        {"code_challenge": CHALLENGE, "code_challenge_method": "plain"},
        {"code_challenge_method": "S256"},
        {"code_challenge": "short", "code_challenge_method": "S256"},
    ],
    ids=str,
)
def test_a_proof_key_of_another_kind_is_refused(visitor: Visitor, make_openid: MakeClient, key: dict[str, str]) -> None:
    assert redirect_query(ask(visitor, make_openid(), **key))["error"] == "invalid_request"


@pytest.mark.requirement("AZ-07", "E21")
def test_an_app_without_a_secret_needs_its_proof_key(visitor: Visitor, make_openid: MakeClient) -> None:
    client = make_openid("none")

    assert redirect_query(ask(visitor, client))["error"] == "invalid_request"
    assert ask(visitor, client, code_challenge=CHALLENGE, code_challenge_method="S256").url.path.endswith("/login")


@pytest.mark.requirement("AZ-03", "AZ-07", "E12")
@pytest.mark.parametrize("left_out", ["state", "code_challenge", "aud"])
def test_smart_apps_stay_strict(visitor: Visitor, make_client: MakeClient, left_out: str) -> None:
    client = make_client("secret", scope="openid patient/*.rs")

    assert (
        redirect_query(visitor.ask(client, scope="openid patient/*.rs", **{left_out: None}))["error"]
        == "invalid_request"
    )


@pytest.mark.requirement("CL-02", "CG-01")
def test_smart_apps_send_verifier_and_basic(app: App, grant: Grant, make_client: MakeClient) -> None:
    made = grant(make_client("secret"))
    secret = {"client_id": made.client.client_id, "client_secret": SECRET}

    without = app.post("/o/token", data=made.exchange(code_verifier=None), headers=basic(made.client.client_id, SECRET))
    in_body = app.post("/o/token", data=made.exchange(**secret))

    assert (without.status_code, without.json()["error"]) == (400, "invalid_request")
    assert (in_body.status_code, in_body.json()["error"]) == (401, "invalid_client")


@pytest.mark.requirement("PR-01")
def test_a_sign_in_on_the_phone_leaves_the_one_on_the_laptop_alone(
    app: App, visitor: Visitor, make_visitor: MakeVisitor, make_openid: MakeClient, person: Any
) -> None:
    client = make_openid()
    browsers = [visitor, make_visitor()]
    tokens = [
        exchange(app, client, sign_in_and_allow(browser, client, person)).json()["access_token"] for browser in browsers
    ]

    answers = [app.get("/o/userinfo", headers={"Authorization": f"Bearer {token}"}) for token in tokens]

    assert client.supersede == "default"
    assert [answer.status_code for answer in answers] == [200, 200]
