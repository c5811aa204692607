"""A waiting request ends without a code: what the app hears, what the person sees, which event there is."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import OperationalError
from django.http import HttpResponse

from oauth.authorization import refusals
from oauth.models import PendingRequest, public_reference
from smart.authorize.error_pages import Unredirectable
from smart.explanation import explanation_of
from smart.http.errors import AccessDenied, ConsentRequired, ServerError
from tests.fixture_types import Events, MakeClient, MakePerson
from tests.oauth.authorization.waiting_requests import URI, asked, browser, wait


@pytest.fixture(autouse=True)
def development(settings: Any) -> None:
    settings.SMARTAUTH_DEV = True  # each refusal is recorded, and explained to the app


def told(response: HttpResponse) -> dict[str, str]:
    """What a redirect to the app says."""
    assert response.status_code == 303
    assert response["Location"].startswith(URI)
    return {name: value for name, (value,) in parse_qs(urlsplit(response["Location"]).query).items()}


def explained(response: HttpResponse) -> str:
    """What a developer reads of the refusal."""
    explanation = explanation_of(response)
    assert explanation
    return explanation.line


def answered(pending: Any) -> bool:
    return PendingRequest.objects.get(pk=pending.row.pk).answered_at > 0


@pytest.mark.requirement("AZ-06", "AZ-14", "E31")
def test_what_a_person_denies_is_an_event_and_the_app_hears_it(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any, events: Events, settings: Any
) -> None:
    person = make_person("amy")
    pending = wait(make_client(), fhir_server, person)

    answer = told(refusals.refuse(browser(person), pending, refusals.denied_by_user()))

    number = public_reference(pending.row.pk)
    assert (answer["error"], answer["error_description"]) == ("access_denied", "the user did not allow access")
    assert (answer["state"], answer["iss"]) == ("the state", settings.SMARTAUTH_ISSUER)
    assert answer["error_uri"].endswith(f"/{number}")
    (event,) = events("denied", reference=number)
    assert (event.reason, event.person) == ("access_denied", person.subject)
    assert events("authorize-refused", reference=number) == []
    assert answered(pending)


@pytest.mark.requirement("AZ-22", "E32")
@pytest.mark.parametrize(
    ("refusal", "recorded"),
    [(ConsentRequired("what", rule="AZ-22", case="E32"), 1), (AccessDenied("what", rule="AZ-14", case="E31"), 0)],
    ids=["a rule", "a cancel"],
)
def test_what_nobody_signed_in_to_is_denied_by_nobody(
    make_client: MakeClient, fhir_server: Any, events: Events, refusal: Any, recorded: int
) -> None:
    pending = wait(make_client(), fhir_server)

    response = refusals.refuse(browser(), pending, refusal)

    number = public_reference(pending.row.pk)
    assert events("denied", reference=number) == []
    assert len(events("authorize-refused", reference=number)) == recorded
    assert explained(response) == f"{refusal.explanation.rule} what ({number})"


@pytest.mark.requirement("AZ-18", "E32")
@pytest.mark.parametrize(("prompt", "status"), [("none", 303), ("", 200)])
def test_where_no_form_may_end_a_page_leads_on_but_for_a_quiet_request(
    make_client: MakeClient, fhir_server: Any, prompt: str, status: int
) -> None:
    pending = wait(make_client(), fhir_server, request=asked(prompt=prompt))
    pending = type(pending)(pending.row, "handle", "https://[::1]/cb", "", "", pending.authorization_request)

    assert refusals.refuse(browser(), pending, refusals.denied_by_user()).status_code == status


@pytest.mark.requirement("AZ-13")
def test_what_was_refused_before_is_told_after_the_login(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any, events: Events
) -> None:
    person = make_person("amy")
    pending = wait(make_client(), fhir_server, person)
    pending = type(pending)(pending.row, "handle", URI, "", refused=f"{URI}?error=invalid_scope")

    answer = told(refusals.send_stored_refusal(browser(person), pending))

    (event,) = events("denied", reference=public_reference(pending.row.pk))
    assert (answer, event.reason) == ({"error": "invalid_scope"}, "refused before")
    assert answered(pending)


@pytest.mark.requirement("AZ-13", "E42")
def test_an_earlier_refusal_whose_event_cannot_be_written_may_be_told_again(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    person = make_person("amy")
    pending = wait(make_client(), fhir_server, person)
    monkeypatch.setattr("oauth.authorization.refusals.record_events", failing)

    with pytest.raises(OperationalError):
        refusals.send_stored_refusal(browser(person), pending)
    with pytest.raises(OperationalError):
        refusals.refuse(browser(person), pending, refusals.denied_by_user())

    assert not answered(pending)


@pytest.mark.requirement("SD-20", "AZ-22")
@pytest.mark.parametrize(("signed_in", "network"), [(True, ""), (False, "a network")])
def test_what_a_rule_refuses_somebody_who_is_signed_in_takes_no_room_and_is_one_event(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any, events: Events, signed_in: bool, network: str
) -> None:
    person = make_person("amy")
    pending = wait(make_client(), fhir_server, person, caller_network="a network")

    refusals.refuse(browser(person if signed_in else None), pending, ConsentRequired("what", rule="AZ-22", case="E32"))

    assert PendingRequest.objects.get(pk=pending.row.pk).caller_network == network
    number = public_reference(pending.row.pk)
    assert (len(events("denied", reference=number)), len(events("authorize-refused", reference=number))) == (1, 0)


@pytest.mark.requirement("E30")
def test_a_tampered_choice_is_one_event_and_a_page_without_another(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any, events: Events
) -> None:
    person = make_person("amy")
    pending = wait(make_client(), fhir_server, person)

    with pytest.raises(Unredirectable) as refused:
        refusals.refuse_tampered_choice(browser(person), pending, "a line that was not offered")
    page = refusals.stop_step(browser(person), pending, refused.value)

    number = public_reference(pending.row.pk)
    (event,) = events("choice-tampered", reference=number)
    assert (event.reason, event.case) == ("a line that was not offered", "E30")
    assert (event.rule, refused.value.what) == (refused.value.rule, "a line that was not offered")
    assert events("authorize-refused", reference=number) == []
    assert number in page.content.decode()


@pytest.mark.requirement("E40")
@pytest.mark.parametrize("enabled", [1, 0])
def test_a_step_that_stops_is_an_event_and_its_page_names_an_app_that_is_enabled(
    make_client: MakeClient, fhir_server: Any, events: Events, enabled: int
) -> None:
    pending = wait(make_client(name="Growth Chart", enabled=enabled), fhir_server)

    page = refusals.stop_step(browser(), pending, Unredirectable("E1", "the client was disabled meanwhile"))

    number = public_reference(pending.row.pk)
    (event,) = events("authorize-refused", reference=number)
    assert (event.case, event.reason) == ("E1", "the client was disabled meanwhile")
    assert number in page.content.decode()
    assert f'<strong dir="auto">{"Growth Chart" if enabled else "A request"}</strong>' in page.content.decode()


@pytest.mark.requirement("AZ-13", "E42")
@pytest.mark.parametrize(
    ("approved", "signed_in", "goes_to_the_app"), [(1, False, True), (0, True, True), (0, False, False)]
)
def test_a_failure_goes_to_an_app_that_somebody_approved_or_signed_in_for(
    make_client: MakeClient,
    make_person: MakePerson,
    fhir_server: Any,
    approved: int,
    signed_in: bool,
    goes_to_the_app: bool,
) -> None:
    pending = wait(make_client(approved=approved), fhir_server)
    request = browser(make_person() if signed_in else None)

    response = refusals.failure_response(request, pending, ServerError("failed", rule="E42", case="E42"))

    if goes_to_the_app:
        assert told(response)["error"] == "server_error"
    else:
        assert response.status_code == 500


@pytest.mark.requirement("E40", "AZ-25")
@pytest.mark.parametrize("late", [True, False], ids=["too late", "a second time"])
def test_an_answer_too_late_or_a_second_one_is_an_event_under_the_number_of_the_request(
    make_client: MakeClient, fhir_server: Any, events: Events, settings: Any, late: bool
) -> None:
    settings.SMARTAUTH_PENDING_REQUEST_SECONDS = 1020
    pending = wait(make_client(), fhir_server)

    respond = refusals.expired_response if late else refusals.already_answered_response
    page = respond(browser(), pending)

    number = public_reference(pending.row.pk)
    (event,) = events("authorize-refused", reference=number)
    what = "the request waited too long" if late else "the request was answered before"
    assert (event.case, event.reason) == ("E40", what)
    assert explained(page).endswith(f"{what} ({number})")
    text = page.content.decode()
    assert number in text
    assert (f"{URI}?error=access_denied" in text, "17 minutes" in text) == (late, late)
