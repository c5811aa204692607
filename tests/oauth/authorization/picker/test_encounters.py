"""Which visit: those of the chosen patient, and no others (AZ-12, LC-03, E30)."""

import secrets
from typing import Any, Protocol

import pytest
from django.http import QueryDict

from audit.models import OutboxEvent
from oauth.authorization.picker import encounters
from oauth.authorization.picker.options import Option
from oauth.models import (
    ActsFor,
    Authorization,
    EncounterRecord,
    FhirIdentity,
    FhirServer,
    PatientRecord,
    PendingRequest,
)
from smart.authorize.error_pages import Unredirectable
from tests.conftest import App
from tests.fixture_types import Introspect, MakeClient, MakePerson
from tests.oauth.authorization.waiting_requests import asked, browser, wait
from tests.oauth.remembering import exchange, refreshing_client
from tests.oauth.visitor import Visitor, redirect_query

SCOPE = "launch/encounter patient/Observation.rs"


class MakeParent(Protocol):
    def __call__(self, *visits: int) -> tuple[Any, list[PatientRecord]]: ...


@pytest.fixture
def make_parent(make_person: MakePerson, fhir_server: Any) -> MakeParent:
    """Somebody who acts for as many patients, each with so many visits."""

    def make(*visits: int) -> tuple[Any, list[PatientRecord]]:
        parent, records = make_person(is_="RelatedPerson/carol"), []
        for count in visits:
            word = secrets.token_hex(4)
            record = PatientRecord.objects.create(fhir_server=fhir_server, patient=f"p-{word}", name=f"Dan {word}")
            ActsFor.objects.create(identity=FhirIdentity.objects.get(user=parent), record=record)
            for number in range(count):
                EncounterRecord.objects.create(
                    record=record, encounter=f"e-{word}-{number}", kind=f"Check-up {number}",
                    day=f"2026-{number % 12 + 1:02}-03", place="Harbour Clinic",
                )  # fmt: skip
            records.append(record)
        return parent, records

    return make


def picked(visitor: Visitor, client: Any, parent: Any, record: PatientRecord, scope: str = SCOPE) -> Any:
    """The page after the patient was chosen."""
    asked = visitor.ask(client, scope=scope, redirect_uri="https://app.example/cb")
    page = visitor.sign_in(visitor.follow(asked), parent)
    return visitor.follow(visitor.send(page, patient=record.pk))


def offered(page: Any) -> list[int]:
    return [int(part.split('"')[0]) for part in page.text.split('name="encounter" value="')[1:]]


def chosen(client: Any) -> str:
    return PendingRequest.objects.get(client=client).encounter


@pytest.mark.requirement("AZ-12", "LC-01", "LC-03")
def test_the_visits_of_that_patient_are_offered_and_the_chosen_one_is_told(
    app: App, visitor: Visitor, make_client: MakeClient, make_parent: MakeParent, introspect: Introspect
) -> None:
    client = refreshing_client(make_client)
    parent, (dan, other) = make_parent(3, 2)

    page = picked(visitor, client, parent, dan)
    visit = dan.encounters.get(kind="Check-up 1")
    consent = visitor.follow(visitor.send(page, encounter=visit.pk))
    told = exchange(app, client, redirect_query(visitor.allow(consent))["code"])

    assert page.url.path.endswith("/encounter")
    assert set(offered(page)) == set(dan.encounters.values_list("pk", flat=True))
    assert not set(offered(page)) & set(other.encounters.values_list("pk", flat=True))
    assert 'Check-up 1</strong> <span class="hint">3 February 2026, Harbour Clinic' in page.text
    assert '<dt>Visit</dt><dd dir="auto">Check-up 1, 3 February 2026, Harbour Clinic</dd>' in consent.text
    assert (told["patient"], told["encounter"], told["scope"]) == (dan.patient, visit.encounter, SCOPE)
    claims = introspect(told["access_token"])
    assert (claims["patient"], claims["encounter"]) == (dan.patient, visit.encounter)


@pytest.mark.requirement("AZ-12")
def test_a_single_visit_is_preselected_and_still_shown(
    visitor: Visitor, make_client: MakeClient, make_parent: MakeParent
) -> None:
    client = refreshing_client(make_client)
    parent, (dan,) = make_parent(1)

    page = picked(visitor, client, parent, dan)

    assert page.url.path.endswith("/encounter")
    assert f'value="{dan.encounters.get().pk}" required checked' in page.text
    assert chosen(client) == ""


@pytest.mark.requirement("AZ-12", "SCP-06")
def test_without_a_visit_nothing_is_asked_and_nothing_is_told(
    app: App, visitor: Visitor, make_client: MakeClient, make_parent: MakeParent
) -> None:
    client = refreshing_client(make_client)
    parent, (dan,) = make_parent(0)

    consent = picked(visitor, client, parent, dan)
    told = exchange(app, client, redirect_query(visitor.allow(consent))["code"])

    assert "<dt>Visit</dt><dd>None recorded</dd>" in consent.text
    assert told["scope"] == "patient/Observation.rs"
    assert "encounter" not in told


@pytest.mark.requirement("E30", "LC-03", "AZ-20")
@pytest.mark.parametrize("forged", ["another patient's", "0", "-1", "9" * 20, "9" * 5000, "e-1", "١", "1 OR 1=1"])
def test_a_visit_that_was_not_offered_is_stopped_and_recorded(
    visitor: Visitor, make_client: MakeClient, make_parent: MakeParent, forged: str
) -> None:
    client = refreshing_client(make_client)
    parent, (dan, other) = make_parent(2, 2)
    page = picked(visitor, client, parent, dan)
    value = str(other.encounters.earliest("pk").pk) if forged == "another patient's" else forged

    response = visitor.send(page, encounter=value)

    assert response.status_code == 403
    assert "The page sent a choice that was not offered." in response.text
    assert "Location" not in response.headers
    assert chosen(client) == ""
    assert Authorization.objects.filter(client=client).count() == 0
    assert OutboxEvent.objects.filter(kind="choice-tampered", client=client.client_id).count() == 1


@pytest.mark.requirement("LC-03")
def test_another_patient_needs_another_visit(
    visitor: Visitor, make_client: MakeClient, make_parent: MakeParent
) -> None:
    client = refreshing_client(make_client)
    parent, (dan, other) = make_parent(2, 2)
    page = picked(visitor, client, parent, dan)
    first, second = offered(page)
    visitor.send(page, encounter=first)
    marked = visitor.request("GET", page.url.path).text
    assert [number for number in (first, second) if f'value="{number}" required checked' in marked] == [first]
    picker = visitor.request("GET", page.url.path.replace("/encounter", "/patient"))

    again = visitor.follow(visitor.send(picker, patient=other.pk))

    assert again.url.path.endswith("/encounter")
    assert set(offered(again)) == set(other.encounters.values_list("pk", flat=True))
    assert chosen(client) == ""


@pytest.mark.requirement("E40", "LC-03")
def test_the_consent_page_cannot_be_reached_around_the_visit(
    visitor: Visitor, make_client: MakeClient, make_parent: MakeParent
) -> None:
    client = refreshing_client(make_client)
    parent, (dan,) = make_parent(2)
    page = picked(visitor, client, parent, dan)

    around = visitor.follow(visitor.request("GET", page.url.path.replace("/encounter", "/consent")))

    assert around.url.path.endswith("/encounter")


def test_no_choice_at_all_is_asked_again(visitor: Visitor, make_client: MakeClient, make_parent: MakeParent) -> None:
    client = refreshing_client(make_client)
    parent, (dan,) = make_parent(2)

    response = visitor.send(picked(visitor, client, parent, dan))

    assert response.status_code == 422
    assert "No visit is chosen." in response.text
    assert chosen(client) == ""


@pytest.mark.requirement("E31")
def test_going_back_tells_the_app_that_access_was_denied(
    visitor: Visitor, make_client: MakeClient, make_parent: MakeParent
) -> None:
    client = refreshing_client(make_client)
    parent, (dan,) = make_parent(2)

    response = visitor.send(picked(visitor, client, parent, dan), cancel="1")

    assert redirect_query(response)["error"] == "access_denied"
    assert Authorization.objects.filter(client=client).count() == 0


@pytest.mark.parametrize(("name", "words"), [("Dan", "Dan"), ("", "this patient"), (None, "this patient")])
def test_the_page_says_whose_visits_they_are(
    make_client: MakeClient, make_person: MakePerson, name: str | None, words: str
) -> None:
    server = FhirServer.objects.create(base=f"https://{secrets.token_hex(8)}.test/fhir")
    if name is not None:
        PatientRecord.objects.create(fhir_server=server, patient="p1", name=name)
    person = make_person()
    pending = wait(make_client(), server, person, asked(needs_encounter=True), patient="p1")

    page = encounters._page(browser(person), pending)

    assert page.status_code == 200
    assert f'<span dir="auto">{words}</span>' in page.content.decode()


def test_many_visits_can_be_searched(visitor: Visitor, make_client: MakeClient, make_parent: MakeParent) -> None:
    client = refreshing_client(make_client)
    parent, (dan,) = make_parent(23)
    page = picked(visitor, client, parent, dan)

    found = visitor.request("GET", page.url.path, params={"q": "2026-02"})
    nothing = visitor.request("GET", page.url.path, params={"q": "\"><script>%'\0"})

    assert len(offered(page)) == 20
    assert "<strong>20 of 23 visits fit.</strong>" in page.text
    assert len(offered(found)) == 2
    assert "No visit fits" in nothing.text
    assert "Show all 23 visits" in nothing.text
    assert "<script" not in nothing.text


@pytest.mark.requirement("E40", "LC-03")
def test_a_consent_page_about_one_visit_does_not_allow_another(
    visitor: Visitor, make_client: MakeClient, make_parent: MakeParent
) -> None:
    client = refreshing_client(make_client)
    parent, (dan,) = make_parent(2)
    page = picked(visitor, client, parent, dan)
    first, second = offered(page)
    consent = visitor.follow(visitor.send(page, encounter=first))
    visitor.send(page, encounter=second)  # in another tab

    response = visitor.allow(consent)

    assert consent.url.path.endswith("/consent")
    assert response.status_code == 403
    assert Authorization.objects.filter(client=client).count() == 0


@pytest.mark.requirement("LC-03")
def test_an_option_says_kind_day_and_place_and_is_selected_if_it_was_chosen_or_is_the_only_one(
    make_client: MakeClient,
) -> None:
    server = FhirServer.objects.create(base=f"https://{secrets.token_hex(8)}.test/fhir")
    record = PatientRecord.objects.create(fhir_server=server, patient="p1")
    visit = EncounterRecord.objects.create(
        record=record, encounter="v1", kind="Check-up", day="2026-11-03", place="Harbour Clinic"
    )

    for chosen, only, selected in (("", False, False), ("v2", False, False), ("", True, True), ("v1", False, True)):
        option = encounters._option(visit, wait(make_client(), server, encounter=chosen), only=only)
        assert option == Option(visit.pk, "Check-up", "3 November 2026, Harbour Clinic", "", selected)


@pytest.mark.requirement("LC-03", "E30")
def test_a_form_without_a_visit_is_asked_again_and_one_with_a_visit_leads_on(
    make_client: MakeClient, make_person: MakePerson
) -> None:
    server = FhirServer.objects.create(base=f"https://{secrets.token_hex(8)}.test/fhir")
    record = PatientRecord.objects.create(fhir_server=server, patient="p1")
    visits = [EncounterRecord.objects.create(record=record, encounter=f"v{number}") for number in range(2)]
    person = make_person()
    pending = wait(make_client(), server, person, asked(needs_encounter=True), patient="p1")
    request = browser(person)

    missed = encounters._submit(request, pending)
    request.POST = QueryDict(f"encounter={visits[1].pk}")
    leads_on = encounters._submit(request, pending)

    assert (missed.status_code, "No visit is chosen." in missed.content.decode()) == (422, True)
    assert (leads_on.headers["Location"], pending.row.encounter) == (pending.url, "v1")
    request.POST = QueryDict("encounter=0")
    with pytest.raises(Unredirectable):
        encounters._submit(request, pending)
