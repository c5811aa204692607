"""Refusals that resource servers report: what each event says, and whose access ends at which number."""

from typing import Any

import pytest

from accounts import clock
from oauth.ending.reported_refusals import record_refusals
from oauth.ending.selection import Actor
from oauth.models import AccessToken, Authorization, PendingRequest, RefusalCount, liveness
from smart.digests import sha256_hex
from tests.fixture_types import Events, Issue, MakeClient, MakePerson
from tests.oauth.visitor import Visitor


@pytest.fixture(autouse=True)
def limit(settings: Any) -> None:
    settings.SMARTAUTH_REFUSALS_LIMIT = 5
    settings.SMARTAUTH_REFUSALS_WINDOW_SECONDS = 300
    settings.SMARTAUTH_REFUSALS_LOCK = ""


def report(issued: dict[str, Any], number: int, status: int = 403) -> Authorization:
    """As a resource server reports it; the authorization as it is afterwards."""
    facts = AccessToken.objects.select_related(*liveness.TOKEN_FACTS)
    token = facts.get(digest=sha256_hex(issued["access_token"]))
    record_refusals(token, status, number, Actor(now=clock.now()))
    return Authorization.objects.get(pk=token.authorization_id)


@pytest.mark.requirement("HI-08")
@pytest.mark.parametrize(("number", "reason"), [(1, "answered 403"), (2, "answered 403, 2 times")])
def test_one_refusal_has_no_number_in_its_event(issue: Issue, events: Events, number: int, reason: str) -> None:
    issued = issue()

    report(issued, number)

    (event,) = events("request-refused", client=issued["granted"].client.client_id)
    assert event.reason == reason


@pytest.mark.requirement("SD-05")
@pytest.mark.parametrize(("limit", "ends"), [(0, False), (1, True), (2, False)])
def test_the_first_refusal_ends_the_access_where_one_is_too_many(
    issue: Issue, events: Events, settings: Any, limit: int, ends: bool
) -> None:
    settings.SMARTAUTH_REFUSALS_LIMIT = limit
    issued = issue()

    assert (report(issued, 1).ended_for == "refusals") is ends

    reached = events("refusals-reached", client=issued["granted"].client.client_id)
    assert [event.reason for event in reached] == ["1 refused"] * ends


@pytest.mark.requirement("SD-05")
def test_refusals_of_two_people_do_not_add_up(issue: Issue, make_person: MakePerson) -> None:
    of_amy = issue()
    of_ben = issue(of_amy["granted"].client, make_person("ben"), patient="ben")

    assert [report(of_amy, 4).ended_at, report(of_ben, 4).ended_at] == [0, 0]
    counts = RefusalCount.objects.filter(client=of_amy["granted"].client).values_list("count", flat=True)
    assert list(counts) == [4, 4]


@pytest.mark.requirement("SD-05", "SY-03")
def test_where_a_service_loses_its_access_a_request_that_waits_for_a_person_goes_on(
    make_client: MakeClient, visitor: Visitor, fhir_server: Any
) -> None:
    client = make_client("secret", grants="authorization_code client_credentials")
    visitor.follow(visitor.ask(client))
    row = Authorization.objects.create(
        client=client, fhir_server=fhir_server, scope="system/*.rs", client_epoch=0, fhir_server_epoch=fhir_server.epoch
    )
    now, token = clock.now(), f"of-{client.client_id}"
    life = {"issued_at": now, "expires_at": now + 10**9, "authorization_epoch": 0}
    AccessToken.objects.create(digest=sha256_hex(token), authorization=row, scope=row.scope, claims="{}", **life)

    assert report({"access_token": token}, 5).ended_for == "refusals"

    assert PendingRequest.objects.get(client=client).answered_at == 0


@pytest.mark.requirement("SD-05")
def test_where_the_person_must_sign_in_again_no_app_gets_an_answer_that_was_under_way(
    issue: Issue, make_client: MakeClient, visitor: Visitor, settings: Any
) -> None:
    settings.SMARTAUTH_REFUSALS_LOCK = "login"
    issued, other = issue(), make_client()
    visitor.reach_consent(other, issued["granted"].person)

    report(issued, 5)

    assert PendingRequest.objects.get(client=other).answered_at > 0
