"""What a person has allowed becomes an authorization and a code."""

import json
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import OperationalError
from django.test import RequestFactory

from accounts import clock
from accounts.models import SignIn, User
from accounts.session_store import SessionStore, row_key
from oauth.authorization.code import issue_code_redirect
from oauth.authorization.pending_request import Pending
from oauth.models import Authorization, Client, Code, FhirIdentity, FhirServer, Launch, PendingRequest
from oauth.tokens.authorization_state import AuthorizationState
from smart.digests import sha256_hex
from tests.conftest import CHALLENGE
from tests.fixture_types import Events, MakeClient, MakePerson, SetClock
from tests.oauth.authorization.waiting_requests import ADDRESS, URI, asked, browser, wait
from tests.oauth.visitor import Visitor

SCOPE = "patient/Observation.rs"


def sign_in(request: Any, person: Any) -> SignIn:
    """As a login leaves it, an hour ago."""
    key = row_key(request.session.session_key)
    at = clock.now() - 3_600_000_000
    return SignIn.objects.create(user=person, session_id=key, address=ADDRESS, user_agent="", created_at=at)


@pytest.mark.requirement("AZ-17", "E85")
@pytest.mark.parametrize("ended", [Client, User], ids=["the client's", "the person's"])
def test_access_that_is_ended_while_the_answer_is_under_way_is_not_given(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, ended: Any
) -> None:
    client, person = make_client(), make_person("amy")
    visitor.reach_consent(client, person)
    pending = Pending.of(PendingRequest.objects.select_related("client", "fhir_server").get(client=client), "handle")
    ended.objects.get_queryset().filter(pk__in=[client.pk if ended is Client else person.pk]).advance_epoch()
    request = RequestFactory().post("/")
    request.session = SessionStore()

    issue_code_redirect(request, pending, person, "patient/Observation.rs")

    assert AuthorizationState.of(Authorization.objects.get(client=client).pk).unusable_reason


@pytest.mark.requirement("AZ-16", "AZ-17", "HI-08")
def test_what_is_allowed_is_written_in_full(
    make_client: MakeClient,
    make_person: MakePerson,
    fhir_server: Any,
    events: Events,
    set_clock: SetClock,
    settings: Any,
) -> None:
    settings.SMARTAUTH_CODE_SECONDS = 60
    set_clock(now := clock.now())
    person = make_person("amy", is_="Patient/amy")
    pending = wait(make_client(), fhir_server, person, asked(nonce="the nonce"), patient="amy")
    pending.row.client.epoch, person.epoch, pending.row.fhir_server.epoch = 3, 4, 5
    request = browser(person)
    signed_in_at = sign_in(request, person).created_at

    query = parse_qs(urlsplit(issue_code_redirect(request, pending, person, SCOPE, reason="allowed before")).query)

    row = Authorization.objects.get(client=pending.row.client)
    assert (row.user, row.fhir_server, row.patient, row.scope) == (person, fhir_server, "amy", SCOPE)
    assert (row.requested_scope, row.fhir_user) == ("patient/Observation.rs patient/Nothing.rs", "Patient/amy")
    assert (row.patient_vouched, row.auth_time, row.granted_at, row.session_digest) == (0, signed_in_at, now, "")
    assert json.loads(row.context)["patient"] == "amy"
    assert (row.client_epoch, row.user_epoch, row.fhir_server_epoch) == (3, 4, 5)
    code = Code.objects.get(authorization=row)
    assert (code.digest, code.authorization_epoch, code.nonce) == (sha256_hex(query["code"][0]), 0, "the nonce")
    assert (code.redirect_uri, code.code_challenge) == (URI, CHALLENGE)
    assert (code.issued_at, code.expires_at) == (now, now + 60_000_000)
    assert (query["state"], query["iss"]) == (["the state"], [settings.SMARTAUTH_ISSUER])
    (event,) = events("allowed", authorization=str(row))
    assert (event.at, event.address, event.reason, event.patient) == (now, ADDRESS, "allowed before", "amy")
    assert (event.person, event.reference) == (person.subject, str(pending.row))
    assert PendingRequest.objects.get(pk=pending.row.pk).answered_at == now


@pytest.mark.requirement("AZ-17")
def test_without_a_login_there_is_no_time_of_one(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any, events: Events
) -> None:
    person = make_person("amy")
    pending = wait(make_client(), fhir_server, person, patient="amy")

    issue_code_redirect(browser(person), pending, person, SCOPE)

    assert Authorization.objects.get(client=pending.row.client).auth_time == 0
    assert [event.reason for event in events("allowed", client=pending.row.client.client_id)] == [""]


@pytest.mark.requirement("AZ-16", "E42")
def test_what_is_allowed_is_written_with_its_event_or_not_at_all(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    person = make_person("amy")
    pending = wait(make_client(), fhir_server, person, patient="amy")
    monkeypatch.setattr("oauth.authorization.code.record_events", failing)

    with pytest.raises(OperationalError):
        issue_code_redirect(browser(person), pending, person, SCOPE)

    assert not Authorization.objects.filter(client=pending.row.client).exists()
    assert PendingRequest.objects.get(pk=pending.row.pk).answered_at == 0


@pytest.mark.requirement("SCP-06", "SCP-17", "LC-03")
@pytest.mark.parametrize(
    ("scope", "needs_patient", "encounter", "granted", "context"),
    [
        (SCOPE, False, "", SCOPE, {}),
        (f"{SCOPE} launch/encounter", True, "", SCOPE, {"patient": "amy"}),
        (f"{SCOPE} launch/encounter", True, "v1", f"{SCOPE} launch/encounter", {"patient": "amy", "encounter": "v1"}),
        (SCOPE, True, "v1", SCOPE, {"patient": "amy"}),
    ],
    ids=["no patient asked", "no visit", "a visit", "a visit that the person did not allow"],
)
def test_the_context_is_what_was_asked_chosen_and_allowed(
    make_client: MakeClient,
    make_person: MakePerson,
    fhir_server: Any,
    scope: str,
    needs_patient: bool,
    encounter: str,
    granted: str,
    context: dict[str, str],
) -> None:
    person = make_person("amy")
    request = asked(needs_patient=needs_patient)
    pending = wait(make_client(), fhir_server, person, request, patient="amy", encounter=encounter)

    issue_code_redirect(browser(person), pending, person, scope)

    row = Authorization.objects.get(client=pending.row.client)
    told = {name: value for name, value in json.loads(row.context).items() if name in {"patient", "encounter"}}
    assert (row.scope, told, row.patient) == (granted, context, context.get("patient", ""))


@pytest.mark.requirement("SCP-17")
@pytest.mark.parametrize(("scope", "lasts"), [("online_access", True), ("offline_access", False)])
def test_online_access_alone_remembers_its_session(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any, scope: str, lasts: bool
) -> None:
    person, client = make_person("amy"), make_client()
    request = browser(person)

    issue_code_redirect(request, wait(client, fhir_server, person, patient="amy"), person, f"{SCOPE} {scope}")

    row = Authorization.objects.get(client=client)
    assert row.session_digest == (sha256_hex(request.session["online"]) if lasts else "")
    assert (row.session_ends_at > 0) is lasts


@pytest.mark.requirement("AZ-12")
@pytest.mark.parametrize(
    ("source", "is_", "patient", "vouched"),
    [
        ("search", "Practitioner/1", "amy", 1),
        ("search", "Practitioner/1", "", 0),
        ("search", "Patient/amy", "amy", 0),
        ("list", "Practitioner/1", "amy", 0),
    ],
)
def test_a_fhir_server_that_knows_whose_patients_are_whose_vouches_for_the_patient(
    make_client: MakeClient, make_person: MakePerson, source: str, is_: str, patient: str, vouched: int
) -> None:
    server = FhirServer.objects.create(base=f"https://{secrets.token_hex(8)}.test/fhir", patient_source=source)
    person, client = make_person("amy"), make_client()
    FhirIdentity.objects.create(user=person, fhir_server=server, resource=is_)

    issue_code_redirect(browser(person), wait(client, server, person, patient=patient), person, SCOPE)

    assert Authorization.objects.get(client=client).patient_vouched == vouched


@pytest.mark.requirement("EL-02", "LC-03", "AZ-12")
@pytest.mark.parametrize("told", [{"patient": "amy"}, {"patient": "amy", "encounter": "v1"}])
def test_what_an_ehr_told_is_the_context_and_it_vouches_for_the_patient(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any, told: dict[str, str]
) -> None:
    person, client = make_person(), make_client()
    launch = Launch.objects.create(
        digest=secrets.token_hex(32), client=client, fhir_server=fhir_server, user=person, context=json.dumps(told),
        patient_vouched=1, expires_at=1,
    )  # fmt: skip
    pending = wait(client, fhir_server, person, asked(needs_patient=False), patient="amy", launch=launch)

    issue_code_redirect(browser(person), pending, person, f"{SCOPE} launch/encounter")

    row = Authorization.objects.get(client=client)
    assert (row.scope, row.patient, row.patient_vouched) == (f"{SCOPE} launch/encounter", "amy", 1)
    assert {name: value for name, value in json.loads(row.context).items() if name in {"patient", "encounter"}} == told
