"""What lives until a moment lives one microsecond before it, and is dead from it on (PR-08)."""

from typing import Any

import pytest

from oauth.clients.secrets import client_secret_digest
from oauth.models import AccessToken, Client, Code, RefreshToken
from smart.digests import sha256_hex
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Grant, Introspect, Issue, MakeClient, SetClock
from tests.oauth.tokens.refresh_client import SECOND, Refresh, tokens_of_refresh

BEFORE_AND_AT = pytest.mark.parametrize(("late", "lives"), [(-1, True), (0, False)], ids=["before", "at"])


@pytest.mark.requirement("PR-08", "AZ-17")
@BEFORE_AND_AT
def test_a_code_is_dead_from_its_last_moment_on(
    app: App, grant: Grant, set_clock: SetClock, late: int, lives: bool
) -> None:
    granted = grant()

    set_clock(Code.objects.get(digest=sha256_hex(granted.code)).expires_at + late)
    response = app.post("/o/token", data=granted.exchange())

    assert (response.status_code == 200) is lives
    assert lives or response.json()["error"] == "invalid_grant"


@pytest.mark.requirement("PR-08", "TV-05")
@BEFORE_AND_AT
def test_an_access_token_is_dead_from_its_last_moment_on(
    issue: Issue, introspect: Introspect, set_clock: SetClock, late: int, lives: bool
) -> None:
    token = issue()["access_token"]

    set_clock(AccessToken.objects.get(digest=sha256_hex(token)).expires_at + late)

    assert introspect(token)["active"] is lives


@pytest.mark.requirement("PR-08", "TV-05")
@BEFORE_AND_AT
def test_userinfo_answers_until_the_last_moment_of_a_token(
    app: App, issue: Issue, set_clock: SetClock, late: int, lives: bool
) -> None:
    token = issue(scope="openid fhirUser patient/*.rs")["access_token"]

    set_clock(AccessToken.objects.get(digest=sha256_hex(token)).expires_at + late)
    response = app.get("/o/userinfo", headers={"Authorization": f"Bearer {token}"})

    assert response.status_code == (200 if lives else 401)


@pytest.mark.requirement("PR-08")
@BEFORE_AND_AT
def test_a_refresh_token_is_dead_from_its_last_moment_on(
    launch: Issue, refresh: Refresh, set_clock: SetClock, late: int, lives: bool
) -> None:
    answer = launch()

    set_clock(RefreshToken.objects.get(digest=sha256_hex(answer["refresh_token"])).expires_at + late)
    response = refresh(answer)

    assert response.status_code == (200 if lives else 400)


@pytest.mark.requirement("PR-08", "RF-05")
@BEFORE_AND_AT
def test_a_refresh_may_be_repeated_until_the_last_moment_of_the_grace(
    launch: Issue, refresh: Refresh, set_clock: SetClock, settings: Any, late: int, lives: bool
) -> None:
    settings.SMARTAUTH_REFRESH_GRACE_SECONDS = 10
    answer = launch()
    tokens_of_refresh(answer, refresh(answer))
    consumed_at = RefreshToken.objects.get(digest=sha256_hex(answer["refresh_token"])).consumed_at

    set_clock(consumed_at + 10 * SECOND + late)

    assert refresh(answer).status_code == (200 if lives else 400)


@pytest.mark.requirement("PR-08", "CL-10")
@BEFORE_AND_AT
def test_an_old_secret_is_taken_until_its_last_moment(
    app: App, make_client: MakeClient, grant: Grant, set_clock: SetClock, late: int, lives: bool
) -> None:
    client = make_client("secret")
    granted = grant(client)
    until = Code.objects.get(digest=sha256_hex(granted.code)).issued_at + SECOND
    new = client_secret_digest(client.client_id, "another-secret")
    Client.objects.filter(pk=client.pk).update(
        secret_digest=new, old_secret_digest=client.secret_digest, old_secret_until=until
    )

    set_clock(until + late)
    response = app.post("/o/token", data=granted.exchange(), headers=basic(client.client_id, SECRET))

    assert response.status_code == (200 if lives else 401)
