"""What was allowed before and lives is not asked again, and everything else is (AZ-23)."""

import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from accounts import clock
from accounts.session_store import SessionStore
from oauth.authorization.previous_consent import (
    _single_refresh_scope,
    covered_scope,
    granted_scope,
    holds_access,
    remembered_days,
)
from oauth.ending.online_access import session_fields
from oauth.models import AccessToken, Authorization, Client, FhirIdentity, FhirServer, RefreshToken
from smart.digests import sha256_hex
from smart.time_units import CLOCK_SKEW, SECOND
from tests.conftest import REDIRECT_URI, SECRET, App, basic
from tests.fixture_types import MakeClient, MakePerson, MakeVisitor, SetClock
from tests.oauth.authorization.waiting_requests import asked, browser, wait
from tests.oauth.remembering import HTTPS, OFFLINE, allow_for_good, exchange, refreshing_client
from tests.oauth.visitor import Visitor, redirect_query, ticked_kinds, ticked_times

FEWER = "launch/patient patient/Observation.rs offline_access"


def asked_again(page: Any) -> None:
    """The consent page itself; a redirect to the app has the same address."""
    assert page.status_code == 200, page.headers
    assert page.url.path.endswith("/consent")


@pytest.mark.requirement("AZ-23")
@pytest.mark.parametrize("scope", [OFFLINE, FEWER, "patient/Condition.r", "patient/Observation.read"])
@pytest.mark.parametrize("authentication", ["secret", "none"])
def test_what_lives_is_not_asked_again(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson, scope: str, authentication: str
) -> None:
    client, person = refreshing_client(make_client, authentication), make_person("amy")
    allow_for_good(app, visitor, client, person)

    response = visitor.follow(visitor.ask(client, scope=scope, redirect_uri=HTTPS))

    assert response.status_code == 303
    assert redirect_query(response)["state"] == "state-of-the-app"
    told = exchange(app, client, redirect_query(response)["code"])
    assert (told["scope"], told["patient"]) == (scope, "amy")


CHANGES: dict[str, dict[str, Any]] = {
    "another scope": {"scope": f"{OFFLINE} patient/Goal.rs"},
    "a wider scope": {"scope": OFFLINE.replace("Observation.rs", "Observation.crs")},
    "everything": {"scope": "patient/*.rs"},
    "everybody": {"scope": "user/Observation.rs"},
    "prompt consent": {"scope": OFFLINE, "prompt": "consent"},
}


@pytest.mark.requirement("AZ-23")
@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES.keys())
def test_whatever_differs_is_asked(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson, changes: dict[str, Any]
) -> None:
    client, person = refreshing_client(make_client), make_person("amy")
    allow_for_good(app, visitor, client, person)

    page = visitor.follow(visitor.ask(client, redirect_uri=HTTPS, **changes))

    asked_again(page)
    assert Authorization.objects.filter(client=client).count() == 1


@pytest.mark.requirement("AZ-23")
def test_the_same_app_under_another_name_or_for_another_person_is_asked(
    app: App, visitor: Visitor, make_visitor: MakeVisitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, person = refreshing_client(make_client), make_person("amy")
    allow_for_good(app, visitor, client, person)
    other_client, other_person = refreshing_client(make_client), make_person("amy")

    another_app = visitor.follow(visitor.ask(other_client, scope=OFFLINE, redirect_uri=HTTPS))
    another = make_visitor().reach_consent(client, other_person, scope=OFFLINE, redirect_uri=HTTPS)

    asked_again(another_app)
    asked_again(another)


@pytest.mark.requirement("AZ-23")
def test_another_record_is_asked(app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson) -> None:
    client, person = refreshing_client(make_client, supersede="off"), make_person("amy", "dan")
    page = visitor.sign_in(visitor.follow(visitor.ask(client, scope=OFFLINE, redirect_uri=HTTPS)), person)
    amy, dan = (number for number, _ in sorted(_offered(page), key=lambda found: found[1]))
    allow_for_good(app, visitor, client, person, page=visitor.follow(visitor.send(page, patient=amy)))

    picker = visitor.follow(visitor.ask(client, scope=OFFLINE, redirect_uri=HTTPS))
    of_dan = visitor.follow(visitor.send(picker, patient=dan))
    picker = visitor.follow(visitor.ask(client, scope=OFFLINE, redirect_uri=HTTPS))
    of_amy = visitor.follow(visitor.send(picker, patient=amy))

    asked_again(of_dan)
    assert redirect_query(of_amy)["code"]


@pytest.mark.requirement("AZ-23", "PR-01")
def test_access_that_newer_access_replaced_is_asked_again(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, person = refreshing_client(make_client, supersede="user-client"), make_person("amy", "dan")
    page = visitor.sign_in(visitor.follow(visitor.ask(client, scope=OFFLINE, redirect_uri=HTTPS)), person)
    amy, dan = (number for number, _ in sorted(_offered(page), key=lambda found: found[1]))
    allow_for_good(app, visitor, client, person, page=visitor.follow(visitor.send(page, patient=amy)))
    picker = visitor.follow(visitor.ask(client, scope=OFFLINE, redirect_uri=HTTPS))
    allow_for_good(app, visitor, client, person, page=visitor.follow(visitor.send(picker, patient=dan)))

    picker = visitor.follow(visitor.ask(client, scope=OFFLINE, redirect_uri=HTTPS))
    of_amy = visitor.follow(visitor.send(picker, patient=amy))

    asked_again(of_amy)
    assert "It may already" not in of_amy.text


def _offered(page: Any) -> list[tuple[int, str]]:
    found = re.findall(r'name="patient" value="(\d+)".*?<strong dir="auto">(\w+)', page.text)
    return [(int(number), name) for number, name in found]


@pytest.mark.requirement("AZ-23")
def test_another_base_is_asked(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson, other_fhir_server: Any
) -> None:
    client, person = refreshing_client(make_client), make_person("amy")
    client.fhir_servers.add(other_fhir_server)
    FhirIdentity.objects.create(user=person, fhir_server=other_fhir_server, resource="Practitioner/x")
    allow_for_good(app, visitor, client, person, scope="user/Observation.rs offline_access")
    again = {"scope": "user/Observation.rs offline_access", "redirect_uri": HTTPS}

    here = visitor.follow(visitor.ask(client, **again))
    there = visitor.follow(visitor.ask(client, **again, aud=other_fhir_server.base))

    assert "code" in redirect_query(here)
    asked_again(there)


@pytest.mark.requirement("AZ-23")
@pytest.mark.parametrize("uri", [REDIRECT_URI, "com.example.app:/cb"])
@pytest.mark.parametrize(("authentication", "asked_again"), [("none", True), ("secret", False)])
def test_a_public_app_on_the_device_is_always_asked(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson, uri: str, authentication: str,
    asked_again: bool,
) -> None:  # fmt: skip
    client, person = refreshing_client(make_client, authentication, redirect_uris=uri), make_person("amy")
    allow_for_good(app, visitor, client, person, redirect_uri=uri)

    response = visitor.follow(visitor.ask(client, scope=OFFLINE, redirect_uri=uri))

    assert (response.status_code == 200) is asked_again


def _taken_back(client: Any) -> None:
    Authorization.objects.filter(client=client).end("taken back", now=1)


def _client_ended(client: Any) -> None:
    type(client).objects.filter(pk=client.pk).advance_epoch()


def _refresh_over(client: Any) -> None:
    RefreshToken.objects.filter(authorization__client=client).update(expires_at=1)


def _someone_else(client: Any) -> None:
    FhirIdentity.objects.filter(user__authorizations__client=client).update(resource="RelatedPerson/x")


def _unapproved(client: Any) -> None:
    type(client).objects.filter(pk=client.pk).update(approved=0)


@pytest.mark.requirement("AZ-23")
@pytest.mark.parametrize("end", [_taken_back, _client_ended, _refresh_over, _someone_else, _unapproved])
def test_access_that_is_over_is_asked_again(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson, end: Callable[[Any], None]
) -> None:
    client, person = refreshing_client(make_client), make_person("amy")
    allow_for_good(app, visitor, client, person)
    end(client)

    page = visitor.follow(visitor.ask(client, scope=OFFLINE, redirect_uri=HTTPS))
    if page.url.path.endswith("/patient"):
        page = visitor.follow(visitor.send(page, patient=_offered(page)[0][0]))

    asked_again(page)
    assert Authorization.objects.filter(client=client).count() == 1


@pytest.mark.requirement("AZ-23", "AZ-14")
def test_only_now_is_asked_again(app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson) -> None:
    client, person = refreshing_client(make_client), make_person("amy")
    page = visitor.reach_consent(client, person, scope=OFFLINE, redirect_uri=HTTPS)
    only_now = str(int(ticked_times(page)[0]) + 1)

    told = exchange(app, client, redirect_query(visitor.allow(page, **{"ask-time": only_now}))["code"])
    page = visitor.follow(visitor.ask(client, scope="patient/Observation.rs", redirect_uri=HTTPS))

    assert "refresh_token" not in told
    assert "offline_access" not in told["scope"]
    asked_again(page)


@pytest.mark.requirement("AZ-14")
@pytest.mark.parametrize("authentication", ["secret", "none"])
def test_an_app_that_always_asks_may_be_allowed_less_and_what_it_has_goes_on(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson, authentication: str
) -> None:
    client = refreshing_client(make_client, authentication, always_asks_consent=True, supersede="grant")
    before = allow_for_good(app, visitor, client, make_person("amy"))

    page = visitor.follow(visitor.ask(client, scope=OFFLINE, redirect_uri=HTTPS))
    asked_again(page)
    measurements, *_ = (name for name in ticked_kinds(page) if not name.endswith("-kind"))
    told = exchange(app, client, redirect_query(visitor.allow(page, **{measurements: "none"}))["code"])

    assert told["scope"] in (
        "launch/patient patient/Observation.rs offline_access",
        "launch/patient patient/Condition.rs offline_access",
    )
    assert refresh(app, client, before["refresh_token"])["scope"] == OFFLINE


def refresh(app: App, client: Any, token: str) -> dict[str, Any]:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    headers = basic(client.client_id, SECRET) if client.authentication == "secret" else {}
    answer = app.post("/o/token", data=form, headers=headers)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.requirement("AZ-14")
def test_what_is_new_is_told_apart_from_what_it_may_already(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, person = refreshing_client(make_client), make_person("amy")
    allow_for_good(app, visitor, client, person)

    page = visitor.follow(visitor.ask(client, scope=f"{OFFLINE} patient/MedicationRequest.rs", redirect_uri=HTTPS))

    new, again = page.text.split("It may already see")
    assert 'Prescribed medicines <span class="tag tag-warn">New</span>' in new
    assert "Test results and measurements" not in new
    assert "Test results and measurements" in again
    assert "New</span>" not in again
    narrowed = {name: "none" for name in ticked_kinds(page) if not name.endswith("-kind")}
    told = exchange(app, client, redirect_query(visitor.allow(page, **narrowed))["code"])
    assert told["scope"] == "launch/patient offline_access patient/MedicationRequest.rs"


def test_on_a_first_request_nothing_is_called_new(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    page = visitor.reach_consent(make_client(), make_person("amy"))

    assert "New</span>" not in page.text
    assert "It may already" not in page.text


@pytest.mark.requirement("AZ-23", "SCP-17")
@pytest.mark.parametrize("same", [True, False], ids=["in its session", "in another session"])
def test_what_was_allowed_for_a_session_is_remembered_in_that_session_alone(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson, settings: Any, same: bool
) -> None:
    client, person = refreshing_client(make_client), make_person("amy")
    allow_for_good(app, visitor, client, person)
    mark = (
        SessionStore(visitor.browser.cookies[settings.SESSION_COOKIE_NAME])["online"]
        if same
        else "the mark of another session"
    )
    Authorization.objects.filter(client=client).update(session_digest=sha256_hex(mark))

    response = visitor.follow(visitor.ask(client, scope=OFFLINE, redirect_uri=HTTPS))

    assert (response.status_code == 303) is same
    if not same:
        asked_again(response)


@pytest.mark.requirement("AZ-23")
@pytest.mark.parametrize(
    ("seconds", "always", "days"),
    [(1, False, 1), (3 * 86_400 - 1, False, 2), (86_401 * 3, False, 3), (86_401, True, 0)],
)
def test_for_how_many_days_a_sign_in_is_remembered(settings: Any, seconds: int, always: bool, days: int) -> None:
    settings.SMARTAUTH_REFRESH_IDLE_SECONDS = seconds

    assert remembered_days(Client(always_asks_consent=always)) == days


@pytest.mark.requirement("AZ-23", "PR-08")
def test_a_sign_in_is_remembered_for_its_time_and_not_from_the_future(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any, settings: Any, set_clock: SetClock
) -> None:
    settings.SMARTAUTH_REFRESH_IDLE_SECONDS = 60
    set_clock(now := clock.now())
    client, other = make_client(profile="openid"), make_client(profile="openid")
    person, ben = make_person(), make_person()
    pending = wait(client, FhirServer.userinfo(), person, asked(openid=True))
    ofs = {"client": client, "user": person, "client_epoch": client.epoch, "user_epoch": person.epoch}
    row = Authorization.objects.create(**ofs, fhir_server=FhirServer.userinfo(), scope="openid")
    Authorization.objects.create(**ofs, fhir_server=fhir_server, scope="patient/*.rs", granted_at=now)

    for at, held in ((-60 * SECOND, False), (-60 * SECOND + 1, True), (CLOCK_SKEW, True), (CLOCK_SKEW + 1, False)):
        Authorization.objects.filter(pk=row.pk).update(granted_at=now + at)
        assert granted_scope(browser(person), pending, person) == ("openid" if held else "")
        assert holds_access(pending, person) is held
    Authorization.objects.filter(pk=row.pk).update(granted_at=now)
    assert granted_scope(browser(ben), pending, ben) == ""
    of_another = wait(other, FhirServer.userinfo(), person, asked(openid=True))
    assert granted_scope(browser(person), of_another, person) == ""
    Authorization.objects.filter(pk=row.pk).end("taken back", now=now)
    assert granted_scope(browser(person), pending, person) == ""


@pytest.mark.requirement("AZ-22", "E32")
@pytest.mark.parametrize("kind", [AccessToken, RefreshToken])
def test_an_app_holds_access_by_either_token(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson, fhir_server: Any, kind: Any
) -> None:
    client, person = refreshing_client(make_client), make_person("amy")
    pending, other = wait(client, fhir_server), make_person("amy")
    allow_for_good(app, visitor, client, person)
    assert (holds_access(pending, person), holds_access(pending, other)) == (True, False)
    assert not holds_access(wait(make_client(), fhir_server), person)

    kind.objects.filter(authorization__client=client).update(expires_at=1)
    assert holds_access(pending, person)
    for each in (AccessToken, RefreshToken):
        each.objects.filter(authorization__client=client).update(expires_at=1)
    assert not holds_access(pending, person)


def remember(client: Any, person: Any, server: Any, scope: str, **fields: Any) -> None:
    """Access that lives, allowed without a page."""
    epochs = {"client_epoch": client.epoch, "user_epoch": person.epoch, "fhir_server_epoch": server.epoch}
    known = {"granted_at": clock.now(), **epochs, **fields}
    row = Authorization.objects.create(client=client, user=person, fhir_server=server, scope=scope, **known)
    life = {"issued_at": clock.now(), "expires_at": clock.now() + SECOND * 60}
    RefreshToken.objects.create(digest=secrets.token_hex(32), authorization=row, authorization_epoch=0, **life)


@pytest.mark.requirement("AZ-23", "AZ-22")
@pytest.mark.parametrize(
    ("authentication", "fields", "uri", "prompt", "covered"),
    [
        ("secret", {}, HTTPS, "", True),
        ("secret", {}, "com.example.app:/cb", "login", True),
        ("none", {}, HTTPS, "", True),
        ("none", {}, "com.example.app:/cb", "", False),
        ("secret", {"approved": False}, HTTPS, "", False),
        ("none", {"approved": False}, "com.example.app:/cb", "", False),
        ("secret", {"always_asks_consent": True}, HTTPS, "", False),
        ("secret", {}, HTTPS, "login consent", False),
    ],
)
def test_who_may_be_in_the_place_of_an_app_is_asked_and_so_is_who_wants_to_be(
    make_client: MakeClient, make_person: MakePerson, authentication: str, fields: dict[str, Any], uri: str,
    prompt: str, covered: bool,
) -> None:  # fmt: skip
    client, person, scope = make_client(authentication, profile="openid", **fields), make_person(), "openid profile"
    remember(client, person, FhirServer.userinfo(), scope)
    waiting = wait(client, FhirServer.userinfo(), person, asked(openid=True, prompt=prompt))

    found = covered_scope(browser(person), replace(waiting, redirect_uri=uri), person, scope)

    assert found == (scope if covered else "")


@pytest.mark.requirement("AZ-23")
def test_access_counts_for_its_client_person_record_and_fhir_server_alone(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any, other_fhir_server: Any
) -> None:
    client, person, server = make_client("secret"), make_person("amy", is_="Patient/amy"), fhir_server
    pending, known = wait(client, server, person, patient="amy"), {"patient": "amy", "fhir_user": "Patient/amy"}
    remember(make_client("secret"), person, server, "another client", **known)
    remember(client, make_person("amy"), server, "another person", **known)
    remember(client, person, other_fhir_server, "another FHIR server", **known)
    remember(client, person, server, "another record", **{**known, "patient": "ben"})
    remember(client, person, server, "another identity", **{**known, "fhir_user": "Patient/ben"})
    assert granted_scope(browser(person), pending, person) == ""

    remember(client, person, server, "this", **known)
    assert granted_scope(browser(person), pending, person) == "this"
    remember(client, person, server, "newer", **known)
    assert granted_scope(browser(person), pending, person) == "newer"


@pytest.mark.requirement("AZ-23", "SCP-17")
def test_access_of_a_session_counts_in_that_session_alone(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any
) -> None:
    client, person = make_client("secret"), make_person("amy", is_="Patient/amy")
    pending, here, elsewhere = wait(client, fhir_server, person, patient="amy"), browser(person), browser(person)
    digest = session_fields(here)["session_digest"]
    remember(client, person, fhir_server, "online", patient="amy", fhir_user="Patient/amy", session_digest=digest)

    assert granted_scope(here, pending, person) == "online"
    assert granted_scope(elsewhere, pending, person) == ""


@pytest.mark.requirement("AZ-23", "SCP-16")
def test_what_is_remembered_of_a_person_at_a_fhir_server_tells_the_app_who_they_are(
    make_client: MakeClient, make_person: MakePerson, fhir_server: Any
) -> None:
    client, person, scope = make_client("secret"), make_person("amy", is_="Patient/amy"), "openid fhirUser patient/*.rs"
    remember(client, person, fhir_server, scope, patient="amy", fhir_user="Patient/amy")
    pending = wait(client, fhir_server, person, patient="amy")

    assert covered_scope(browser(person), pending, person, scope) == scope
    assert covered_scope(browser(person), pending, person, f"{scope} user/*.rs") == ""
    FhirIdentity.objects.filter(user=person).delete()
    Authorization.objects.filter(client=client).update(fhir_user="")
    assert covered_scope(browser(person), pending, person, scope) == "openid patient/*.rs"


@pytest.mark.requirement("SCP-17", "AZ-23")
def test_of_two_kinds_of_refresh_the_one_that_was_chosen_is_not_asked_again(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson, fhir_server: Any
) -> None:
    client, person = refreshing_client(make_client), make_person("amy")
    allow_for_good(app, visitor, client, person)
    pending, read = wait(client, fhir_server, person, patient="amy"), "patient/Observation.rs"

    for before, asks, covered in (
        ("offline_access", "offline_access online_access", "offline_access"),
        ("online_access", "offline_access online_access", "online_access"),
        ("online_access", "online_access", "online_access"),
        ("online_access", "offline_access", ""),
    ):
        Authorization.objects.filter(client=client).update(scope=f"{read} {before}")
        found = covered_scope(browser(person), pending, person, f"{read} {asks}")
        assert found == (f"{read} {covered}" if covered else "")


@pytest.mark.requirement("SCP-17")
@pytest.mark.parametrize(
    ("requested", "before", "left"),
    [
        ("offline_access online_access", "openid online_access", "online_access"),
        ("openid offline_access online_access", "offline_access", "openid offline_access"),
        ("openid offline_access online_access", "openid", "openid offline_access online_access"),
        ("openid offline_access", "online_access", "openid offline_access"),
    ],
)
def test_an_app_cannot_have_both_kinds_of_refresh(requested: str, before: str, left: str) -> None:
    assert _single_refresh_scope(requested, before) == left
