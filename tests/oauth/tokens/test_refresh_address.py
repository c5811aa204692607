"""A refresh token that moves to another address (PR-03): written down, or refused where the policy says so."""

from typing import Any

import pytest

from accounts import clock
from accounts.models import User
from oauth.models import AddressBlock, Authorization, RefreshToken
from smart.http.addresses import PrefixLengths
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Events, Grant, Introspect, Issue, MakeClient
from tests.oauth.visitor import Visitor

SCOPE = "launch/patient patient/*.rs offline_access"
ELSEWHERE = {"X-Forwarded-For": "198.51.100.9"}


@pytest.fixture
def behind_a_proxy(settings: Any) -> None:
    """So that a test can say where it comes from."""
    settings.SMARTAUTH_TRUSTED_PROXIES = 1


@pytest.fixture
def launched(issue: Issue, make_client: MakeClient, behind_a_proxy: None) -> Any:
    """A token answer of a confidential app with the policy named, exchanged at the test's usual address."""

    def launch(policy: str) -> dict[str, Any]:
        grants = "authorization_code refresh_token"
        client = make_client("secret", grants=grants, scope=SCOPE, address_policy=policy)
        answer: dict[str, Any] = issue(client, scope=SCOPE)
        return answer

    return launch


def refresh(app: App, answer: dict[str, Any], token: str, **headers: str) -> Any:
    client = answer["granted"].client
    return app.post(
        "/o/token",
        data={"grant_type": "refresh_token", "refresh_token": token},
        headers={**basic(client.client_id, SECRET), **headers},
    )


@pytest.mark.requirement("E93", "PR-06")
def test_under_block_a_refresh_from_another_address_is_refused_and_the_first_goes_on(
    app: App, launched: Any, introspect: Introspect, events: Events
) -> None:
    answer = launched("block")

    moved = refresh(app, answer, answer["refresh_token"], **ELSEWHERE)

    assert (moved.status_code, moved.json()["error"]) == (400, "invalid_grant")
    assert (moved.headers["cache-control"], moved.headers["pragma"]) == ("no-store", "no-cache")
    assert introspect(answer["access_token"])["active"] is True
    (event,) = events("address-changed", client=answer["granted"].client.client_id)
    assert event.address == "198.51.100.9"
    answer["granted"].authorization.refresh_from_db()
    assert answer["granted"].authorization.flagged_at > 0
    assert refresh(app, answer, answer["refresh_token"]).status_code == 200


@pytest.mark.requirement("PR-03", "PR-06")
@pytest.mark.parametrize(("policy", "flagged"), [("flag", 1), ("off", 1)])
def test_without_block_it_works_and_the_stricter_policy_writes_it_down(
    app: App, launched: Any, events: Events, policy: str, flagged: int
) -> None:
    answer = launched(policy)

    moved = refresh(app, answer, answer["refresh_token"], **ELSEWHERE)

    assert moved.status_code == 200
    assert len(events("address-changed", client=answer["granted"].client.client_id)) == flagged


@pytest.mark.requirement("PR-04")
def test_every_refresh_is_compared_with_the_address_of_the_exchange(app: App, launched: Any) -> None:
    answer = launched("block")
    second = refresh(app, answer, answer["refresh_token"]).json()

    assert refresh(app, answer, second["refresh_token"], **ELSEWHERE).status_code == 400
    assert refresh(app, answer, second["refresh_token"]).status_code == 200


@pytest.mark.requirement("PR-05")
def test_a_header_that_no_proxy_of_ours_wrote_moves_nothing(app: App, launched: Any, settings: Any) -> None:
    answer = launched("block")
    settings.SMARTAUTH_TRUSTED_PROXIES = 0

    assert refresh(app, answer, answer["refresh_token"], **ELSEWHERE).status_code == 200


@pytest.mark.requirement("E93", "SD-06")
def test_a_refused_refresh_asks_for_a_login_before_the_app_gets_the_next_token(
    app: App, visitor: Visitor, launched: Any
) -> None:
    answer = launched("block")
    client, person = answer["granted"].client, answer["granted"].person
    visitor.reach_consent(client, person, prompt="consent")
    signed_in = visitor.follow(visitor.ask(client, prompt="consent"))

    moved = refresh(app, answer, answer["refresh_token"], **ELSEWHERE)
    page = visitor.follow(visitor.ask(client, prompt="consent"))

    assert signed_in.url.path.endswith("/consent")
    assert (moved.status_code, moved.json()["error"]) == (400, "invalid_grant")
    assert page.url.path.endswith("/login")
    assert "Please enter your password again" in page.text
    assert visitor.sign_in(page, person).url.path.endswith("/consent")
    block = AddressBlock.objects.get(user=person, client=client)
    assert block.address == "198.51.100.9"


@pytest.mark.requirement("E93", "PR-06")
def test_under_end_a_refresh_from_another_address_ends_everything(
    app: App, launched: Any, introspect: Introspect, events: Events
) -> None:
    answer = launched("end")

    moved = refresh(app, answer, answer["refresh_token"], **ELSEWHERE)

    assert (moved.status_code, moved.json()["error"]) == (400, "invalid_grant")
    assert introspect(answer["access_token"]) == {"active": False}
    assert refresh(app, answer, answer["refresh_token"]).status_code == 400
    authorization = answer["granted"].authorization
    authorization.refresh_from_db()
    assert authorization.ended_for == "address-changed"
    (event,) = events("authorization-ended", authorization=str(authorization))
    assert event.address == "198.51.100.9"


@pytest.mark.requirement("PR-04")
def test_under_block_an_address_is_as_wide_as_the_setting_says(app: App, launched: Any, settings: Any) -> None:
    settings.SMARTAUTH_ADDRESS_PREFIXES = PrefixLengths(ipv4=24)
    answer = launched("block")

    moved = refresh(app, answer, answer["refresh_token"], **{"X-Forwarded-For": "192.0.2.200"})

    assert moved.status_code == 200


@pytest.mark.requirement("PR-06")
def test_under_flag_many_refreshes_from_one_address_are_one_event_with_both_addresses(
    app: App, launched: Any, events: Events
) -> None:
    answer = launched("flag")
    token = answer["refresh_token"]

    for _ in range(3):
        token = refresh(app, answer, token, **ELSEWHERE).json()["refresh_token"]

    (event,) = events("address-changed", client=answer["granted"].client.client_id)
    assert (event.address, event.token) == ("198.51.100.9", "")
    assert "from 192.0.2.7" in event.reason
    assert not AddressBlock.objects.filter(client=answer["granted"].client).exists()


@pytest.mark.parametrize(
    ("dead", "reason"),
    [
        ("ended", "the authorization has ended"),
        ("expired", "it has expired"),
        ("superseded", "a newer launch ended it"),
        ("ended with its person", "the person's access has ended"),
    ],
)
def test_a_refresh_token_that_is_dead_asks_nobody_for_a_login_wherever_it_comes_from(
    app: App, launched: Any, grant: Grant, events: Events, dead: str, reason: str
) -> None:
    answer = launched("block")
    granted = answer["granted"]
    _killed(app, granted, grant, dead)

    moved = refresh(app, answer, answer["refresh_token"], **ELSEWHERE)

    assert (moved.status_code, moved.json()["error"]) == (400, "invalid_grant")
    assert not AddressBlock.objects.filter(client=granted.client).exists()
    assert events("address-changed", client=granted.client.client_id) == []
    assert [event.reason for event in events("refresh-refused", client=granted.client.client_id)] == [reason]


def _killed(app: App, granted: Any, grant: Grant, dead: str) -> None:
    if dead == "ended":
        Authorization.objects.filter(pk=granted.authorization.pk).end("person", now=clock.now())
    elif dead == "expired":
        RefreshToken.objects.filter(authorization=granted.authorization).update(expires_at=clock.now())
    elif dead == "superseded":
        later = grant(granted.client, granted.person, scope=SCOPE)
        headers = basic(granted.client.client_id, SECRET)
        assert app.post("/o/token", data=later.exchange(), headers=headers).status_code == 200
    else:
        User.objects.get_queryset().filter(pk=granted.person.pk).advance_epoch()


@pytest.mark.requirement("E93", "PR-06")
def test_within_the_grace_window_the_answer_is_not_repeated_to_another_address(
    app: App, launched: Any, settings: Any, events: Events
) -> None:
    settings.SMARTAUTH_REFRESH_GRACE_SECONDS = 30
    answer = launched("block")
    given = refresh(app, answer, answer["refresh_token"])

    moved = refresh(app, answer, answer["refresh_token"], **ELSEWHERE)

    assert (moved.status_code, moved.json()["error"]) == (400, "invalid_grant")
    assert (moved.headers["cache-control"], moved.headers["pragma"]) == ("no-store", "no-cache")
    (event,) = events("address-changed", client=answer["granted"].client.client_id)
    assert event.address == "198.51.100.9"
    assert AddressBlock.objects.filter(client=answer["granted"].client).exists()
    (refused,) = events("refresh-refused", client=answer["granted"].client.client_id)
    assert (refused.reason, refused.address) == ("it came from another address", "198.51.100.9")
    assert refresh(app, answer, answer["refresh_token"]).json() == given.json()


@pytest.mark.requirement("E93")
def test_a_scope_that_is_refused_does_not_hide_where_it_came_from(app: App, launched: Any, events: Events) -> None:
    answer = launched("block")
    client = answer["granted"].client
    form = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"], "scope": "patient/*.cruds"}

    moved = app.post("/o/token", data=form, headers={**basic(client.client_id, SECRET), **ELSEWHERE})

    assert (moved.status_code, moved.json()["error"]) == (400, "invalid_grant")
    assert len(events("address-changed", client=client.client_id)) == 1
