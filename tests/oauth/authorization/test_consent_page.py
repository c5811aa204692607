"""The consent page: the question, again with what is wrong, and the words for whose record it is."""

import secrets
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpResponse

from accounts.models import User
from oauth.authorization import consent_page as module
from oauth.authorization.consent_form import ConsentAnswer, question_digest
from oauth.authorization.consent_page import consent_page, offered_lines
from oauth.authorization.pending_request import Pending
from oauth.http.private_page import private_page
from oauth.models import EncounterRecord, FhirIdentity, FhirServer, PatientRecord
from smart.fhir.versions import NO_FHIR
from smart.wording.consent_line import TIME, ConsentContext
from smart.wording.consent_lines import consent_lines
from tests.fixture_types import MakeClient, MakePerson, SetClock
from tests.oauth.authorization.waiting_requests import asked, browser, wait

SCOPE = "patient/Observation.rs"


@pytest.fixture
def server() -> FhirServer:
    return FhirServer.objects.create(base=f"https://{secrets.token_hex(8)}.test/fhir", name="Harbour Clinic")


@pytest.fixture
def person(make_person: MakePerson, server: FhirServer) -> User:
    """Somebody whose own record at that FHIR server is amy's."""
    person: User = make_person()
    FhirIdentity.objects.create(user=person, fhir_server=server, resource="Patient/amy")
    return person


def words(pending: Pending, user: User) -> dict[str, object]:
    return module._record_words(pending, user, pending.patient)


def test_the_words_for_whose_record_it_is(make_client: MakeClient, person: User, server: FhirServer) -> None:
    amy = PatientRecord.objects.create(fhir_server=server, patient="amy", name="Amy Shaw", birth_date="2017-05-04")
    PatientRecord.objects.create(fhir_server=server, patient="ben")
    visit = EncounterRecord.objects.create(record=amy, encounter="v1", kind="Check-up", day="2026-11-03")
    client = make_client()

    own = words(wait(client, server, person, patient="amy", encounter="v1"), person)
    other = words(wait(client, server, person, patient="ben"), person)
    nobodys = words(wait(client, server, person), person)
    PatientRecord.objects.filter(patient="ben").update(name="Ben Shaw")
    named = words(wait(client, server, person, patient="ben"), person)

    assert visit.record == amy
    assert own == {
        "record": "Amy Shaw, born 4 May 2017",
        "own": True,
        "visit": "Check-up, 3 November 2026",
        "subject": "Amy Shaw",
        "signed_in_as": str(person),
    }
    assert other == {
        "record": "Name not recorded",
        "own": False,
        "visit": "",
        "subject": "this patient",
        "signed_in_as": f"{person}, acting for this patient",
    }
    assert (named["subject"], named["signed_in_as"]) == ("Ben Shaw", f"{person}, acting for Ben Shaw")
    assert nobodys == {"record": "", "own": False, "subject": "", "signed_in_as": str(person), "visit": ""}


@pytest.fixture
def contexts(monkeypatch: pytest.MonkeyPatch) -> list[ConsentContext]:
    """What the sentences of the page are made from."""
    found: list[ConsentContext] = []

    def watched(scopes: Any, context: ConsentContext) -> Any:
        found.append(context)
        return consent_lines(scopes, context)

    monkeypatch.setattr(module, "consent_lines", watched)
    return found


@pytest.mark.requirement("AZ-14", "AZ-15")
def test_the_sentences_name_record_fhir_server_and_how_long(
    make_client: MakeClient,
    person: User,
    server: FhirServer,
    contexts: list[ConsentContext],
    set_clock: SetClock,
    settings: Any,
) -> None:
    settings.SMARTAUTH_ACCESS_TOKEN_SECONDS, settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS = 300, 3600
    settings.SMARTAUTH_REFRESH_IDLE_SECONDS, settings.SMARTAUTH_REFRESH_TOKEN_SECONDS = 30 * 86_400, 0
    set_clock(int(datetime(2026, 11, 29, tzinfo=UTC).timestamp()) * 1_000_000)
    for patient, name in (("amy", "Amy Shaw"), ("ben", "Ben Shaw"), ("kim", "")):
        PatientRecord.objects.create(fhir_server=server, patient=patient, name=name)
    plain, long = (
        make_client("secret", **fields)
        for fields in ({"access_token_seconds": 200}, {"access_token_seconds": 7200, "refresh_token_seconds": 172_800})
    )
    FhirServer.objects.filter(pk=server.pk).update(access_token_seconds=600)
    server.refresh_from_db()

    for client, patient, openid in (
        (plain, "amy", False),
        (plain, "ben", True),
        (long, "kim", False),
        (long, "", False),
    ):
        pending = wait(client, server, person, asked(openid=openid, fhir_version="r4b"), patient=patient)
        assert offered_lines(pending, person, SCOPE)

    at_the_latest = "At the latest it ends on 1 December 2026."
    assert contexts == [
        ConsentContext("Harbour Clinic", 200, "", until="", version="r4b"),
        ConsentContext("Harbour Clinic", 200, "Ben Shaw", until="", version="r4b", remembered_days=30),
        ConsentContext("Harbour Clinic", 600, "this patient", until=at_the_latest, version="r4b"),
        ConsentContext("Harbour Clinic", 600, "", until=at_the_latest, version="r4b"),
    ]


@pytest.mark.requirement("AZ-14", "AZ-20")
@pytest.mark.parametrize(
    ("answer", "status", "nothing", "kindless", "choice"),
    [
        (None, 200, False, False, "all"),
        (ConsentAnswer(frozenset()), 422, True, False, "none"),
        (ConsentAnswer(frozenset(), {1: frozenset()}), 422, False, True, "some"),
    ],
    ids=["the question", "nothing was chosen", "no kind was chosen"],
)
def test_the_page_asks_and_says_what_is_wrong_with_an_answer(
    make_client: MakeClient,
    person: User,
    server: FhirServer,
    monkeypatch: pytest.MonkeyPatch,
    answer: ConsentAnswer | None,
    status: int,
    nothing: bool,
    kindless: bool,
    choice: str,
) -> None:
    shown: list[dict[str, Any]] = []

    def watched(request: Any, template: str, context: dict[str, Any], **options: Any) -> HttpResponse:
        shown.append({**context, "leads_to": options["leads_to"]})
        return private_page(request, template, context, **options)

    monkeypatch.setattr(module, "private_page", watched)
    PatientRecord.objects.create(fhir_server=server, patient="amy", name="Amy Shaw")
    pending = wait(make_client(), server, person, patient="amy")

    response = consent_page(browser(person), pending, person, SCOPE, answer)

    (context,) = shown
    lines = offered_lines(pending, person, SCOPE)
    assert response.status_code == status
    assert (context["nothing"], context["kindless"]) == (nothing, kindless)
    assert (context["offered"], context["authorization_request"]) == (SCOPE, pending.request)
    assert context["question"] == question_digest(pending, person, SCOPE)
    assert context["leads_to"] == pending.redirect_uri
    assert (context["record"], context["pending"]) == ("Amy Shaw", pending)
    assert [line for line, _ in context["times"]] == [line for line in lines if line.group == TIME]
    assert [row.choice for group in context["groups"] for row in group.rows] == [choice]
    assert context["has_ticks"]


@pytest.mark.requirement("AZ-14")
@pytest.mark.parametrize(
    ("scope", "words"), [("openid", "what is listed below."), ("openid profile", "what is ticked below. Untick")]
)
def test_a_page_on_which_nothing_can_be_unticked_does_not_say_that_it_can(
    make_client: MakeClient, person: User, scope: str, words: str
) -> None:
    request = asked(openid=True, scope=scope, fhir_version=NO_FHIR, needs_patient=False)
    pending = wait(make_client("secret", profile="openid"), FhirServer.userinfo(), person, request)

    page = consent_page(browser(person), pending, person, scope)

    assert f"The app asks for {words}" in page.content.decode()
