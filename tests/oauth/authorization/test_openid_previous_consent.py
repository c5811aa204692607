"""Plain OpenID Connect: what was allowed before, and what ends it."""

from typing import Any
from urllib.parse import urlencode

import pytest

from oauth.models import AccessToken, Authorization, Client, Code
from tests.conftest import BASE, SECRET, App, basic
from tests.fixture_types import Grant, Issue, MakeClient
from tests.oauth.authorization.openid_client import SCOPE, ask, exchange, sign_in_and_allow, userinfo
from tests.oauth.jwt import payload
from tests.oauth.visitor import FORM, Visitor, hidden_fields, redirect_query

# Remembered ---------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("AZ-22", "AZ-23", "E32")
def test_what_was_allowed_is_not_asked_again_although_no_token_lives(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any
) -> None:
    client = make_openid()
    told = exchange(app, client, sign_in_and_allow(visitor, client, person)).json()
    AccessToken.objects.filter(authorization__client=client).update(expires_at=1)

    quiet = ask(visitor, client, prompt="none", id_token_hint=told["id_token"], state="s")

    assert redirect_query(quiet).keys() == {"code", "state", "iss"}
    assert exchange(app, client, redirect_query(quiet)["code"]).json()["scope"] == SCOPE


@pytest.mark.requirement("E32", "AZ-23")
@pytest.mark.parametrize("scope", ["openid offline_access", "openid profile email offline_access"])
def test_more_than_was_allowed_is_asked(visitor: Visitor, make_openid: MakeClient, person: Any, scope: str) -> None:
    client = make_openid()
    sign_in_and_allow(visitor, client, person)

    assert redirect_query(ask(visitor, client, prompt="none", scope=scope))["error"] == "consent_required"
    assert ask(visitor, client, scope=scope).url.path.endswith("/consent")


@pytest.mark.requirement("E32", "AZ-14")
def test_an_app_that_always_asks_is_allowed_only_now_and_remembered_nowhere(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any
) -> None:
    client = make_openid(name="Staff Canteen", always_asks_consent=True)
    first = visitor.sign_in(ask(visitor, client), person)
    told = exchange(app, client, redirect_query(visitor.allow(first))["code"]).json()
    with_token = visitor.request("GET", "/apps").text
    AccessToken.objects.filter(authorization__client=client).update(expires_at=1)

    again, quiet = ask(visitor, client), ask(visitor, client, prompt="none", id_token_hint=told["id_token"])

    assert again.url.path.endswith("/consent")
    assert redirect_query(quiet)["error"] == "consent_required"
    for page in (first, again):
        assert ("Only now" in page.text, "I am not asked again" in page.text) == (True, False)
        assert "Your name, your user name and your language" in page.text
    assert ("Staff Canteen" in with_token, "if you do not use it before" in with_token) == (True, False)
    assert "No app can use your records." in visitor.request("GET", "/apps").text


@pytest.mark.requirement("E32", "AZ-23")
def test_what_the_person_took_back_is_asked_again(visitor: Visitor, make_openid: MakeClient, person: Any) -> None:
    client = make_openid()
    sign_in_and_allow(visitor, client, person)
    assert "code" in redirect_query(ask(visitor, client, prompt="none"))
    page = visitor.request("GET", "/apps")
    number = str(Authorization.objects.filter(client=client).latest("pk"))

    taken_back = visitor.request("POST", f"/apps/{number}/end", content=urlencode(hidden_fields(page)), headers=FORM)

    assert taken_back.status_code == 303
    assert redirect_query(ask(visitor, client, prompt="none"))["error"] == "consent_required"


@pytest.mark.requirement("AZ-23", "RV-05")
def test_the_page_of_connected_apps_lists_it_once_as_long_as_it_is_remembered(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any
) -> None:
    client = make_openid(name="Staff Canteen")
    exchange(app, client, sign_in_and_allow(visitor, client, person))
    for _ in range(2):
        exchange(app, client, redirect_query(ask(visitor, client))["code"])
    AccessToken.objects.filter(authorization__client=client).update(expires_at=1)

    page = visitor.request("GET", "/apps")

    assert page.text.count("Take back access<span") == 1
    assert "Staff Canteen" in page.text
    assert "your name, your user name and your language" in page.text


@pytest.mark.requirement("AZ-23", "E32")
def test_who_stays_away_too_long_is_asked_again(
    visitor: Visitor, make_openid: MakeClient, person: Any, settings: Any
) -> None:
    client = make_openid()
    sign_in_and_allow(visitor, client, person)
    long_ago = settings.SMARTAUTH_REFRESH_IDLE_SECONDS * 1_000_000
    Code.objects.filter(authorization__client=client).update(expires_at=1)
    newest = Authorization.objects.get(client=client)
    Authorization.objects.filter(pk=newest.pk).update(granted_at=newest.granted_at - long_ago)

    assert redirect_query(ask(visitor, client, prompt="none"))["error"] == "consent_required"
    page = visitor.request("GET", "/apps")
    assert (page.status_code, "<h1>Connected apps</h1>" in page.text) == (200, True)
    assert "Take back access<span" not in page.text.replace("\n", "")


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
    sign_in_and_allow(visitor, client, person)

    assert redirect_query(ask(visitor, client, prompt="none", **changes))["error"] == error


@pytest.mark.requirement("AZ-22")
@pytest.mark.parametrize("hint", ["username", "email"])
def test_a_login_hint_may_be_the_name_or_the_address(
    visitor: Visitor, make_openid: MakeClient, person: Any, hint: str
) -> None:
    client = make_openid()
    sign_in_and_allow(visitor, client, person)

    assert "code" in redirect_query(ask(visitor, client, prompt="none", login_hint=getattr(person, hint)))


@pytest.mark.requirement("AZ-22", "ID-01")
@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "0"}], ids=str)
def test_a_new_login_is_told_by_auth_time(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any, changes: dict[str, str]
) -> None:
    from accounts.models import SignIn

    client = make_openid()
    first = exchange(app, client, sign_in_and_allow(visitor, client, person)).json()
    SignIn.objects.filter(user=person).update(created_at=1_000_000)

    again = exchange(app, client, sign_in_and_allow(visitor, client, person, **changes)).json()

    assert payload(again["id_token"])["auth_time"] >= payload(first["id_token"])["auth_time"]


# What ends it -------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("RF-11")
@pytest.mark.parametrize("profile", ["openid", "smart"])
def test_a_client_that_is_no_longer_of_that_profile_refreshes_nothing(
    app: App, visitor: Visitor, make_openid: MakeClient, person: Any, profile: str
) -> None:
    client = make_openid()
    told = exchange(app, client, sign_in_and_allow(visitor, client, person, scope="openid offline_access")).json()
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
def test_a_token_that_names_the_persons_fhir_identity_tells_nothing_more_once_the_client_is_plain(
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
    code = sign_in_and_allow(visitor, client, person)
    told = exchange(app, client, code).json()

    again = exchange(app, client, code)

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    dead = app.get("/o/userinfo", headers={"Authorization": f"Bearer {told['access_token']}"})
    assert dead.status_code == 401
