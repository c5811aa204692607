"""A refresh token that moves to another address (section 14): written down, or refused where the policy says so."""

from typing import Any

import pytest

from oauth.models import AddressBlock
from tests.conftest import SECRET, App, MakeClient, basic

SCOPE = "launch/patient patient/*.rs offline_access"
ELSEWHERE = {"X-Forwarded-For": "198.51.100.9"}


@pytest.fixture
def behind_a_proxy(settings: Any) -> None:
    """So that a test can say where it comes from."""
    settings.SMARTAUTH_TRUSTED_PROXIES = 1


@pytest.fixture
def launched(issue: Any, make_client: MakeClient, behind_a_proxy: None) -> Any:
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
    app: App, launched: Any, introspect: Any, events: Any
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
    app: App, launched: Any, events: Any, policy: str, flagged: int
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
def test_a_refused_refresh_asks_for_a_login_before_the_app_gets_the_next_token(app: App, launched: Any) -> None:
    answer = launched("block")
    client, person = answer["granted"].client, answer["granted"].person

    refresh(app, answer, answer["refresh_token"], **ELSEWHERE)

    block = AddressBlock.objects.get(user=person, client=client)
    assert block.address == "198.51.100.9"


@pytest.mark.requirement("E93", "PR-06")
def test_under_end_a_refresh_from_another_address_ends_everything(
    app: App, launched: Any, introspect: Any, events: Any
) -> None:
    answer = launched("end")

    moved = refresh(app, answer, answer["refresh_token"], **ELSEWHERE)

    assert (moved.status_code, moved.json()["error"]) == (400, "invalid_grant")
    assert introspect(answer["access_token"]) == {"active": False}
    assert refresh(app, answer, answer["refresh_token"]).status_code == 400
    authorization = answer["granted"].authorization
    authorization.refresh_from_db()
    assert authorization.ended_for == "address-changed"
    assert len(events("authorization-ended", authorization=str(authorization))) == 1


@pytest.mark.requirement("PR-06")
def test_under_flag_many_refreshes_from_one_address_are_one_event_with_both_addresses(
    app: App, launched: Any, events: Any
) -> None:
    answer = launched("flag")
    token = answer["refresh_token"]

    for _ in range(3):
        token = refresh(app, answer, token, **ELSEWHERE).json()["refresh_token"]

    (event,) = events("address-changed", client=answer["granted"].client.client_id)
    assert (event.address, "from 192.0.2.7" in event.reason) == ("198.51.100.9", True)
    assert not AddressBlock.objects.filter(client=answer["granted"].client).exists()
