"""What an app may demand of the login, rule by rule: how recent it is, what a quiet request hears (AZ-22, E32)."""

import secrets
from dataclasses import replace
from typing import Any

import pytest

from accounts import clock
from accounts.models import SignIn
from accounts.session_store import row_key
from oauth.authorization import prompts
from oauth.models import (
    AccessToken,
    ActsFor,
    AddressBlock,
    EncounterRecord,
    FhirIdentity,
    FhirServer,
    PatientRecord,
)
from smart.http.errors import OAuthError
from smart.time_units import SECOND
from tests.fixture_types import Grant, MakeClient, MakePerson, SetClock
from tests.oauth.authorization.waiting_requests import ADDRESS, asked, browser, wait


def logged_in(person: Any, at: int) -> Any:
    """The browser of somebody who signed in at that moment."""
    request = browser(person)
    key = row_key(request.session.session_key)
    SignIn.objects.create(user=person, session_id=key, address=ADDRESS, user_agent="", created_at=at)
    return request


@pytest.mark.requirement("AZ-22", "PR-08", "SD-05", "SD-06")
@pytest.mark.parametrize(
    ("asks", "login_after", "blocked_at", "login", "recent"),
    [
        ({}, 0, 0, None, True),
        ({"prompt": "login"}, 0, 0, None, False),
        ({"prompt": "login"}, 0, 0, 0, True),
        ({"prompt": "login"}, 0, 0, -1, False),
        ({"prompt": "select_account"}, 0, 0, -1, False),
        ({"max_age": "60"}, 0, 0, -60 * SECOND, True),
        ({"max_age": "60"}, 0, 0, -60 * SECOND - 1, False),
        ({}, -5, 0, -5, False),
        ({}, -5, 0, -4, True),
        ({}, 0, -5, -5, False),
        ({}, 0, -5, -4, True),
        ({}, 0, 5, 0, False),
        ({}, 0, 5, 1, True),
        ({"max_age": "60"}, -5, 0, -5, False),
    ],
)
def test_a_login_is_as_new_as_the_app_the_operators_and_a_block_want_it(
    make_client: MakeClient,
    make_person: MakePerson,
    fhir_server: Any,
    set_clock: SetClock,
    asks: dict[str, str],
    login_after: int,
    blocked_at: int,
    login: int | None,
    recent: bool,
) -> None:
    now = clock.now()
    set_clock(now + SECOND)
    client, person = make_client(), make_person()
    person.login_after = now + login_after if login_after else 0
    if blocked_at:
        AddressBlock.objects.create(user=person, client=client, blocked_at=now + blocked_at)
    pending = wait(client, fhir_server, person, asked(**asks), created_at=now)
    request = browser(person) if login is None else logged_in(person, now + login)

    assert prompts.is_login_recent(request, pending, person) is recent
    proved = not blocked_at or (login is not None and login > min(blocked_at, 0))
    assert prompts.must_confirm_password(request, pending, person) is not proved


def assert_explained(refusal: OAuthError) -> None:
    assert refusal.description == "prompt none was asked, but the user must act"
    assert (refusal.explanation.rule, refusal.explanation.case) == ("AZ-22", "E32")


@pytest.mark.requirement("SD-06")
def test_a_block_is_of_one_person_and_one_client(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any
) -> None:
    client, person, now = make_client(), make_person(), clock.now()
    pending = wait(client, fhir_server, person, created_at=now)
    for other in ({"user": make_person(), "client": client}, {"user": person, "client": make_client()}):
        AddressBlock.objects.create(**other, blocked_at=now - 5)
        assert prompts.is_login_recent(browser(person), pending, person)
        assert not prompts.must_confirm_password(browser(person), pending, person)

    AddressBlock.objects.create(user=person, client=client, blocked_at=now - 5)

    assert not prompts.is_login_recent(browser(person), pending, person)
    assert prompts.must_confirm_password(browser(person), pending, person)


@pytest.mark.requirement("AZ-22", "E32")
@pytest.mark.parametrize(
    ("asks", "error"),
    [
        ({}, "consent_required"),
        ({"max_age": "60"}, "login_required"),
        ({"subject": "somebody"}, "login_required"),
    ],
)
def test_an_app_that_holds_nothing_learns_nothing_of_who_is_signed_in(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any, asks: dict[str, str], error: str
) -> None:
    person = make_person()
    pending = wait(make_client(), fhir_server, request=asked(**asks))

    with pytest.raises(OAuthError) as refused:
        prompts.require_held_access(pending, person)

    assert refused.value.code == error
    assert_explained(refused.value)


@pytest.mark.requirement("AZ-22", "E32")
@pytest.mark.parametrize(
    ("asks", "fields", "error"),
    [
        ({}, {}, ""),
        ({"prompt": "login"}, {}, "login_required"),
        ({"subject": "somebody"}, {}, "login_required"),
        ({"subject": "the person"}, {}, ""),
        ({"login_hint": "somebody"}, {}, "account_selection_required"),
        ({"login_hint": "the name"}, {}, ""),
        ({"login_hint": "amy@example.org"}, {}, ""),
        ({}, {"always_asks_consent": 1}, "consent_required"),
    ],
    ids=str,
)
def test_a_quiet_request_is_answered_for_the_person_that_the_app_expects(
    make_client: MakeClient,
    make_person: MakePerson,
    grant: Grant,
    fhir_server: Any,
    asks: dict[str, str],
    fields: dict[str, Any],
    error: str,
) -> None:
    client, person = make_client(**fields), make_person("amy")
    person.email = "amy@example.org"
    held_access(grant(client, person).authorization)
    names = {"the person": person.subject, "the name": person.username}
    request = asked(**{name: names.get(value, value) for name, value in asks.items()})
    pending, browsing = wait(client, fhir_server, request=request), logged_in(person, clock.now() - SECOND)

    if error:
        with pytest.raises(OAuthError) as refused:
            prompts.resolve_silently(browsing, pending, person)
        assert (refused.value.code, pending.row.user) == (error, None)
        assert_explained(refused.value)
    else:
        assert prompts.resolve_silently(browsing, pending, person) == person
        assert (pending.row.user, pending.row.patient) == (person, "amy")


def held_access(row: Any) -> None:
    """An access token that lives."""
    now = clock.now()
    AccessToken.objects.create(
        authorization=row,
        digest=secrets.token_hex(32),
        authorization_epoch=row.epoch,
        claims="{}",
        issued_at=now,
        expires_at=now + 10**9,
    )


@pytest.mark.requirement("AZ-22", "E32")
def test_without_anybody_a_quiet_request_is_login_required_whatever_it_asks(
    make_client: MakeClient, fhir_server: Any
) -> None:
    with pytest.raises(OAuthError) as refused:
        prompts.resolve_silently(browser(), wait(make_client(), fhir_server), None)

    assert (refused.value.code, refused.value.explanation.what) == ("login_required", "nobody is signed in")
    assert_explained(refused.value)


@pytest.mark.requirement("AZ-22", "E32", "LC-03")
@pytest.mark.parametrize(
    ("patients", "visits", "error"),
    [(0, 0, "interaction_required"), (1, 1, ""), (1, 2, "interaction_required"), (2, 1, "interaction_required")],
)
def test_what_there_is_one_of_is_chosen_quietly(
    make_client: MakeClient, make_person: MakePerson, patients: int, visits: int, error: str
) -> None:
    server = FhirServer.objects.create(base=f"https://{secrets.token_hex(8)}.test/fhir")
    client, person = make_client(), make_person()
    identity = FhirIdentity.objects.create(user=person, fhir_server=server, resource="RelatedPerson/carol")
    for number in range(patients):
        record = PatientRecord.objects.create(fhir_server=server, patient=f"p{number}")
        ActsFor.objects.create(identity=identity, record=record)
        for visit in range(visits):
            EncounterRecord.objects.create(record=record, encounter=f"v{visit}")
    pending = wait(client, server, person, asked(needs_encounter=True))

    if error:
        with pytest.raises(OAuthError) as refused:
            prompts._choose_the_only_ones(pending, person)
        assert refused.value.code == error
        assert_explained(refused.value)
    else:
        prompts._choose_the_only_ones(pending, person)
        assert (pending.row.patient, pending.row.encounter) == ("p0", "v0")


@pytest.mark.requirement("AZ-10", "E32")
def test_a_patient_that_an_ehr_chose_is_chosen_also_among_several(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any
) -> None:
    person = make_person("amy", "ben")
    pending = wait(make_client(), fhir_server, person, patient="ben")

    prompts._choose_the_only_ones(pending, person)

    assert pending.row.patient == "ben"


@pytest.mark.requirement("AZ-22", "E32")
@pytest.mark.parametrize(("prompt", "silent"), [("none", True), ("login", False), ("", False)])
def test_a_request_is_quiet_by_its_prompt_and_one_that_was_refused_never(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any, prompt: str, silent: bool
) -> None:
    pending, person = wait(make_client(), fhir_server, request=asked(prompt=prompt)), make_person()
    refused = replace(pending, authorization_request=None)

    assert prompts.is_silent(pending) is silent
    assert not prompts.is_silent(refused)
    assert prompts.is_login_recent(browser(person), refused, person)
