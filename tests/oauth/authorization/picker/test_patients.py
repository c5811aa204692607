"""Whose record: those that the person may act for on this FHIR server, and no others."""

import secrets
from collections.abc import Callable
from typing import Any

import pytest
from django.http import QueryDict

from audit.models import OutboxEvent
from oauth.authorization.picker.patients import _option, _search_options, _submit
from oauth.models import ActsFor, Code, FhirIdentity, FhirServer, PatientRecord, PendingRequest
from smart.authorize.error_pages import Unredirectable
from smart.http.errors import AccessDenied
from tests.fixture_types import MakeClient, MakePerson
from tests.oauth.authorization.picker.producer_server import Producer
from tests.oauth.authorization.waiting_requests import browser, wait
from tests.oauth.visitor import Visitor, redirect_query, ticked_kinds


def offered(page: Any) -> list[int]:
    return [int(part.split('"')[0]) for part in page.text.split('name="patient" value="')[1:]]


def chosen(client: Any) -> str:
    return PendingRequest.objects.get(client=client).patient


@pytest.fixture
def make_guardian(make_person: MakePerson, fhir_server: Any) -> Callable[[int], Any]:
    """Somebody who acts for that many patients with names of their own."""

    def make(count: int) -> Any:
        word = secrets.token_hex(4)
        guardian = make_person(is_="Practitioner/dr")
        identity = FhirIdentity.objects.get(user=guardian)
        for number in range(count):
            record = PatientRecord.objects.create(
                fhir_server=fhir_server, patient=f"{word}-{number}", name=f"Patient {word} {number:02}",
                birth_date=f"19{number + 10}-01-02", record_number=f"HC-{word}-{number:02}", sex="female",
            )  # fmt: skip
            ActsFor.objects.create(identity=identity, record=record)
        return guardian

    return make


@pytest.mark.requirement("AZ-12")
def test_only_patients_that_the_person_may_act_for_at_this_base_are_offered(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, make_guardian: Callable[[int], Any],
    other_fhir_server: Any,
) -> None:  # fmt: skip
    guardian = make_guardian(2)
    make_person("ben")
    elsewhere = FhirIdentity.objects.create(user=guardian, fhir_server=other_fhir_server, resource="Practitioner/dr")
    foreign = PatientRecord.objects.create(fhir_server=other_fhir_server, patient=secrets.token_hex(4))
    ActsFor.objects.create(identity=elsewhere, record=foreign)

    page = visitor.sign_in(visitor.follow(visitor.ask(make_client())), guardian)

    mine = PatientRecord.objects.filter(acted_for_by__identity__user=guardian).exclude(pk=foreign.pk)
    assert sorted(offered(page)) == sorted(mine.values_list("pk", flat=True))
    assert " checked" not in page.text


@pytest.mark.requirement("AZ-12")
def test_a_single_candidate_is_preselected_and_consent_still_asked(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.sign_in(visitor.follow(visitor.ask(client)), make_person("dan", is_="RelatedPerson/carol"))

    assert page.url.path.endswith("/patient")
    assert " checked" in page.text
    page = visitor.follow(visitor.send(page, patient=offered(page)[0]))

    assert page.url.path.endswith("/consent")
    assert "the health record of Dan" in page.text
    assert ticked_kinds(page)


@pytest.mark.requirement("AZ-12")
def test_somebody_with_their_own_record_alone_is_led_past_the_picker_and_where_it_was_open_on_from_it(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    visitor.sign_in(visitor.follow(visitor.ask(make_client())), make_person("amy"))
    waiting = visitor.ask(client := make_client()).headers["Location"]

    resumed = visitor.request("GET", waiting)
    assert resumed.headers["Location"] == f"{waiting}/consent"
    assert chosen(client) == "amy"
    picker = visitor.request("GET", f"{waiting}/patient")
    assert (picker.status_code, picker.headers["Location"]) == (303, waiting)


@pytest.mark.requirement("AZ-12")
def test_somebody_with_their_own_record_alone_is_not_asked_which(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()

    page = visitor.sign_in(visitor.follow(visitor.ask(client)), make_person("amy"))

    assert page.url.path.endswith("/consent")
    assert "use your health record?" in page.text
    assert "Choose a record" not in page.text
    assert chosen(client) == "amy"


TAMPERED = ["0", "-1", "999999999999999999", "9" * 20, "9" * 5000, "amy", "1 OR 1=1", "١", "1.0"]


@pytest.mark.requirement("E30", "AZ-20")
@pytest.mark.parametrize("value", TAMPERED)
def test_a_choice_that_was_not_offered_is_stopped_and_recorded(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, value: str
) -> None:
    client = make_client()
    page = visitor.sign_in(visitor.follow(visitor.ask(client)), make_person("dan", is_="RelatedPerson/carol"))

    assert_refused_as_tampered(visitor.send(page, patient=value), client)


@pytest.mark.requirement("E30", "AZ-12")
def test_the_number_of_somebody_elses_patient_is_stopped_and_recorded(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    make_person("ben")
    page = visitor.sign_in(visitor.follow(visitor.ask(client)), make_person("dan", is_="RelatedPerson/carol"))

    assert_refused_as_tampered(visitor.send(page, patient=PatientRecord.objects.get(patient="ben").pk), client)


def assert_refused_as_tampered(response: Any, client: Any) -> None:
    assert response.status_code == 403
    assert "The page sent a choice that was not offered." in response.text
    assert "You did nothing wrong" not in response.text
    assert "Location" not in response.headers
    assert chosen(client) == ""
    assert Code.objects.filter(authorization__client=client).count() == 0
    assert OutboxEvent.objects.filter(kind="choice-tampered", client=client.client_id).count() == 1


@pytest.mark.requirement("E29")
def test_somebody_without_any_record_is_told_and_the_app_hears_it(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()

    page = visitor.sign_in(visitor.follow(visitor.ask(client)), make_person())
    response = visitor.send(page, cancel="1")

    assert "There is no health record that you may share." in page.text
    assert response.status_code == 303
    assert redirect_query(response)["error"] == "access_denied"
    assert redirect_query(response)["error_description"] == "there is no record that this user may share"
    assert redirect_query(response)["state"] == "state-of-the-app"
    assert Code.objects.filter(authorization__client=client).count() == 0


@pytest.mark.requirement("E31")
def test_going_back_tells_the_app_that_access_was_denied(
    visitor: Visitor, make_client: MakeClient, make_guardian: Callable[[int], Any]
) -> None:
    client = make_client()
    page = visitor.sign_in(visitor.follow(visitor.ask(client)), make_guardian(2))

    response = visitor.send(page, cancel="1")

    assert redirect_query(response)["error"] == "access_denied"
    assert PendingRequest.objects.get(client=client).answered_at > 0


def test_no_choice_at_all_is_asked_again(
    visitor: Visitor, make_client: MakeClient, make_guardian: Callable[[int], Any]
) -> None:
    client = make_client()
    page = visitor.sign_in(visitor.follow(visitor.ask(client)), make_guardian(2))

    response = visitor.send(page)

    assert response.status_code == 422
    assert "No patient is chosen." in response.text
    assert chosen(client) == ""


@pytest.mark.parametrize(("count", "searchable"), [(7, False), (8, True)])
def test_many_patients_can_be_searched(
    visitor: Visitor, make_client: MakeClient, make_guardian: Callable[[int], Any], count: int, searchable: bool
) -> None:
    page = visitor.sign_in(visitor.follow(visitor.ask(make_client())), make_guardian(count))

    assert ('name="q"' in page.text) is searchable
    assert len(offered(page)) == count


def test_at_most_twenty_are_shown_and_the_others_are_found_by_typing(
    visitor: Visitor, make_client: MakeClient, make_guardian: Callable[[int], Any]
) -> None:
    page = visitor.sign_in(visitor.follow(visitor.ask(make_client())), make_guardian(23))
    found = visitor.request("GET", page.url.path, params={"q": "1932-01-02"})
    nobody = visitor.request("GET", page.url.path, params={"q": "\"><script>'%\0"})

    assert len(offered(page)) == 20
    assert "<strong>20 of 23 patients fit.</strong> Type more to find the others." in page.text
    assert len(offered(found)) == 1
    assert "No patient fits" in nobody.text
    assert "Show all 23 patients" in nobody.text
    assert "<script" not in nobody.text


@pytest.mark.requirement("AZ-12")
@pytest.mark.parametrize("count", [19, 20, 21])
def test_of_a_search_at_most_twenty_are_offered_and_the_one_that_was_chosen_is_selected(
    rf: Any, make_client: MakeClient, producer: Producer, base: FhirServer, count: int
) -> None:
    producer.has(*({"id": f"p{number}"} for number in range(count)))
    pending, every = wait(make_client(), base, patient="p3"), PatientRecord.objects.filter(fhir_server=base)

    found = _search_options(rf.get("/?q=Ada"), pending, every)

    shown = min(count, 20)
    assert (len(found.rows), found.total, found.search_text) == (shown, shown, "Ada")
    assert (found.has_more, found.searchable, found.search_failed) == (count >= 20, True, False)
    assert {row.name for row in found.rows} == {"Name not recorded"}
    assert [row.number for row in found.rows if row.selected] == [every.get(patient="p3").pk]


@pytest.mark.requirement("AZ-12", "E42")
def test_without_a_search_nobody_is_offered_and_one_that_failed_says_so(
    rf: Any, make_client: MakeClient, producer: Producer, base: FhirServer
) -> None:
    producer.status = 500
    pending, every = wait(make_client(), base), PatientRecord.objects.filter(fhir_server=base)

    nothing, failed = (_search_options(rf.get(query), pending, every) for query in ("/", "/?q=Ada"))

    assert [(found.rows, found.has_more, found.search_failed) for found in (nothing, failed)] == [
        ([], False, False), ([], False, True)
    ]  # fmt: skip
    assert len(producer.asked) == 1


@pytest.mark.requirement("AZ-12", "E29", "E30", "E31")
def test_a_form_of_the_picker_is_a_choice_a_cancel_or_is_asked_again(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any
) -> None:
    guardian, nobody = make_person("dan", "eve", is_="RelatedPerson/carol"), make_person()
    pending = wait(make_client(), fhir_server, guardian)
    eve = PatientRecord.objects.get(patient="eve", acted_for_by__identity__user=guardian)

    def submit(user: Any, form: str) -> Any:
        request = browser(user)
        request.POST = QueryDict(form)
        return _submit(request, pending, user)

    missed, leads_on = submit(guardian, ""), submit(guardian, f"patient={eve.pk}")

    assert (missed.status_code, "No patient is chosen." in missed.content.decode()) == (422, True)
    assert (leads_on.headers["Location"], pending.row.patient) == (pending.url, "eve")
    for user, form, words in (
        (guardian, "cancel=1", "the user did not allow access"),
        (nobody, "cancel=1", "there is no record that this user may share"),
    ):
        with pytest.raises(AccessDenied, match=words):
            submit(user, form)
    with pytest.raises(Unredirectable):
        submit(guardian, "patient=0")


@pytest.mark.requirement("AZ-12")
def test_an_option_names_the_patient_and_is_selected_if_it_was_chosen_or_is_the_only_one(
    make_client: MakeClient, fhir_server: Any
) -> None:
    dan = PatientRecord(pk=7, patient="dan", name="Dan", birth_date="2017-05-04", died="2020")

    for chosen, only, selected in (("", False, False), ("", True, True), ("dan", False, True)):
        option = _option(dan, wait(make_client(), fhir_server, patient=chosen), only=only)
        assert (option.number, option.name, option.died, option.selected) == (7, "Dan", "2020", selected)
        assert "4 May 2017" in option.description


@pytest.mark.requirement("AZ-12", "E29")
def test_who_finds_patients_by_a_search_is_asked_again_before_any_was_found(
    make_client: MakeClient, make_person: MakePerson, base: FhirServer
) -> None:
    person = make_person()
    FhirIdentity.objects.create(user=person, fhir_server=base, resource="Practitioner/dr")

    assert _submit(browser(person), wait(make_client(), base, person), person).status_code == 422
