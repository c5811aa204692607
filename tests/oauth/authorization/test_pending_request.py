"""A waiting request ends at its moment, also between the page and its answer (AZ-20, PR-08)."""

import dataclasses
import json
import secrets
from typing import Any

import pytest

from accounts import clock
from oauth.authorization.pending_request import AlreadyAnswered, Expired, Pending, stored_request, waiting_count
from oauth.models import Authorization, EncounterRecord, FhirServer, Launch, PatientRecord, PendingRequest
from smart.http.addresses import caller_network
from smart.time_units import CLOCK_SKEW
from tests.fixture_types import MakeClient, MakePerson, SetClock
from tests.oauth.authorization.waiting_requests import URI, asked, wait
from tests.oauth.visitor import Visitor, redirect_query


@pytest.fixture
def row(visitor: Visitor, make_client: MakeClient) -> Any:
    client = make_client()
    visitor.ask(client)
    return PendingRequest.objects.get(client=client)


@pytest.mark.requirement("PR-08", "AZ-20")
@pytest.mark.parametrize(("late", "lives"), [(-1, True), (0, False)], ids=["before", "at"])
def test_the_consent_page_is_answered_until_the_last_moment(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, set_clock: SetClock, late: int, lives: bool
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))

    set_clock(PendingRequest.objects.get(client=client).expires_at + late)
    shown = visitor.request("GET", page.url.path)
    response = visitor.allow(page)

    assert (shown.status_code, response.status_code) == ((200, 303) if lives else (403, 403))
    assert Authorization.objects.filter(client=client).count() == lives
    assert not lives or redirect_query(response)["code"]


@pytest.mark.requirement("PR-08", "E40")
def test_an_answer_that_is_written_when_the_request_is_over_came_late(row: Any) -> None:
    pending = Pending.of(row, "handle")

    with pytest.raises(Expired):
        pending.answer(now=row.expires_at)

    assert PendingRequest.objects.get(pk=row.pk).answered_at == 0
    pending.answer(now=row.expires_at - 1)
    with pytest.raises(AlreadyAnswered):
        pending.answer(now=row.expires_at - 1)


@pytest.mark.requirement("PR-08", "E40")
def test_an_answer_before_the_request_is_none_beyond_the_skew_of_clocks(row: Any) -> None:
    pending = Pending.of(row, "handle")

    with pytest.raises(Expired):
        pending.answer(now=row.created_at - CLOCK_SKEW - 1)

    pending.answer(now=row.created_at - CLOCK_SKEW)


def stored(pending: Pending) -> tuple[str | None, str, str]:
    """User, patient and visit, as they lie in the row; the object in hand says the same."""
    row = PendingRequest.objects.get(pk=pending.row.pk)
    assert (row.user, row.patient, row.encounter) == (pending.row.user, pending.row.patient, pending.row.encounter)
    return (row.user.username if row.user else None), row.patient, row.encounter


def test_what_was_asked_is_read_as_it_was_stored(make_client: MakeClient, fhir_server: Any) -> None:
    request = asked(launch="a handle", openid=True, subject="somebody", max_age="7")

    pending = wait(make_client(), fhir_server, request=request)

    assert dataclasses.replace(pending.request, left_out=tuple(pending.request.left_out)) == request
    assert (pending.redirect_uri, pending.state, pending.refused) == (URI, "the state", "")
    assert pending.url == "/o/authorize/the-handle"


def test_of_a_request_that_was_refused_nothing_that_was_asked_is_kept(
    make_client: MakeClient, fhir_server: Any
) -> None:
    row = wait(make_client(), fhir_server).row
    row.request = stored_request(URI, "the state", None, "to the app")

    pending = Pending.of(row, "the-handle")

    assert (pending.refused, pending.authorization_request) == ("to the app", None)
    with pytest.raises(ValueError, match="refused already"):
        _ = pending.request


@pytest.mark.requirement("AZ-20", "LC-03")
def test_another_user_or_patient_takes_what_was_chosen_before_away(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any
) -> None:
    amy, ben = make_person("amy"), make_person("ben")
    pending = wait(make_client(), fhir_server, amy, patient="amy", encounter="v1")
    assert (pending.is_assigned_to(amy), pending.is_assigned_to(ben)) == (True, False)

    pending.choose_encounter("v2")
    assert stored(pending) == (amy.username, "amy", "v2")
    pending.choose_patient("ben")
    assert stored(pending) == (amy.username, "ben", "")
    pending.choose_encounter("v3")
    pending.assign_user(ben)
    assert stored(pending) == (ben.username, "", "")
    assert pending.is_assigned_to(ben)


@pytest.mark.requirement("AZ-10", "EL-02")
def test_what_a_launch_does_not_tell_is_left_open(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any
) -> None:
    amy, client = make_person("amy"), make_client()
    launch = Launch.objects.create(
        digest=secrets.token_hex(32), client=client, fhir_server=fhir_server, user=amy, context="{}", expires_at=1
    )
    pending = wait(client, fhir_server, launch=launch, patient="amy", encounter="v1")

    assert pending.launch_patient == ""
    pending.assign_user(amy)
    assert stored(pending) == (amy.username, "", "")


@pytest.mark.requirement("AZ-10", "EL-02", "E27")
def test_a_launch_tells_patient_and_visit_and_who_may_answer(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any
) -> None:
    amy, ben, client = make_person("amy"), make_person("ben"), make_client()
    context = json.dumps({"patient": "amy", "encounter": "v1"})
    launch = Launch.objects.create(
        digest=secrets.token_hex(32), client=client, fhir_server=fhir_server, user=amy, context=context, expires_at=1
    )
    pending = wait(client, fhir_server, launch=launch, patient="unlisted")

    assert (pending.launch_patient, pending.launch_user_id) == ("amy", amy.pk)
    assert (pending.is_meant_for(amy), pending.is_meant_for(ben)) == (True, False)
    assert pending.patient is not None
    assert pending.patient._state.adding
    assert (pending.patient.patient, pending.patient.fhir_server) == ("unlisted", fhir_server)
    pending.assign_user(amy)
    assert stored(pending) == (amy.username, "amy", "v1")


@pytest.mark.requirement("E43")
def test_without_a_launch_the_app_may_expect_a_person(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any
) -> None:
    amy, ben, client = make_person("amy"), make_person("ben"), make_client()
    anybody, somebody = wait(client, fhir_server), wait(client, fhir_server, request=asked(subject=amy.subject))

    assert (anybody.launch_patient, anybody.launch_user_id, anybody.patient) == ("", None, None)
    assert [anybody.is_meant_for(amy), anybody.is_meant_for(ben)] == [True, True]
    assert [somebody.is_meant_for(amy), somebody.is_meant_for(ben)] == [True, False]
    refused = dataclasses.replace(somebody, authorization_request=None)
    assert refused.is_meant_for(ben)


@pytest.mark.requirement("LC-03")
@pytest.mark.parametrize(
    ("asks", "chosen", "needed"), [(False, "", False), (True, "", True), (True, "v1", False), (True, "v2", True)]
)
def test_a_visit_is_to_be_chosen_where_the_app_asks_and_none_is_chosen_yet(
    make_client: MakeClient, asks: bool, chosen: str, needed: bool
) -> None:
    server = FhirServer.objects.create(base=f"https://{secrets.token_hex(8)}.test/fhir")
    record = PatientRecord.objects.create(fhir_server=server, patient="amy")
    visit = EncounterRecord.objects.create(record=record, encounter="v1")
    pending = wait(make_client(), server, request=asked(needs_encounter=asks), patient="amy", encounter=chosen)

    assert (pending.patient, pending.encounter) == (record, visit if chosen == "v1" else None)
    assert pending.needs_encounter_choice is needed


@pytest.mark.requirement("LC-03")
def test_where_there_is_no_visit_none_is_to_be_chosen(make_client: MakeClient) -> None:
    server = FhirServer.objects.create(base=f"https://{secrets.token_hex(8)}.test/fhir")
    PatientRecord.objects.create(fhir_server=server, patient="amy")
    pending = wait(make_client(), server, request=asked(needs_encounter=True), patient="amy")

    assert pending.needs_encounter_choice is False


@pytest.mark.requirement("AZ-20")
def test_an_answered_request_changes_no_more(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any
) -> None:
    amy = make_person("amy")
    pending, now = wait(make_client(), fhir_server, amy, patient="amy", encounter="v1"), clock.now()
    pending.answer(now=now)

    pending.choose_patient("ben")
    pending.choose_encounter("v9")
    pending.assign_user(make_person("ben"))

    row = PendingRequest.objects.get(pk=pending.row.pk)
    assert (row.user, row.patient, row.encounter, row.answered_at) == (amy, "amy", "v1", now)


def test_what_waits_or_ended_before_somebody_signed_in_takes_room_of_its_network(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any
) -> None:
    client, person, now = make_client(), make_person(), clock.now()
    network = f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}"
    address = f"{network}::7"
    here: dict[str, Any] = {"caller_network": caller_network(address)}
    wait(client, fhir_server, **here)
    wait(client, fhir_server, person, **here)
    wait(client, fhir_server, answered_at=now, **here)
    wait(client, fhir_server, person, answered_at=now, **here)
    wait(client, fhir_server, expires_at=now, **here)
    wait(client, fhir_server, caller_network="another")

    assert waiting_count(address, now=now) == 3
    for signed_in in (False, True):
        wait(client, fhir_server, **here).answer(now=now, signed_in=signed_in)
        assert waiting_count(address, now=now) == 4
    wait(client, fhir_server, **here).answer(now=now)
    assert waiting_count(address, now=now) == 5
