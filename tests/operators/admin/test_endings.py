"""What an operator ends is dead at the next introspection; each ending is counted, asked and in the trail."""

from typing import Any

import pytest

from tests.fixture_types import Events, Grant, Introspect, Issue, MakeClient, MakePerson, MakeToken
from tests.operators.admin.conftest import Operator


def token_row(issued: dict[str, Any]) -> Any:
    from oauth.models import AccessToken

    return AccessToken.objects.get(authorization=issued["granted"].authorization)


def which(issued: dict[str, Any], table: str) -> Any:
    """The row of that table that a token belongs to."""
    granted = issued["granted"]
    return {
        "oauth/client": granted.client,
        "oauth/fhirserver": granted.authorization.fhir_server,
        "accounts/user": granted.person,
        "oauth/authorization": granted.authorization,
        "oauth/accesstoken": token_row(issued),
    }[table]


ENDINGS = [
    ("oauth/client", "end_access", "client-ended"),
    ("oauth/client", "disable", "client-disabled"),
    ("accounts/user", "suspend", "person-stopped"),
    ("accounts/user", "end_access", "person-ended"),
    ("oauth/authorization", "end", "authorization-ended"),
    ("oauth/accesstoken", "end", "revoked"),
    ("oauth/accesstoken", "end_authorizations", "authorization-ended"),
]


@pytest.mark.parametrize(
    ("table", "action", "kind"), ENDINGS, ids=[f"{table} {action}" for table, action, _ in ENDINGS]
)
@pytest.mark.requirement("RV-08", "RV-09")
def test_an_ending_asks_first_then_kills_the_token_and_is_recorded(
    operator: Operator, issue: Issue, introspect: Introspect, events: Events, table: str, action: str, kind: str
) -> None:
    issued = issue()
    row = which(issued, table)

    asked = operator.act(table, action, row)
    assert asked.status_code == 200
    assert "1 live token" in asked.content.decode()
    assert introspect(issued["access_token"])["active"] is True

    operator.confirm(table, action, row)
    assert introspect(issued["access_token"]) == {"active": False}
    assert [event.address for event in events(kind, operator=operator.user.subject)] == ["127.0.0.1"]


@pytest.mark.requirement("RV-08")
def test_ending_access_at_a_fhir_server_leaves_other_servers_alone(
    operator: Operator, issue: Issue, events: Events, other_fhir_server: Any, make_token: MakeToken,
    grant: Grant,
) -> None:  # fmt: skip
    from accounts import clock
    from oauth.models import AccessToken, liveness

    here, there = make_token(), make_token(grant(server=other_fhir_server))

    operator.confirm("oauth/fhirserver", "end_access", other_fhir_server)

    alive = liveness.live(AccessToken.objects.filter(pk__in=[here.pk, there.pk]), now=clock.now())
    assert [token.pk for token in alive] == [here.pk]
    assert len(events("fhir-server-ended", operator=operator.user.subject)) == 1


def test_a_refresh_token_ends_with_its_authorization(
    operator: Operator, issue: Issue, introspect: Introspect, events: Events
) -> None:
    from accounts import clock
    from oauth.models import RefreshToken

    issued = issue()
    refresh = RefreshToken.objects.create(
        digest=f"of {issued['granted'].code}", authorization=issued["granted"].authorization, authorization_epoch=0,
        issued_at=clock.now(), expires_at=clock.now() + 300_000_000,
    )  # fmt: skip

    operator.confirm("oauth/refreshtoken", "end_authorizations", refresh)

    assert introspect(issued["access_token"])["active"] is False
    assert len(events("authorization-ended", authorization=str(issued["granted"].authorization))) == 1
    page = operator.page(f"oauth/refreshtoken/{refresh.pk}/change/")
    assert str(issued["granted"].authorization) in page
    assert refresh.digest not in page


@pytest.mark.requirement("RV-08", "SD-05")
def test_all_access_to_a_patients_record_ends_no_matter_who_allowed_it(
    operator: Operator, issue: Issue, introspect: Introspect, events: Events, make_person: MakePerson
) -> None:
    from oauth.models import PatientRecord

    patient = f"p-{operator.user.pk}"
    first, second = (issue(person=make_person(patient), patient=patient) for _ in range(2))
    other = issue()
    record = PatientRecord.objects.get(patient=patient)

    asked = operator.act("oauth/patientrecord", "end_access", record).content.decode()
    assert "2 authorizations of 2 people for 2 clients" in asked
    assert introspect(first["access_token"])["active"] is True

    operator.confirm("oauth/patientrecord", "end_access", record)
    assert introspect(first["access_token"]) == introspect(second["access_token"]) == {"active": False}
    assert introspect(other["access_token"])["active"] is True
    assert len(events("authorization-ended", patient=patient, operator=operator.user.subject)) == 2


def test_ending_one_thing_leaves_the_others(operator: Operator, issue: Issue, introspect: Introspect) -> None:
    ended, other = issue(), issue()

    operator.confirm("oauth/authorization", "end", ended["granted"].authorization)

    assert introspect(ended["access_token"])["active"] is False
    assert introspect(other["access_token"])["active"] is True


def test_a_disabled_client_can_be_enabled_and_its_old_tokens_stay_dead(
    operator: Operator, issue: Issue, introspect: Introspect, events: Events
) -> None:
    issued = issue()
    client = issued["granted"].client
    operator.confirm("oauth/client", "disable", client)

    operator.confirm("oauth/client", "enable", client)

    client.refresh_from_db()
    assert client.enabled == 1
    assert introspect(issued["access_token"])["active"] is False
    assert len(events("client-enabled", client=client.client_id)) == 1


def test_a_suspended_person_is_signed_out_until_the_suspension_is_lifted(
    operator: Operator, make_person: MakePerson, events: Events
) -> None:
    from django.test import Client as Browser

    person, browser = make_person("amy"), Browser()
    browser.post("/login", {"username": person.username, "password": "smartauth-demo"})

    operator.confirm("accounts/user", "suspend", person)
    refused = browser.post("/login", {"username": person.username, "password": "smartauth-demo"})
    operator.confirm("accounts/user", "lift_suspension", person)
    allowed = browser.post("/login", {"username": person.username, "password": "smartauth-demo"})

    assert (refused.status_code, allowed.status_code) == (403, 303)
    assert len(events("person-let-in", person=person.subject, operator=operator.user.subject)) == 1


def test_operators_cannot_lock_themselves_out(operator: Operator) -> None:
    operator.confirm("accounts/user", "suspend", operator.user)

    operator.user.refresh_from_db()
    assert operator.user.suspended_at == 0


def test_clearing_a_flag_needs_a_reason_and_keeps_the_tokens(
    operator: Operator, issue: Issue, introspect: Introspect, events: Events
) -> None:
    issued = issue()
    authorization = issued["granted"].authorization
    authorization.flagged_at = 1
    authorization.save()

    without = operator.confirm("oauth/authorization", "clear_flag", authorization, reason=" ")
    authorization.refresh_from_db()
    assert "Say in a line why" in without.content.decode()
    assert authorization.flagged_at == 1

    operator.confirm("oauth/authorization", "clear_flag", authorization, reason="called back, a new phone")
    authorization.refresh_from_db()
    assert authorization.flagged_at == 0
    assert introspect(issued["access_token"])["active"] is True
    (event,) = events("flag-cleared", authorization=str(authorization))
    assert (event.reason, event.operator) == ("called back, a new phone", operator.user.subject)


def test_a_number_of_things_is_counted_on_the_page(
    operator: Operator, make_client: MakeClient, grant: Grant, make_token: MakeToken
) -> None:
    client = make_client()
    granted = [grant(client) for _ in range(2)]
    for one in (*granted, grant(client, granted[0].person)):
        make_token(one)

    page = operator.act("oauth/client", "end_access", client).content.decode()
    operator.confirm("oauth/client", "end_access", client)

    assert "They may ask people again at once." in page
    assert "3 live tokens" in page
    assert "3 authorizations of 2 people for 1 client" in page
    assert "Ended all access of 1 client." in operator.page("oauth/client/")


def test_nobody_else_can_end_anything(operator: Operator, make_client: MakeClient, make_person: MakePerson) -> None:
    client = make_client()
    operator.browser.force_login(make_person("amy"))

    answer = operator.confirm("oauth/client", "disable", client)

    client.refresh_from_db()
    assert (answer.status_code, client.enabled) == (403, 1)
