"""The step of consent, rule by rule: what this user may allow at all, and the answer without a page."""

import dataclasses
import json
import secrets
from typing import Any

import pytest

from oauth.authorization import consent
from oauth.models import EncounterRecord, FhirServer, Launch, PatientRecord, public_reference
from smart.http.errors import AccessDenied, ConsentRequired
from tests.conftest import App
from tests.fixture_types import Events, MakeClient, MakePerson
from tests.oauth.authorization.waiting_requests import asked, browser, wait
from tests.oauth.remembering import allow_for_good, refreshing_client
from tests.oauth.visitor import Visitor

NO_RECORD = "there is no record that this user may share"
READ = "patient/Observation.rs"
# No form may end there, so that a page leads on.
ODD_URI = "https://[::1]/cb"


@pytest.mark.requirement("SCP-20", "E29")
@pytest.mark.parametrize(
    ("scope", "openid", "left"),
    [
        (f"openid fhirUser {READ}", False, f"openid {READ}"),
        (f"user/Observation.rs {READ}", False, READ),
        ("openid profile", False, "openid"),
        ("openid profile", True, "openid profile"),
        ("openid user/Observation.rs", False, ""),
    ],
)
def test_who_is_nobody_at_the_fhir_server_may_allow_nothing_of_their_own_there(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any, scope: str, openid: bool, left: str
) -> None:
    server = FhirServer.objects.create(base=f"https://{secrets.token_hex(8)}.test/fhir")
    person, request = make_person(), asked(scope=scope, openid=openid)
    somebody = make_person("amy", is_="Patient/amy")

    if left:
        assert consent._grantable_scope(wait(make_client(), server, person, request), person, scope) == left
    else:
        with pytest.raises(AccessDenied, match=NO_RECORD):
            consent._grantable_scope(wait(make_client(), server, person, request), person, scope)
    here = wait(make_client(), fhir_server, somebody, request)
    assert consent._grantable_scope(here, somebody, scope) == scope


@pytest.mark.requirement("E32", "AZ-11")
def test_without_a_page_what_was_never_allowed_is_an_error_that_says_what_is_missing(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any
) -> None:
    client, person = make_client("secret", scope=READ), make_person("amy")
    unlisted, never = (wait(client, fhir_server, person, patient=patient) for patient in ("somebody-else", "amy"))

    with pytest.raises(AccessDenied, match=NO_RECORD):
        consent.answer_silently(browser(person), unlisted, person)
    with pytest.raises(ConsentRequired) as refused:
        consent.answer_silently(browser(person), never, person)
    assert refused.value.description == "prompt none was asked, but the user must act"
    assert (refused.value.explanation.rule, refused.value.explanation.case) == ("AZ-22", "E32")


@pytest.mark.requirement("AZ-23", "HI-08", "AZ-18")
@pytest.mark.parametrize(("prompt", "status"), [("none", 303), ("", 200)])
def test_an_answer_by_an_earlier_one_says_so_in_its_event(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson, fhir_server: Any, events: Events,
    prompt: str, status: int,
) -> None:  # fmt: skip
    client, person = refreshing_client(make_client), make_person("amy")
    allow_for_good(app, visitor, client, person)
    waiting = wait(client, fhir_server, person, asked(prompt=prompt), patient="amy")
    pending = dataclasses.replace(waiting, redirect_uri=ODD_URI)

    response = consent.answer_silently(browser(person), pending, person)

    assert response.status_code == status
    (event,) = events("allowed", reference=public_reference(pending.row.pk))
    assert (event.reason, event.patient) == ("allowed before", "amy")


@pytest.mark.requirement("E29", "AZ-11")
@pytest.mark.parametrize(
    ("patient", "vouched", "shared"), [("amy", 0, True), ("ben", 0, False), ("ben", 1, True), ("", 0, True)]
)
def test_a_launch_about_somebody_whose_record_is_not_the_users_to_share_is_refused(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any, patient: str, vouched: int, shared: bool
) -> None:
    client, person = make_client(), make_person("amy")
    context = json.dumps({"patient": patient} if patient else {})
    launch = Launch.objects.create(
        client=client, user=person, fhir_server=fhir_server, context=context, patient_vouched=vouched,
        expires_at=1, digest=secrets.token_hex(32),
    )  # fmt: skip
    pending = wait(client, fhir_server, person, asked(needs_patient=bool(patient)), patient=patient, launch=launch)

    if shared:
        assert consent._missing_choice(pending, person) is None
    else:
        with pytest.raises(AccessDenied, match=NO_RECORD) as refused:
            consent._missing_choice(pending, person)
        assert refused.value.why == {"rule": "AZ-11", "case": "E29"}


@pytest.mark.requirement("AZ-12", "LC-03")
def test_a_choice_that_is_missing_or_is_none_any_more_leads_back_to_its_step(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any
) -> None:
    client, person = make_client(), make_person("amy")
    amy = PatientRecord.objects.get(fhir_server=fhir_server, patient="amy")
    EncounterRecord.objects.filter(record=amy).delete()  # of other tests
    theirs, not_theirs = (wait(client, fhir_server, person, patient=patient) for patient in ("amy", "ben"))
    with_visit = wait(client, fhir_server, person, asked(needs_encounter=True), patient="amy")
    of_nobody = wait(client, fhir_server, person, asked(needs_patient=False))

    assert consent._missing_choice(theirs, person) is consent._missing_choice(with_visit, person) is None
    assert consent._missing_choice(of_nobody, person) is None
    back = consent._missing_choice(not_theirs, person)
    assert back is not None
    assert back["Location"].endswith("/o/authorize/the-handle/patient")
    not_theirs.row.refresh_from_db()
    assert not_theirs.row.patient == ""
    EncounterRecord.objects.create(record=amy, encounter="v1", kind="Check-up", day="2026-11-03")
    to_choose = consent._missing_choice(with_visit, person)
    assert to_choose is not None
    assert to_choose["Location"].endswith("/o/authorize/the-handle")
