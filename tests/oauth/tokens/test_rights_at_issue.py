"""What a code or a refresh token buys once rights were lost (RF-11)."""

from collections.abc import Callable
from typing import Any

import pytest

from oauth.models import AccessToken, ActsFor, Authorization, Client, FhirIdentity
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.rights_at_issue import refusal_reason
from tests.conftest import App, Granted
from tests.fixture_types import Events, Grant, Issue, MakeClient
from tests.oauth.tokens.refresh_client import Refresh, assert_refused, state, tokens_of_refresh

# Rights lost since then: RF-11 ----------------------------------------------------------------------------------------


def person_stopped(granted: Granted) -> None:
    type(granted.person).objects.get_queryset().filter(pk=granted.person.pk).suspend("left")


def no_longer_acts_for(granted: Granted) -> None:
    ActsFor.objects.filter(identity__user=granted.person).delete()


def somebody_else_there(granted: Granted) -> None:
    Authorization.objects.filter(pk=granted.authorization.pk).update(fhir_user="Patient/amy")
    FhirIdentity.objects.filter(user=granted.person).update(resource="RelatedPerson/amy")


def nobody_there(granted: Granted) -> None:
    FhirIdentity.objects.filter(user=granted.person).delete()


def server_out_of_reach(granted: Granted) -> None:
    granted.client.fhir_servers.clear()


def no_longer_offline(granted: Granted) -> None:
    type(granted.client).objects.filter(pk=granted.client.pk).update(scope="launch/patient patient/*.rs")


@pytest.mark.requirement("RF-11", "RF-08")
@pytest.mark.parametrize(
    "lose",
    [person_stopped, no_longer_acts_for, somebody_else_there, nobody_there, server_out_of_reach, no_longer_offline],
)
def test_a_person_who_lost_the_right_cannot_refresh(
    launch: Issue, refresh: Refresh, lose: Callable[[Granted], None], events: Events
) -> None:
    first = launch()
    lose(first["granted"])
    before = state(first["granted"])

    response = refresh(first)

    assert_refused(response)
    assert state(first["granted"]) == before
    assert len(events("refresh-refused", client=first["granted"].client.client_id)) == 1


@pytest.mark.requirement("RF-11", "E57")
def test_a_disabled_client_cannot_refresh(launch: Issue, refresh: Refresh, make_app: MakeClient) -> None:
    first = launch(make_app("secret"))
    client = first["granted"].client
    type(client).objects.filter(pk=client.pk).disable()

    response = refresh(first)

    assert_refused(response, 401, "invalid_client")


@pytest.mark.requirement("RF-11", "SCP-20")
def test_what_the_client_may_no_longer_ask_is_left_out(launch: Issue, refresh: Refresh, make_app: MakeClient) -> None:
    first = launch(make_app())
    client = first["granted"].client
    type(client).objects.filter(pk=client.pk).update(scope="launch/patient offline_access patient/Observation.rs")

    second = tokens_of_refresh(first, refresh(first))

    assert second["scope"] == "launch/patient offline_access patient/Observation.rs"


@pytest.mark.requirement("RF-11")
def test_a_patient_that_the_ehr_vouched_for_needs_no_list_of_ours(launch: Issue, refresh: Refresh) -> None:
    first = launch()
    no_longer_acts_for(first["granted"])
    Authorization.objects.filter(pk=first["granted"].authorization.pk).update(patient_vouched=1)

    second = tokens_of_refresh(first, refresh(first))

    assert second["patient"] == "amy"


# Rights lost between the consent page and the exchange ----------------------------------------------------------------


def no_scope(granted: Granted) -> None:
    Client.objects.filter(pk=granted.client.pk).update(scope="openid")


@pytest.mark.requirement("RF-11")
@pytest.mark.parametrize(
    "lose", [person_stopped, no_longer_acts_for, somebody_else_there, nobody_there, server_out_of_reach, no_scope]
)
def test_a_person_who_lost_the_right_buys_nothing(
    app: App, grant: Grant, lose: Callable[[Granted], None], events: Events
) -> None:
    granted = grant()
    lose(granted)

    response = app.post("/o/token", data=granted.exchange())

    assert_refused(response)
    assert not AccessToken.objects.filter(authorization=granted.authorization).exists()
    assert len(events("code-refused", client=granted.client.client_id)) == 1


@pytest.mark.requirement("RF-11", "SCP-20")
def test_what_the_client_may_no_longer_ask_is_left_out_of_the_first_token(
    app: App, grant: Grant, make_app: MakeClient
) -> None:
    granted = grant(make_app(), scope="launch/patient patient/*.rs offline_access")
    Client.objects.filter(pk=granted.client.pk).update(scope="launch/patient patient/Observation.rs")

    bought = app.post("/o/token", data=granted.exchange()).json()

    assert bought["scope"] == "launch/patient patient/Observation.rs"
    assert "refresh_token" not in bought


@pytest.mark.requirement("RF-11")
def test_a_patient_that_the_ehr_vouched_for_is_bought_without_a_list_of_ours(app: App, grant: Grant) -> None:
    granted = grant()
    no_longer_acts_for(granted)
    Authorization.objects.filter(pk=granted.authorization.pk).update(patient_vouched=1)

    bought = app.post("/o/token", data=granted.exchange()).json()

    assert bought["patient"] == "amy"


@pytest.mark.requirement("RF-11")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "the person may no longer act for the patient"),
        ({"may_have_patient": True}, ""),
        ({"may_have_patient": True, "client_reaches_server": False}, "the client may no longer reach the FHIR server"),
        ({"may_have_patient": True, "client_scope": "openid"}, "the client may no longer have any of the scopes"),
    ],
)
def test_who_may_not_have_the_patient_or_reach_the_server_or_has_no_scope_left_has_no_right(
    grant: Grant, changes: dict[str, Any], reason: str
) -> None:
    granted = AuthorizationState.of(grant().authorization.pk)
    forlorn = granted._replace(may_have_patient=False)

    assert refusal_reason(forlorn._replace(**changes)) == reason
