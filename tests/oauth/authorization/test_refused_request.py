"""A refused authorization request leaves an event under the reference that its page or its error names."""

from typing import Any

import pytest
from django.db import OperationalError

from audit.models import OutboxEvent
from oauth.authorization.pending_request import Pending
from oauth.authorization.refused_request import TooManyWaiting, refuse_request, stop
from oauth.http.refusal_events import _counted_here
from oauth.models import FhirServer, PendingRequest, public_reference
from smart.authorize.error_pages import Unredirectable
from smart.explanation import explanation_of
from smart.http.errors import AccessDenied, ServerError, TemporarilyUnavailable
from tests.fixture_types import Events, MakeClient, MakePerson, MakeVisitor
from tests.oauth.authorization.authorize_pages import events_of, page_reference
from tests.oauth.authorization.waiting_requests import URI, browser
from tests.oauth.visitor import Visitor, redirect_query

REFUSED = "authorize-refused"


@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize(
    ("changes", "details"),
    [
        (
            {"redirect_uri": "https://evil.example/cb?code=secret#secret"},
            ("AZ-05", "E7", "redirect_uri has a fragment or a dangerous scheme", "https://evil.example/cb"),
        ),
        (
            {"redirect_uri": "https://amy:secret@evil.example/cb?code=secret"},
            ("AZ-05", "E4", "redirect_uri is not one of those registered", "https://evil.example/cb"),
        ),
        ({"redirect_uri": None}, ("AZ-03", "E3", "redirect_uri is missing", "")),
        ({"state": "secret" * 500}, ("AZ-24", "E39", "state is longer than 2048 characters", "")),
    ],
    ids=["fragment", "not registered", "missing", "state"],
)
def test_the_reference_of_an_error_page_leads_to_its_event(
    visitor: Visitor, make_client: MakeClient, changes: dict[str, Any], details: tuple[str, ...]
) -> None:
    client = make_client()

    response = visitor.ask(client, **changes)

    (event,) = events_of(page_reference(response))
    assert (event.kind, event.rule, event.case, event.reason, event.presented) == (REFUSED, *details)
    assert (event.client, event.address, event.person) == (client.client_id, visitor.address, "")
    assert "secret" not in event.reason + event.presented


@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize(
    ("client_id", "kept"), [("nobody-knows", "nobody-knows"), ("a" * 101, ""), ("Ämy", "")], ids=["id", "long", "name"]
)
def test_of_an_unknown_client_only_what_may_be_a_client_id_is_kept(
    visitor: Visitor, make_client: MakeClient, client_id: str, kept: str
) -> None:
    response = visitor.ask(make_client(), client_id=client_id)

    (event,) = events_of(page_reference(response))
    assert (event.rule, event.case, event.client) == ("AZ-06", "E1", kept)
    assert event.reason == "client_id is missing, unknown or disabled"


@pytest.mark.requirement("AZ-25", "AZ-13")
@pytest.mark.parametrize("approved", [1, 0], ids=["approved", "not approved"])
def test_an_error_that_goes_to_the_app_leaves_an_event_and_in_development_names_it(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, approved: int
) -> None:
    client = make_client(approved=approved)

    response = visitor.ask(client, aud="https://evil.example/fhir?token=secret")
    if not approved:
        response = visitor.sign_in(visitor.follow(response), make_person("amy"))

    uri = redirect_query(response)["error_uri"]
    assert uri.startswith("http://127.0.0.1:8000/explain/")
    (event,) = events_of(uri.rpartition("/")[2])
    assert (event.kind, event.client) == (REFUSED, client.client_id)
    assert event.presented == "https://evil.example/fhir"
    assert "secret" not in event.reason


@pytest.mark.requirement("AZ-25")
def test_outside_development_the_answer_to_the_app_names_nothing(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, settings: Any
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))
    settings.SMARTAUTH_DEV = False

    at_once, later = visitor.ask(client, aud="https://evil.example/fhir"), visitor.send(page, answer="deny")

    for response in (at_once, later):
        assert set(redirect_query(response)) == {"error", "error_description", "state", "iss"}
        assert "X-Smartauth-Reason" not in response.headers
    assert OutboxEvent.objects.filter(kind=REFUSED, client=client.client_id).count() == 1


@pytest.mark.requirement("AZ-25")
def test_outside_development_strangers_fill_no_trail_and_another_case_is_still_seen(
    visitor: Visitor, make_visitor: MakeVisitor, make_client: MakeClient, settings: Any
) -> None:
    client, elsewhere = make_client(), make_visitor()
    settings.SMARTAUTH_DEV = False

    for _ in range(12):
        assert visitor.ask(client, redirect_uri="https://evil.example/cb").status_code == 400
    here = "E4", visitor.address
    _counted_here[here] = _counted_here[here]._replace(number=99)
    visitor.ask(client, redirect_uri="https://evil.example/cb")
    visitor.ask(client, redirect_uri=None)
    elsewhere.ask(client, redirect_uri="https://evil.example/cb")

    events = OutboxEvent.objects.filter(kind=REFUSED, client=client.client_id)
    flood = [event.reason for event in events.filter(address=visitor.address, case="E4").order_by("pk")]
    assert len(flood) == 11
    assert flood[-1].endswith(", 100 so far")
    assert events.filter(address=visitor.address).exclude(case="E4").count() == 1
    assert events.filter(address=elsewhere.address).count() == 1


@pytest.mark.requirement("AZ-06", "AZ-25")
def test_the_page_of_a_request_that_goes_nowhere_names_an_app_that_is_known_and_enabled(
    make_client: MakeClient,
) -> None:
    for client, name in (
        (make_client(name="Growth Chart"), "Growth Chart"),
        (make_client(name="Growth Chart", enabled=0), "A request"),
        (None, "A request"),
    ):
        page = stop(browser(), Unredirectable("E4", "what"), {}, client, explained={"rule": "AZ-05", "case": "E4"})
        assert f'<strong dir="auto">{name}</strong>' in page.content.decode()
        assert "Which rule refused" in page.content.decode()


@pytest.mark.requirement("AZ-13")
@pytest.mark.parametrize("openid", [False, True], ids=["smart", "openid"])
def test_a_refusal_that_waits_for_a_login_does_so_at_a_server_of_its_client(
    make_client: MakeClient, fhir_server: Any, openid: bool
) -> None:
    client = make_client(approved=0)
    if openid:
        client.fhir_servers.clear()

    refuse_request(browser(), client, URI, {}, AccessDenied("what", rule="AZ-14"))

    row = PendingRequest.objects.get(client=client)
    assert row.fhir_server == (FhirServer.userinfo() if openid else fhir_server)
    assert Pending.of(row, "handle").refused.startswith(f"{URI}?error=access_denied")


@pytest.mark.requirement("AZ-06", "AZ-18", "AZ-25")
@pytest.mark.parametrize("development", [True, False])
def test_what_goes_to_the_app_at_once_needs_no_page_and_has_a_reference(
    make_client: MakeClient, events: Events, settings: Any, development: bool
) -> None:
    settings.SMARTAUTH_DEV = development
    client = make_client()

    response = refuse_request(browser(), client, "https://[::1]/cb", {}, AccessDenied("what", rule="AZ-14"))

    assert response.status_code == 303
    (event,) = events(REFUSED, client=client.client_id)
    explanation = explanation_of(response)
    assert explanation is not None
    assert explanation.reference == event.reference != ""


@pytest.mark.requirement("AZ-25", "SD-20")
def test_a_request_that_finds_no_room_leaves_an_event_and_a_failure_of_ours_none(
    make_client: MakeClient, events: Events
) -> None:
    for refusal, recorded in (
        (TooManyWaiting("too many", rule="AZ-13"), 1),
        (TemporarilyUnavailable("failed", rule="E42"), 0),
        (ServerError("failed", rule="E42"), 0),
    ):
        client = make_client()
        refuse_request(browser(), client, URI, {}, refusal)
        assert len(events(REFUSED, client=client.client_id)) == recorded


@pytest.mark.requirement("AZ-25", "E40")
@pytest.mark.parametrize("too_late", [False, True], ids=["answered before", "expired"])
def test_a_page_that_stopped_later_has_the_number_of_its_request_as_reference(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, too_late: bool
) -> None:
    client, person = make_client(), make_person("amy")
    page = visitor.reach_consent(client, person)
    row = PendingRequest.objects.get(client=client)
    PendingRequest.objects.filter(pk=row.pk).update(**{"expires_at": 1} if too_late else {"answered_at": 1})

    response = visitor.allow(page)

    assert page_reference(response) == public_reference(row.pk)
    (event,) = events_of(public_reference(row.pk))
    assert (event.kind, event.client, event.person) == (REFUSED, client.client_id, person.subject)
    assert (event.rule, event.case) == ("AZ-20", "E40")
    assert event.reason == f"the request {'waited too long' if too_late else 'was answered before'}"


@pytest.mark.requirement("E30")
def test_the_page_of_a_tampered_choice_leads_to_its_one_event(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    page = visitor.reach_consent(make_client(), make_person("amy"))

    response = visitor.allow(page, ask="999")

    (event,) = events_of(page_reference(response))
    assert (event.kind, event.reason) == ("choice-tampered", "a line that was not offered")


@pytest.mark.requirement("E40")
def test_a_form_without_the_token_of_its_page_leaves_an_event(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    page = visitor.reach_consent(make_client(), make_person("amy"))

    response = visitor.request("POST", page.url.path, data={"answer": "allow"})

    (event,) = events_of(page_reference(response))
    assert (event.kind, event.rule, event.case) == ("form-refused", "AZ-20", "E40")
    assert event.reason == "CSRF token missing."


@pytest.mark.requirement("E42")
def test_a_page_is_shown_also_where_its_event_cannot_be_written(
    visitor: Visitor, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr("accounts.rate_limit.count", fail)

    response = visitor.ask(make_client(), redirect_uri="https://evil.example/cb")

    assert response.status_code == 400
    assert events_of(page_reference(response)) == []
