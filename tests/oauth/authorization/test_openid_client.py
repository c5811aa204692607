"""Plain OpenID Connect: an app that knows nothing of FHIR (issue 6, 7), beside which SMART apps stay strict."""

from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from accounts.models import User
from oauth.models import AccessToken, Authorization, Client, Code, FhirServer, PendingRequest
from tests.conftest import BASE, CHALLENGE, SECRET, VERIFIER, App, basic
from tests.fixture_types import Grant, Introspect, Issue, MakeClient, MakePerson
from tests.oauth.jwt import payload, verified
from tests.oauth.remembering import HTTPS
from tests.oauth.visitor import FORM, Visitor, answer, hidden, line, ticked

ISSUER = "http://127.0.0.1:8000"
SCOPE = "openid profile email"


@pytest.fixture
def make_openid(make_client: MakeClient) -> MakeClient:
    """A client of plain OpenID Connect; it may ask everything that there is for such a one."""

    def make(authentication: str = "secret", **fields: Any) -> Any:
        known = {
            "profile": "openid", "scope": "openid profile email offline_access", "redirect_uris": HTTPS,
            "grants": "authorization_code refresh_token",
        }  # fmt: skip
        client = make_client(authentication, **{**known, **fields})
        client.fhir_servers.clear()
        return client

    return make


@pytest.fixture
def person(make_person: MakePerson) -> Any:
    """Somebody with an address that is vouched for."""
    found = make_person("amy")
    User.objects.filter(pk=found.pk).update(email=f"{found.username}@example.org", email_verified=1)
    found.refresh_from_db()
    return found


def ask(visitor: Visitor, client: Any, **changes: Any) -> httpx.Response:
    """What OpenID Connect demands of a request, and nothing else."""
    good = {"response_type": "code", "client_id": client.client_id, "redirect_uri": HTTPS, "scope": SCOPE}
    query = urlencode({name: value for name, value in {**good, **changes}.items() if value is not None}, doseq=True)
    return visitor.follow(visitor.request("GET", f"/o/authorize?{query}"))


def signed_in(visitor: Visitor, client: Any, person: Any, **changes: Any) -> str:
    """The code that the app gets when the person signs in and allows everything."""
    page = visitor.sign_in(ask(visitor, client, **changes), person)
    return answer(visitor.allow(page) if page.status_code == 200 else page)["code"]


def exchange(app: App, client: Any, code: str, *, in_body: bool = False, **more: str) -> httpx.Response:
    secret = {"client_id": client.client_id, "client_secret": SECRET}
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": HTTPS, **(secret if in_body else {})}
    return app.post("/o/token", data={**form, **more}, headers={} if in_body else basic(client.client_id, SECRET))


def userinfo(app: App, told: dict[str, Any]) -> dict[str, Any]:
    response = app.get("/o/userinfo", headers={"Authorization": f"Bearer {told['access_token']}"})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


@pytest.mark.requirement("ID-01", "ID-05")
def test_a_person_signs_in_and_the_app_hears_who_he_is(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any
) -> None:
    client = make_openid()

    told = exchange(app, client, signed_in(visitor, client, person, nonce="n-7")).json()

    claims = verified(app, told["id_token"])
    assert (claims["iss"], claims["sub"], claims["aud"]) == (ISSUER, person.subject, client.client_id)
    assert (claims["nonce"], told["scope"]) == ("n-7", SCOPE)
    assert claims.keys() == {"iss", "sub", "aud", "iat", "exp", "nonce", "auth_time"}
    assert userinfo(app, told) == {
        "sub": person.subject, "name": person.name, "preferred_username": person.username, "email": person.email,
        "email_verified": True,
    }  # fmt: skip


@pytest.mark.requirement("ID-05")
@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("openid", {"sub"}),
        ("openid profile", {"sub", "name", "preferred_username"}),
        ("openid email", {"sub", "email", "email_verified"}),
    ],
)
def test_only_what_was_asked_and_allowed_is_told(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any, scope: str, names: set[str]
) -> None:
    client = make_openid()

    told = exchange(app, client, signed_in(visitor, client, person, scope=scope)).json()

    assert told["scope"] == scope
    assert userinfo(app, told).keys() == names


@pytest.mark.requirement("ID-05")
def test_an_address_that_nobody_vouches_for_is_told_as_such_and_a_missing_one_not_at_all(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any
) -> None:
    client = make_openid()
    told = exchange(app, client, signed_in(visitor, client, person)).json()

    User.objects.filter(pk=person.pk).update(email_verified=0)
    assert userinfo(app, told)["email_verified"] is False
    User.objects.filter(pk=person.pk).update(email="", name="")
    assert userinfo(app, told).keys() == {"sub", "preferred_username"}


@pytest.mark.requirement("AZ-14")
def test_the_person_may_leave_out_his_address(app: App, visitor: Visitor, make_openid: MakeClient, person: Any) -> None:
    client = make_openid()
    page = visitor.sign_in(ask(visitor, client), person)
    left = [number for number in ticked(page) if number != line(page, "Your email address")]

    told = exchange(app, client, answer(visitor.allow(page, ask=left))["code"]).json()

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

    told = exchange(app, client, signed_in(visitor, client, person, scope=wide, **changes)).json()

    assert told["scope"] == "openid"
    assert "patient" not in told
    assert payload(told["access_token"])["aud"] == f"{ISSUER}/o/userinfo"
    assert "fhirUser" not in payload(told["id_token"])


@pytest.mark.requirement("IN-06", "AT-03")
def test_no_resource_server_hears_of_its_token(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any, introspect: Introspect
) -> None:
    client = make_openid()
    told = exchange(app, client, signed_in(visitor, client, person)).json()

    assert introspect(told["access_token"]) == {"active": False}
    assert userinfo(app, told)["sub"] == person.subject


@pytest.mark.requirement("E16")
@pytest.mark.parametrize("scope", ["profile email", "patient/*.rs", "offline_access", "address"])
def test_without_openid_there_is_nothing_to_grant(visitor: Visitor, make_openid: MakeClient, scope: str) -> None:
    client = make_openid()

    told = answer(ask(visitor, client, scope=scope, state="s"))

    assert (told["error"], told["state"]) == ("invalid_scope", "s")
    assert PendingRequest.objects.filter(client=client).count() == 0


def test_what_is_no_fhir_server_is_shown_and_used_as_none(app: App, fhir_server: Any) -> None:
    row = FhirServer.userinfo()

    assert FhirServer.userinfo() == row
    assert row not in FhirServer.objects.all()
    assert app.get(f"/o/smart-configuration?{urlencode({'aud': row.base})}").status_code == 404


# Looser -------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("AZ-22", "AZ-03")
def test_what_it_does_not_know_is_ignored(app: App, visitor: Visitor, make_openid: MakeClient, person: Any) -> None:
    client = make_openid()
    unknown = {
        "display": "page", "claims_locales": "de", "ui_locales": "de-CH fr", "acr_values": "1 2", "claims": "{}",
        "extra": "x", "launch": "nobody's",
    }  # fmt: skip

    code = signed_in(visitor, client, person, scope="openid address phone", **unknown)

    assert exchange(app, client, code).json()["scope"] == "openid"


@pytest.mark.requirement("E34")
@pytest.mark.parametrize(
    ("parameter", "error"),
    [("request", "request_not_supported"), ("request_uri", "request_uri_not_supported"),
     ("registration", "registration_not_supported")],
)  # fmt: skip
def test_a_request_object_is_refused(visitor: Visitor, make_openid: MakeClient, parameter: str, error: str) -> None:
    told = answer(ask(visitor, make_openid(), state="s", **{parameter: "eyJhbGciOiJub25lIn0.e30."}))

    assert (told["error"], told["state"], told["iss"]) == (error, "s", ISSUER)


@pytest.mark.requirement("AZ-02")
def test_a_post_at_authorize_means_the_same(app: App, visitor: Visitor, make_openid: MakeClient, person: Any) -> None:
    client = make_openid()
    form = {"response_type": "code", "client_id": client.client_id, "redirect_uri": HTTPS, "scope": SCOPE}
    first = visitor.request("POST", "/o/authorize", content=urlencode(form), headers=FORM)

    page = visitor.sign_in(visitor.follow(first), person)

    assert exchange(app, client, answer(visitor.allow(page))["code"]).json()["scope"] == SCOPE


@pytest.mark.requirement("CL-02")
@pytest.mark.parametrize("in_body", [True, False], ids=["client_secret_post", "client_secret_basic"])
def test_its_secret_may_come_either_way(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any, in_body: bool
) -> None:
    client = make_openid()
    code = signed_in(visitor, client, person, scope="openid offline_access")

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
    code = signed_in(visitor, client, person)

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
    code = signed_in(visitor, client, person, **key)

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
    code = signed_in(visitor, client, person)

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
    assert answer(ask(visitor, make_openid(), **key))["error"] == "invalid_request"


@pytest.mark.requirement("AZ-07", "E21")
def test_an_app_without_a_secret_needs_its_proof_key(visitor: Visitor, make_openid: MakeClient) -> None:
    client = make_openid("none")

    assert answer(ask(visitor, client))["error"] == "invalid_request"
    assert ask(visitor, client, code_challenge=CHALLENGE, code_challenge_method="S256").url.path.endswith("/login")


@pytest.mark.requirement("AZ-03", "AZ-07", "E12")
@pytest.mark.parametrize("left_out", ["state", "code_challenge", "aud"])
def test_smart_apps_stay_strict(visitor: Visitor, make_client: MakeClient, left_out: str) -> None:
    client = make_client("secret", scope="openid patient/*.rs")

    assert answer(visitor.ask(client, scope="openid patient/*.rs", **{left_out: None}))["error"] == "invalid_request"


@pytest.mark.requirement("CL-02", "CG-01")
def test_smart_apps_send_verifier_and_basic(app: App, grant: Grant, make_client: MakeClient) -> None:
    made = grant(make_client("secret"))
    secret = {"client_id": made.client.client_id, "client_secret": SECRET}

    without = app.post("/o/token", data=made.exchange(code_verifier=None), headers=basic(made.client.client_id, SECRET))
    in_body = app.post("/o/token", data=made.exchange(**secret))

    assert (without.status_code, without.json()["error"]) == (400, "invalid_request")
    assert (in_body.status_code, in_body.json()["error"]) == (401, "invalid_client")


# Remembered ---------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("AZ-22", "AZ-23", "E32")
def test_what_was_allowed_is_not_asked_again_although_no_token_lives(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any
) -> None:
    client = make_openid()
    told = exchange(app, client, signed_in(visitor, client, person)).json()
    AccessToken.objects.filter(authorization__client=client).update(expires_at=1)

    quiet = ask(visitor, client, prompt="none", id_token_hint=told["id_token"], state="s")

    assert answer(quiet).keys() == {"code", "state", "iss"}
    assert exchange(app, client, answer(quiet)["code"]).json()["scope"] == SCOPE


@pytest.mark.requirement("E32", "AZ-23")
@pytest.mark.parametrize("scope", ["openid offline_access", "openid profile email offline_access"])
def test_more_than_was_allowed_is_asked(visitor: Visitor, make_openid: MakeClient, person: Any, scope: str) -> None:
    client = make_openid()
    signed_in(visitor, client, person)

    assert answer(ask(visitor, client, prompt="none", scope=scope))["error"] == "consent_required"
    assert ask(visitor, client, scope=scope).url.path.endswith("/consent")


@pytest.mark.requirement("E32", "AZ-23")
def test_what_the_person_took_back_is_asked_again(visitor: Visitor, make_openid: MakeClient, person: Any) -> None:
    client = make_openid()
    signed_in(visitor, client, person)
    assert "code" in answer(ask(visitor, client, prompt="none"))
    page = visitor.request("GET", "/apps")
    number = str(Authorization.objects.filter(client=client).latest("pk"))

    taken_back = visitor.request("POST", f"/apps/{number}/end", content=urlencode(hidden(page)), headers=FORM)

    assert taken_back.status_code == 303
    assert answer(ask(visitor, client, prompt="none"))["error"] == "consent_required"


@pytest.mark.requirement("AZ-23", "RV-05")
def test_the_page_of_connected_apps_lists_it_once_as_long_as_it_is_remembered(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any
) -> None:
    client = make_openid(name="Staff Canteen")
    exchange(app, client, signed_in(visitor, client, person))
    for _ in range(2):
        exchange(app, client, answer(ask(visitor, client))["code"])
    AccessToken.objects.filter(authorization__client=client).update(expires_at=1)

    page = visitor.request("GET", "/apps")

    assert page.text.count("Take back access<span") == 1
    assert "Staff Canteen" in page.text
    assert "your name and your user name" in page.text


@pytest.mark.requirement("AZ-23", "E32")
def test_who_stays_away_too_long_is_asked_again(
    visitor: Visitor, make_openid: MakeClient, person: Any, settings: Any
) -> None:
    client = make_openid()
    signed_in(visitor, client, person)
    long_ago = settings.SMARTAUTH_REFRESH_IDLE_SECONDS * 1_000_000
    Code.objects.filter(authorization__client=client).update(expires_at=1)
    newest = Authorization.objects.get(client=client)
    Authorization.objects.filter(pk=newest.pk).update(granted_at=newest.granted_at - long_ago)

    assert answer(ask(visitor, client, prompt="none"))["error"] == "consent_required"
    assert "Take back access<span" not in visitor.request("GET", "/apps").text.replace("\n", "")


@pytest.mark.requirement("AZ-22", "E32")
@pytest.mark.parametrize(
    ("changes", "error"),
    [({"login_hint": "somebody-else"}, "account_selection_required"), ({"max_age": "0"}, "login_required")],
    ids=str,
)
def test_a_quiet_request_that_cannot_be_answered_quietly_says_so(
    visitor: Visitor, make_openid: MakeClient, person: Any, changes: dict[str, str], error: str
) -> None:
    client = make_openid()
    signed_in(visitor, client, person)

    assert answer(ask(visitor, client, prompt="none", **changes))["error"] == error


@pytest.mark.requirement("AZ-22")
@pytest.mark.parametrize("hint", ["username", "email"])
def test_a_login_hint_may_be_the_name_or_the_address(
    visitor: Visitor, make_openid: MakeClient, person: Any, hint: str
) -> None:
    client = make_openid()
    signed_in(visitor, client, person)

    assert "code" in answer(ask(visitor, client, prompt="none", login_hint=getattr(person, hint)))


@pytest.mark.requirement("AZ-22", "ID-01")
@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "0"}], ids=str)
def test_a_new_login_is_told_by_auth_time(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any, changes: dict[str, str]
) -> None:
    from accounts.models import SignIn

    client = make_openid()
    first = exchange(app, client, signed_in(visitor, client, person)).json()
    SignIn.objects.filter(user=person).update(created_at=1_000_000)

    again = exchange(app, client, signed_in(visitor, client, person, **changes)).json()

    assert payload(again["id_token"])["auth_time"] >= payload(first["id_token"])["auth_time"]


# What ends it -------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("RF-11")
@pytest.mark.parametrize("profile", ["openid", "smart"])
def test_a_client_that_is_no_longer_of_that_profile_refreshes_nothing(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any, profile: str
) -> None:
    client = make_openid()
    told = exchange(app, client, signed_in(visitor, client, person, scope="openid offline_access")).json()
    Client.objects.filter(pk=client.pk).update(profile=profile)

    form = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    response = app.post("/o/token", data=form, headers=basic(client.client_id, SECRET))

    assert response.status_code == (200 if profile == "openid" else 400)


@pytest.mark.requirement("RF-11", "AT-03")
def test_a_code_for_records_is_worth_nothing_once_the_client_is_plain(
    app: App, grant: Grant, make_client: MakeClient
) -> None:
    granted = grant(client=make_client("secret"))
    Client.objects.filter(pk=granted.client.pk).update(profile="openid")

    response = app.post("/o/token", data=granted.exchange(), headers=basic(granted.client.client_id, SECRET))

    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
    assert not AccessToken.objects.filter(authorization=granted.authorization).exists()


@pytest.mark.requirement("ID-05")
def test_a_token_that_names_who_he_is_at_a_fhir_server_tells_nothing_more_once_the_client_is_plain(
    app: App, issue: Issue, make_client: MakeClient
) -> None:
    scope = "openid profile patient/*.rs"
    told = issue(client=make_client("none", scope=scope), scope=scope)
    granted = told["granted"]
    Client.objects.filter(pk=granted.client.pk).update(profile="openid")

    assert userinfo(app, told) == {
        "sub": granted.person.subject,
        "fhirUser": f"{BASE}/{granted.person.identities.get().resource}",
    }


@pytest.mark.requirement("RF-11", "SCP-20")
def test_a_smart_app_that_becomes_plain_refreshes_no_fhir_scope(
    app: App, issue: Issue, make_client: MakeClient
) -> None:
    scope = "openid patient/*.rs offline_access"
    told = issue(make_client("secret", grants="authorization_code refresh_token", scope=scope), scope=scope)
    client = told["granted"].client
    Client.objects.filter(pk=client.pk).update(profile="openid")

    form = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    response = app.post("/o/token", data=form, headers=basic(client.client_id, SECRET))

    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


@pytest.mark.requirement("CG-04", "E77")
def test_a_code_used_twice_ends_what_it_bought(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any
) -> None:
    client = make_openid()
    code = signed_in(visitor, client, person)
    told = exchange(app, client, code).json()

    again = exchange(app, client, code)

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    dead = app.get("/o/userinfo", headers={"Authorization": f"Bearer {told['access_token']}"})
    assert dead.status_code == 401
