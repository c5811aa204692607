"""UserInfo (OpenID Connect Core §5.3, E124 to E128): who has signed in, told to the app that may know it."""

from collections.abc import Callable

import httpx
import pytest

from accounts import clock
from oauth.models import AccessToken, Authorization, Client, FhirIdentity
from smart.digests import sha256_hex
from tests.conftest import BASE, App
from tests.explained import error_of
from tests.fixture_types import Issue
from tests.oauth.jwt import payload

USERINFO = "/o/userinfo"
SCOPE = "openid fhirUser patient/*.rs"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def assert_refused(response: httpx.Response, status: int, error: str) -> None:
    """One of the refusals of RFC 6750 §3.1, which tells nothing of anybody."""
    assert response.status_code == status, response.text
    assert response.json()["error"] == error
    assert response.headers["WWW-Authenticate"] == f'Bearer realm="smartauth", error="{error}"'
    assert response.headers["Cache-Control"] == "no-store"
    assert error_of(response).keys() == {"error", "error_description"}


@pytest.mark.requirement("ID-05")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_app_hears_the_person_that_its_id_token_named(app: App, issue: Issue, method: str) -> None:
    told = issue(scope=SCOPE)

    response = app.request(method, USERINFO, headers=bearer(told["access_token"]))

    claims = payload(told["id_token"])
    assert response.status_code == 200
    assert response.json() == {"sub": claims["sub"], "fhirUser": f"{BASE}/Patient/amy"}
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.requirement("ID-05", "SCP-16")
@pytest.mark.parametrize(
    ("scope", "told"), [("openid", {"sub"}), ("openid profile", {"sub", "fhirUser"})], ids=["openid", "profile"]
)
def test_only_what_was_granted_is_told(app: App, issue: Issue, scope: str, told: set[str]) -> None:
    response = app.get(USERINFO, headers=bearer(issue(scope=scope)["access_token"]))

    assert response.json().keys() == set(told)


@pytest.mark.requirement("ID-05")
def test_who_is_nobody_at_the_fhir_server_any_more_has_no_fhir_user(app: App, issue: Issue) -> None:
    told = issue(scope=SCOPE)
    FhirIdentity.objects.filter(user=told["granted"].person).delete()

    assert app.get(USERINFO, headers=bearer(told["access_token"])).json().keys() == {"sub"}


@pytest.mark.requirement("E124")
@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer "}, {"Authorization": ""}], ids=str
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_a_token_the_challenge_names_no_error(app: App, headers: dict[str, str], method: str) -> None:
    response = app.request(method, USERINFO, headers=headers)

    assert (response.status_code, response.content) == (401, b"")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="smartauth"'
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.requirement("ID-05")
def test_the_token_may_come_in_a_form_as_well(app: App, issue: Issue) -> None:
    token = issue(scope=SCOPE)["access_token"]

    in_form = app.post(USERINFO, data={"access_token": token})
    in_query = app.get(f"{USERINFO}?access_token={token}")

    assert in_form.json() == app.get(USERINFO, headers=bearer(token)).json()
    assert (in_query.status_code, in_query.content) == (401, b"")


@pytest.mark.requirement("ID-05")
def test_a_token_that_comes_twice_is_refused(app: App, issue: Issue) -> None:
    token = issue(scope=SCOPE)["access_token"]

    twice = app.post(USERINFO, content=f"access_token={token}&access_token={token}", headers=FORM)
    both = app.post(USERINFO, data={"access_token": token}, headers=bearer(token))

    for answer in (twice, both):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="smartauth", error="invalid_request"'


def _expired(token: str) -> None:
    AccessToken.objects.filter(digest=sha256_hex(token)).update(expires_at=clock.now() - 1)


def _revoked(token: str) -> None:
    AccessToken.objects.filter(digest=sha256_hex(token)).update(revoked_at=1)


def _ended(token: str) -> None:
    Authorization.objects.filter(access_tokens__digest=sha256_hex(token)).end("person", now=clock.now())


def _disabled(token: str) -> None:
    Client.objects.filter(authorizations__access_tokens__digest=sha256_hex(token)).disable()


@pytest.mark.requirement("E125")
@pytest.mark.parametrize("end", [_expired, _revoked, _ended, _disabled])
def test_a_dead_token_tells_nothing(app: App, issue: Issue, end: Callable[[str], None]) -> None:
    token = issue(scope=SCOPE)["access_token"]
    assert app.get(USERINFO, headers=bearer(token)).status_code == 200
    end(token)

    assert_refused(app.get(USERINFO, headers=bearer(token)), 401, "invalid_token")


@pytest.mark.requirement("E125")
def test_a_superseded_token_tells_nothing(app: App, issue: Issue) -> None:
    old = issue(scope=SCOPE)
    issue(old["granted"].client, old["granted"].person, scope=SCOPE)

    assert_refused(app.get(USERINFO, headers=bearer(old["access_token"])), 401, "invalid_token")


@pytest.mark.requirement("E125")
@pytest.mark.parametrize("garbage", ["garbage", "a.b.c", "x" * 5000])
def test_garbage_tells_nothing(app: App, garbage: str) -> None:
    assert_refused(app.get(USERINFO, headers=bearer(garbage)), 401, "invalid_token")


@pytest.mark.requirement("E125", "ID-07")
def test_an_id_token_tells_nothing(app: App, issue: Issue) -> None:
    assert_refused(app.get(USERINFO, headers=bearer(issue(scope=SCOPE)["id_token"])), 401, "invalid_token")


@pytest.mark.requirement("E126")
@pytest.mark.parametrize("scope", ["patient/*.rs", "fhirUser patient/*.rs"])
def test_a_token_without_openid_is_not_enough(app: App, issue: Issue, scope: str) -> None:
    assert_refused(app.get(USERINFO, headers=bearer(issue(scope=scope)["access_token"])), 403, "insufficient_scope")


@pytest.mark.requirement("E126")
def test_the_token_of_a_backend_service_is_not_enough(app: App, issue: Issue) -> None:
    told = issue(scope=SCOPE)
    Authorization.objects.filter(access_tokens__digest=sha256_hex(told["access_token"])).update(user=None)

    assert_refused(app.get(USERINFO, headers=bearer(told["access_token"])), 403, "insufficient_scope")


@pytest.mark.requirement("E127", "AT-05")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_in_the_url_is_not_looked_at(app: App, issue: Issue, method: str) -> None:
    token = issue(scope=SCOPE)["access_token"]

    response = app.request(method, f"{USERINFO}?access_token={token}")

    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, 'Bearer realm="smartauth"')


@pytest.mark.requirement("E128")
def test_two_ways_at_once_are_refused(app: App, issue: Issue) -> None:
    token = issue(scope=SCOPE)["access_token"]

    assert_refused(app.post(USERINFO, data={"access_token": token}, headers=bearer(token)), 400, "invalid_request")


@pytest.mark.requirement("E128")
@pytest.mark.parametrize("second", ["{token}, Bearer {token}", "{token} {token}", "{token}, Basic YTpi"])
def test_two_tokens_in_the_header_are_refused(app: App, issue: Issue, second: str) -> None:
    token = issue(scope=SCOPE)["access_token"]

    assert_refused(app.get(USERINFO, headers=bearer(second.format(token=token))), 400, "invalid_request")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_not_allowed(app: App, method: str) -> None:
    response = app.request(method, USERINFO)

    assert (response.status_code, response.headers["Allow"]) == (405, "GET, POST")
