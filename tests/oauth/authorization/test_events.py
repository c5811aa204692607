"""The events of the authorization endpoint: whose request it was, and what of it may stand in the trail."""

import secrets
from typing import Any

import pytest

from audit.event_kinds import EventKind
from oauth.authorization.events import interaction_event, record_refused_request, record_refused_step
from oauth.models import public_reference
from smart.explanation import Explanation
from smart.http.urls import LONGEST
from tests.fixture_types import Events, MakeClient, MakePerson
from tests.oauth.authorization.waiting_requests import ADDRESS, browser, wait

SENT = {
    "client_id": "an-unknown-app",
    "redirect_uri": "https://amy@evil.example/cb?code=secret",
    "state": "secret",
    "aud": "https://evil.example/fhir?a=secret",
    "resource": "https://evil.example/other#secret",
    "scope": "patient/Nothing.rs?a=b\u202e",
}


@pytest.fixture(autouse=True)
def development(settings: Any) -> None:
    settings.SMARTAUTH_DEV = True  # each of them is recorded


@pytest.mark.requirement("HI-08")
@pytest.mark.parametrize("signed_in", [True, False])
def test_an_event_of_a_waiting_request_names_app_person_fhir_server_and_its_number(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any, signed_in: bool
) -> None:
    person = make_person("amy")
    pending = wait(make_client(), fhir_server, person if signed_in else None)

    event = interaction_event(browser(), pending, EventKind.ALLOWED, at=7, reason="a reason", patient="amy")

    assert (event.kind, event.at, event.address) == ("allowed", 7, ADDRESS)
    assert (event.client, event.fhir_server) == (pending.row.client.client_id, fhir_server.base)
    assert (event.person, event.reference) == (person.subject if signed_in else "", public_reference(pending.row.pk))
    assert (event.reason, event.patient) == ("a reason", "amy")


@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize(
    ("rule", "case", "presented"),
    [
        ("AZ-05", "E4", "https://evil.example/cb"),
        ("AZ-08", "E19", "https://evil.example/fhir"),
        ("AZ-08", "E20", "https://evil.example/other"),
        ("SCP-06", "E24", "patient/Nothing.rs?a=b?"),
        ("AZ-24", "E39", ""),
    ],
)
def test_of_what_was_refused_no_secret_stands_in_the_trail(
    events: Events, rule: str, case: str, presented: str
) -> None:
    reference = secrets.token_hex(8)

    record_refused_request(browser(), Explanation(rule, "a sentence", "secret", case=case), reference, SENT, None)

    (event,) = events("authorize-refused", reference=reference)
    assert (event.rule, event.case, event.reason, event.presented) == (rule, case, "a sentence", presented)
    assert (event.client, event.address) == ("an-unknown-app", ADDRESS)


@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize(("length", "kept"), [(LONGEST, LONGEST), (LONGEST + 1, LONGEST)])
def test_a_long_scope_is_cut(events: Events, length: int, kept: int) -> None:
    reference = secrets.token_hex(8)

    record_refused_request(browser(), Explanation("SCP-06", "what"), reference, {"scope": "s" * length}, None)

    (event,) = events("authorize-refused", reference=reference)
    assert event.presented == "s" * kept


@pytest.mark.requirement("AZ-25")
def test_the_client_of_a_refused_request_is_the_known_one_else_what_could_be_one(
    make_client: MakeClient, events: Events
) -> None:
    client, references = make_client(), [secrets.token_hex(8) for _ in range(3)]
    for reference, known, sent in zip(
        references, (client, None, None), (SENT, {}, {"client_id": "\u00c4my"}), strict=True
    ):
        record_refused_request(browser(), Explanation("AZ-06", "what"), reference, sent, known)

    found = [events("authorize-refused", reference=reference)[0] for reference in references]
    assert [event.client for event in found] == [client.client_id, "", ""]
    assert [event.presented for event in found] == [""] * 3


@pytest.mark.requirement("AZ-25")
def test_of_a_waiting_request_that_was_refused_nothing_that_was_sent_is_kept(
    make_client: MakeClient, fhir_server: Any, events: Events
) -> None:
    pending = wait(make_client(), fhir_server)

    record_refused_step(browser(), pending, Explanation("AZ-20", "what", "secret", case="E40"))

    (event,) = events("authorize-refused", client=pending.row.client.client_id)
    assert (event.rule, event.case, event.presented) == ("AZ-20", "E40", "")
    assert (event.reference, event.fhir_server) == (public_reference(pending.row.pk), fhir_server.base)
