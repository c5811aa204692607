"""What an app may demand of the login, and what it gets without troubling the person (AZ-22, E32, E33, E43)."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from accounts import clock
from accounts.models import SignIn
from audit.models import OutboxEvent
from oauth.models import (
    ActsFor,
    EncounterRecord,
    FhirIdentity,
    PatientRecord,
    PendingRequest,
)
from tests.conftest import REDIRECT_URI, App
from tests.fixture_types import Issue, MakeClient, MakePerson
from tests.oauth.remembering import HTTPS, MAY_ASK, OFFLINE, allow_for_good, assert_refused, grants, refreshing_client
from tests.oauth.visitor import FORM, Visitor, good_request, redirect_query


@pytest.mark.requirement("E33")
@pytest.mark.parametrize(
    "changes",
    [{"prompt": "none login"}, {"prompt": "create"}, {"prompt": "LOGIN"}, {"max_age": "-1"}, {"max_age": "soon"}],
    ids=str,
)
def test_a_prompt_or_age_that_means_nothing_is_told_to_the_app(
    visitor: Visitor, make_client: MakeClient, changes: dict[str, str]
) -> None:
    client = make_client()

    response = visitor.ask(client, **changes)

    assert_refused(response, "invalid_request")
    assert PendingRequest.objects.filter(client=client).count() == 0


@pytest.mark.requirement("E32", "AZ-13")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_a_session_a_quiet_request_is_login_required(
    visitor: Visitor, make_client: MakeClient, method: str
) -> None:
    client = make_client()
    form = urlencode(good_request(client, prompt="none"))

    if method == "GET":
        response = visitor.ask(client, prompt="none")
    else:
        waits = visitor.request("POST", "/o/authorize", content=form, headers=FORM)
        assert waits.headers["Location"].startswith("/o/authorize/")  # another site's POST brings no cookie
        response = visitor.follow(waits)

    assert_refused(response, "login_required")
    (event,) = OutboxEvent.objects.filter(kind="authorize-refused", client=client.client_id)
    assert (event.rule, event.case, event.reason) == ("AZ-22", "E32", "nobody is signed in")
    assert redirect_query(response)["error_description"] == "prompt none was asked, but the user must act"
    assert PendingRequest.objects.filter(client=client, answered_at=0).count() == 0


@pytest.mark.requirement("E32")
@pytest.mark.parametrize("approved", [1, 0])
def test_a_client_that_nobody_approved_hears_login_required_too(
    visitor: Visitor, make_client: MakeClient, approved: int
) -> None:
    client = make_client(approved=approved)

    assert_refused(visitor.follow(visitor.ask(client, prompt="none")), "login_required")


@pytest.mark.requirement("E32")
def test_a_quiet_request_for_what_was_never_allowed_is_consent_required(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    visitor.reach_consent(client, make_person("amy"))

    response = visitor.follow(visitor.ask(client, prompt="none"))

    assert_refused(response, "consent_required")
    assert grants(client) == 0


@pytest.mark.requirement("E32")
def test_a_quiet_request_that_expects_somebody_else_is_account_selection_required(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, issue: Issue
) -> None:
    client, person = make_client(), make_person("amy")
    issue(client, person)
    visitor.reach_consent(client, person)

    response = visitor.follow(visitor.ask(client, prompt="none", login_hint="carol"))

    assert_refused(response, "account_selection_required")


@pytest.mark.requirement("E32")
def test_a_quiet_request_that_leaves_a_record_to_choose_is_interaction_required(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, issue: Issue
) -> None:
    client, person = make_client(), make_person("amy", "dan")
    issue(client, person)
    visitor.sign_in(visitor.follow(visitor.ask(client)), person)

    response = visitor.follow(visitor.ask(client, prompt="none"))

    assert_refused(response, "interaction_required")
    assert grants(client) == 1


def no_record(person: Any) -> None:
    ActsFor.objects.filter(identity__user=person).delete()


def nobody_at_the_fhir_server(person: Any) -> None:
    FhirIdentity.objects.filter(user=person).delete()


def two_visits(person: Any) -> None:
    for record in PatientRecord.objects.filter(acted_for_by__identity__user=person):
        for number in range(2):
            EncounterRecord.objects.get_or_create(record=record, encounter=f"{person.pk}-{number}")


def old_login(person: Any) -> None:
    SignIn.objects.filter(user=person).update(created_at=1)


def new_password_needed(person: Any) -> None:
    type(person).objects.get_queryset().filter(pk=person.pk).require_new_password()


def as_it_is(person: Any) -> None:
    """One record, a new login."""


FACTS = [as_it_is, no_record, nobody_at_the_fhir_server, two_visits, old_login, new_password_needed]


@pytest.mark.requirement("E32")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({}, "consent_required"),
        ({"login_hint": "nobody-here@example.org"}, "consent_required"),
        ({"login_hint": "right"}, "consent_required"),
        ({"scope": "launch/patient launch/encounter patient/Observation.rs"}, "consent_required"),
        ({"scope": "user/Observation.rs"}, "consent_required"),
        ({"max_age": "60"}, "login_required"),
        ({"max_age": "999999999"}, "login_required"),
    ],
    ids=str,
)
@pytest.mark.parametrize("patients", [("amy",), ("amy", "dan")], ids=len)
@pytest.mark.parametrize("make_true", FACTS)
def test_an_app_that_holds_nothing_of_the_user_learns_nothing_about_them(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, changes: dict[str, str], error: str,
    patients: tuple[str, ...], make_true: Callable[[Any], None],
) -> None:  # fmt: skip
    client, person = make_client(scope=MAY_ASK), make_person(*patients)
    visitor.sign_in(visitor.request("GET", "/login"), person)
    make_true(person)
    sent = {**changes, "login_hint": person.username} if changes.get("login_hint") == "right" else changes

    response = visitor.follow(visitor.ask(client, prompt="none", **sent))

    assert_refused(response, error)


@pytest.mark.requirement("E32")
def test_a_quiet_request_after_too_long_is_login_required(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, person = make_client(), make_person("amy")
    visitor.reach_consent(client, person)
    SignIn.objects.filter(user=person).update(created_at=1)

    assert_refused(visitor.follow(visitor.ask(client, prompt="none", max_age="60")), "login_required")


@pytest.mark.requirement("E32", "AZ-23")
def test_a_quiet_request_for_what_was_allowed_gets_its_code(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, person = refreshing_client(make_client, "none"), make_person("amy")
    allow_for_good(app, visitor, client, person)

    response = visitor.follow(visitor.ask(client, prompt="none", scope=OFFLINE, redirect_uri=HTTPS))

    assert response.headers["Location"].startswith(f"{HTTPS}?code=")
    assert grants(client) == 2


@pytest.mark.requirement("E32")
@pytest.mark.parametrize("more", ["", " launch/encounter"])
def test_an_app_that_always_asks_gets_nothing_quietly_whatever_there_is_to_choose(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson, more: str
) -> None:
    client, person = refreshing_client(make_client), make_person("amy")
    allow_for_good(app, visitor, client, person)
    two_visits(person)
    type(client).objects.filter(pk=client.pk).update(always_asks_consent=True)
    ask = {"prompt": "none", "scope": f"{OFFLINE}{more}", "redirect_uri": HTTPS}

    quiet = visitor.follow(visitor.ask(client, **ask))
    of_another = visitor.follow(visitor.ask(client, **ask, login_hint="carol"))
    nobody_is_signed_in = Visitor(app).ask(client, **ask)

    assert_refused(quiet, "consent_required")
    assert_refused(of_another, "account_selection_required")
    assert_refused(nobody_is_signed_in, "login_required")
    assert grants(client) == 1


@pytest.mark.requirement("E32", "SD-20")
@pytest.mark.parametrize("changes", [{}, {"always_asks_consent": True}], ids=["holds nothing", "always asks"])
def test_a_quiet_request_of_somebody_who_is_signed_in_takes_no_room_when_it_is_refused(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson, settings: Any, changes: dict[str, Any]
) -> None:
    client, person = refreshing_client(make_client), make_person("amy")
    ask = {"prompt": "none", "scope": OFFLINE, "redirect_uri": HTTPS}
    if changes:
        allow_for_good(app, visitor, client, person)
        type(client).objects.filter(pk=client.pk).update(**changes)
    else:
        visitor.sign_in(visitor.request("GET", "/login"), person)
    settings.SMARTAUTH_PENDING_REQUESTS = 1

    answers = [visitor.follow(visitor.ask(client, **ask)) for _ in range(3)]

    for answer in answers:
        assert_refused(answer, "consent_required")


@pytest.mark.requirement("E32", "AZ-20")
@pytest.mark.parametrize("step", ["patient", "consent", "encounter"])
def test_no_page_of_a_quiet_request_can_be_answered(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, step: str
) -> None:
    client = make_client()
    visitor.reach_consent(client, make_person("amy"))
    waiting = visitor.request(
        "POST", "/o/authorize", content=urlencode(good_request(client, prompt="none")), headers=FORM
    )

    response = visitor.follow(visitor.request("GET", f"{waiting.headers['Location']}/{step}"))

    assert_refused(response, "consent_required")
    assert grants(client) == 0


@pytest.mark.requirement("AZ-22")
@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "0"}], ids=str)
def test_a_new_login_is_asked_for_in_a_live_session(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, changes: dict[str, str]
) -> None:
    client, person = make_client(), make_person("amy")
    visitor.reach_consent(client, person)

    page = visitor.follow(visitor.ask(client, **changes))
    around = visitor.follow(visitor.request("GET", page.url.path.replace("/login", "/consent")))
    consent = visitor.sign_in(page, person)

    assert page.url.path.endswith("/login")
    assert around.url.path.endswith("/login")
    assert consent.url.path.endswith("/consent")
    assert "code" in redirect_query(visitor.allow(consent))


@pytest.mark.requirement("AZ-22", "E40")
def test_the_answer_of_an_old_login_counts_for_nothing(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, person = make_client(), make_person("amy")
    page = visitor.sign_in(visitor.follow(visitor.ask(client, max_age="3600")), person)
    SignIn.objects.filter(user=person).update(created_at=1)

    response = visitor.allow(page)

    assert response.status_code == 403
    assert grants(client) == 0


@pytest.mark.requirement("AZ-22")
@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "3600"}], ids=str)
def test_a_login_of_a_clock_that_is_ahead_is_no_new_login(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, changes: dict[str, str]
) -> None:
    client, person = make_client(), make_person("amy")
    visitor.reach_consent(client, person)
    SignIn.objects.filter(user=person).update(created_at=clock.now() + 60_000_000)

    page = visitor.follow(visitor.ask(client, **changes))

    assert page.url.path.endswith("/login")


@pytest.mark.requirement("E40")
def test_a_request_of_a_clock_that_is_ahead_waits_no_longer_than_others(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))
    later = clock.now() + 60_000_000
    PendingRequest.objects.filter(client=client).update(created_at=later, expires_at=later + 600_000_000)

    response = visitor.allow(page)

    assert response.status_code == 403
    assert "This page waited too long" in response.text
    assert grants(client) == 0


@pytest.mark.requirement("AZ-22")
@pytest.mark.parametrize(("age", "step"), [(3500, "consent"), (3700, "login")])
def test_max_age_counts_from_the_login_to_the_request(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, age: int, step: str
) -> None:
    client, person = make_client(), make_person("amy")
    visitor.reach_consent(client, person)
    login = SignIn.objects.get(user=person)
    SignIn.objects.filter(pk=login.pk).update(created_at=login.created_at - age * 1_000_000)

    page = visitor.follow(visitor.ask(client, max_age="3600"))

    assert page.url.path.endswith(f"/{step}")


@pytest.mark.requirement("AZ-22")
@pytest.mark.parametrize(
    ("hint", "filled_in"),
    [
        ("carol", "carol"),
        ("nobody-here", "nobody-here"),
        ('"><script>alert(1)</script>', "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("x" * 500, "x" * 150),
    ],
    ids=["somebody", "nobody", "markup", "long"],
)
def test_a_login_hint_is_filled_in_and_never_looked_up(
    visitor: Visitor, make_client: MakeClient, hint: str, filled_in: str
) -> None:
    page = visitor.follow(visitor.ask(make_client(), login_hint=hint))

    assert page.status_code == 200
    assert "<script" not in page.text
    (field,) = re.findall(r'<input[^>]*name="username"[^>]*>', page.text)
    assert re.findall(r'value="([^"]*)"', field) == [filled_in]


@pytest.mark.requirement("E32", "LC-03")
@pytest.mark.parametrize(("visits", "error"), [(1, ""), (2, "interaction_required")])
def test_a_quiet_request_takes_the_only_visit(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson, fhir_server: Any,
    visits: int, error: str,
) -> None:  # fmt: skip
    client, person = refreshing_client(make_client, "none"), make_person()
    record = PatientRecord.objects.create(fhir_server=fhir_server, patient=f"p-{client.pk}", name="P")
    ActsFor.objects.create(identity=FhirIdentity.objects.get(user=person), record=record)
    first = EncounterRecord.objects.create(record=record, encounter="v0", day="2026-01-01")
    scope = f"launch/encounter {OFFLINE}"
    page = visitor.sign_in(visitor.follow(visitor.ask(client, scope=scope, redirect_uri=HTTPS)), person)
    for step, chosen in (("patient", record.pk), ("encounter", first.pk)):
        if page.url.path.endswith(f"/{step}"):
            page = visitor.follow(visitor.send(page, **{step: chosen}))
    allow_for_good(app, visitor, client, person, page=page)
    for number in range(1, visits):
        EncounterRecord.objects.create(record=record, encounter=f"v{number}")

    response = visitor.follow(visitor.ask(client, scope=scope, prompt="none", redirect_uri=HTTPS))

    if error:
        assert_refused(response, error)
    else:
        assert "code" in redirect_query(response)
    assert REDIRECT_URI not in response.headers["Location"]
