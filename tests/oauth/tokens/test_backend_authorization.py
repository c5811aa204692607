"""The authorization of a service: one for each base and patient, made anew once it has ended."""

from typing import Any

import pytest

from accounts import clock
from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor
from tests.fixture_types import Introspect, MakeClient
from tests.oauth.tokens.service_client import SCOPE, Ask, standing


@pytest.mark.requirement("BK-07", "RG-09")
def test_each_patient_of_a_service_has_an_authorization_of_its_own(make_service: MakeClient, ask: Ask) -> None:
    service, told = make_service(scope="patient/*.rs", backend_patient="amy"), []

    for service.backend_patient in ("amy", "ben", "amy"):
        service.save(update_fields=["backend_patient"])
        told.append(ask(service, "patient/Observation.rs").json()["patient"])

    assert told == ["amy", "ben", "amy"]
    assert {row.patient: row.access_tokens.count() for row in standing(service)} == {"amy": 2, "ben": 1}


@pytest.mark.requirement("BK-07")
def test_all_tokens_of_a_base_belong_to_one_authorization(make_service: MakeClient, ask: Ask) -> None:
    service = make_service(tokens_to_keep=5)

    for scope in ("system/Patient.r", "system/Observation.r", SCOPE):
        assert ask(service, scope).status_code == 200

    (row,) = standing(service)
    assert (row.user, row.patient, row.scope, row.access_tokens.count()) == (None, "", SCOPE, 3)


def test_what_the_operator_allows_later_is_on_the_authorization(make_service: MakeClient, ask: Ask) -> None:
    service = make_service()
    ask(service)
    type(service).objects.filter(pk=service.pk).update(scope="system/Patient.r")

    answer = ask(service, SCOPE).json()

    (row,) = standing(service)
    assert answer["scope"] == row.scope == "system/Patient.r"


@pytest.mark.requirement("IN-06", "IN-09")
def test_ending_the_authorization_ends_its_tokens_and_the_service_may_ask_again(
    make_service: MakeClient, ask: Ask, introspect: Introspect
) -> None:
    from oauth.models import Authorization

    service = make_service(tokens_to_keep=5)
    first = ask(service).json()["access_token"]

    Authorization.objects.filter(client=service).end("operator", now=1)
    ended = introspect(first)
    again = ask(service).json()["access_token"]

    assert ended == introspect(first) == {"active": False}
    assert introspect(again)["active"] is True
    assert [row.ended_for for row in standing(service)] == ["operator", ""]


@pytest.mark.parametrize("at_server", [False, True], ids=["of the client", "at the FHIR server"])
def test_ending_all_access_ends_its_tokens_and_it_may_ask_again_before_its_row_is_marked(
    make_service: MakeClient, ask: Ask, introspect: Introspect, fhir_server: Any, at_server: bool
) -> None:
    service = make_service(tokens_to_keep=5)
    first = ask(service).json()["access_token"]

    reason = EndedFor.FHIR_SERVER_ENDED if at_server else EndedFor.CLIENT_ENDED
    access.end_epoch(fhir_server if at_server else service, Actor(now=clock.now()), reason)
    ended = introspect(first)
    again = ask(service).json()["access_token"]

    assert ended == introspect(first) == {"active": False}
    assert introspect(again)["active"] is True
