"""Authorizations of which nothing can come any more, and the codes that they began with."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction

from accounts import clock
from oauth.ending.access import end_all
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor
from oauth.models import AddressChange, Authorization, Client, Code, FhirServer, Seat
from oauth.models.seats import key_of_grant
from oauth.retention import batches
from oauth.retention.authorizations import delete_authorizations
from oauth.retention.sweeping import sweep
from smart.time_units import DAY, HOUR, SECOND
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Issue, MakeClient
from tests.kept_plans import explained

OFFLINE = "launch/patient patient/*.rs offline_access"
SYSTEM = "system/Patient.r"
WHOLE = {"client": EndedFor.CLIENT_ENDED, "fhir_server": EndedFor.FHIR_SERVER_ENDED}
LONG_AGO = 92 * DAY + HOUR  # longer than a refresh token may lie unused

Granted = Callable[[], Authorization]
Allowed = Callable[..., Authorization]


@pytest.fixture
def granted(issue: Issue, make_client: MakeClient) -> Granted:
    """Makes an authorization whose code and tokens expired long ago. Its tokens are swept like any."""

    def make() -> Authorization:
        client = make_client(grants="authorization_code refresh_token", scope=OFFLINE)
        found: Authorization = issue(client, scope=OFFLINE)["granted"].authorization
        then = clock.now() - LONG_AGO
        found.codes.update(issued_at=then, expires_at=then)
        for tokens in (found.access_tokens, found.refresh_tokens):
            tokens.update(expires_at=clock.now() - 130 * DAY)  # so that no partition keeps them
        Authorization.objects.filter(pk=found.pk).update(granted_at=then)
        return found

    return make


@pytest.mark.requirement("PR-01")
@pytest.mark.parametrize("policy", [Client.Supersede.GRANT, Client.Supersede.CLIENT])
def test_a_seat_goes_with_the_one_authorization_that_has_it_and_no_seat_that_others_may_have(
    issue: Issue, make_client: MakeClient, policy: Client.Supersede
) -> None:
    client = make_client(scope=OFFLINE, supersede=policy.value)
    found = issue(client, scope=OFFLINE)["granted"].authorization
    seat = found.access_tokens.get().seat
    found.codes.update(expires_at=clock.now() - LONG_AGO)
    for tokens in (found.access_tokens, found.refresh_tokens):
        tokens.update(expires_at=clock.now() - 130 * DAY)

    sweep()

    assert left(found) == []
    assert Seat.objects.filter(pk=seat.pk).exists() is (policy == Client.Supersede.CLIENT)


def add_code(authorization: Authorization, expires_at: int) -> None:
    code = authorization.codes.get()
    code.pk, code.digest, code.expires_at = None, f"another one of {authorization.pk}", expires_at
    code.save(force_insert=True)


def left(*authorizations: Authorization) -> list[int]:
    """Which of them are there, each with its code."""
    keys = [each.pk for each in authorizations]
    found = list(Authorization.objects.filter(pk__in=keys).order_by("pk").values_list("pk", flat=True))
    assert set(Code.objects.filter(authorization__in=keys).values_list("authorization", flat=True)) == set(found)
    return found


def test_one_of_which_nothing_can_come_goes_with_its_code_whether_or_not_it_was_ended(granted: Granted) -> None:
    ended, over = granted(), granted()
    Authorization.objects.filter(pk=ended.pk).end("person", now=clock.now() - LONG_AGO)
    AddressChange.objects.create(authorization=over, address="192.0.2.1", noted_at=clock.now())

    sweep()

    assert left(ended, over) == []
    assert granted().pk > over.pk  # an event that names it never names another one


def _alive(tokens: Any) -> None:
    tokens.update(expires_at=clock.now() + DAY)


def _over_of_late(tokens: Any) -> None:
    tokens.update(expires_at=clock.now() - 89 * DAY)


NEEDED: dict[str, Callable[[Authorization], object]] = {
    "an access token": lambda found: _alive(found.access_tokens),
    "a refresh token": lambda found: _alive(found.refresh_tokens),
    "a refresh token that is told of": lambda found: _over_of_late(found.refresh_tokens),
    "a younger code": lambda found: add_code(found, clock.now() - DAY),
}


@pytest.mark.requirement("CG-04", "E77")
@pytest.mark.parametrize("what", NEEDED)
def test_a_code_is_remembered_as_long_as_anything_of_its_authorization_is(granted: Granted, what: str) -> None:
    found = granted()
    NEEDED[what](found)

    sweep()

    assert left(found) == [found.pk]
    assert found.codes.count() == (2 if what == "a younger code" else 1)


@pytest.fixture
def allowed(app: App, make_client: MakeClient) -> Allowed:
    """Makes what a service was allowed, whose token is swept like any."""

    def make(**facts: int) -> Authorization:
        service = make_client(
            "secret",
            grants="client_credentials",
            redirect_uris="",
            scope=SYSTEM,
            backend_by_secret=1,
            supersede="grant",
        )
        form = {"grant_type": "client_credentials", "scope": SYSTEM}
        assert app.post("/o/token", data=form, headers=basic(service.client_id, SECRET)).status_code == 200
        found: Authorization = service.authorizations.get()
        found.access_tokens.update(expires_at=clock.now() - 130 * DAY)
        Authorization.objects.filter(pk=found.pk).update(granted_at=clock.now() - 2 * LONG_AGO, **facts)
        return found

    return make


def test_what_a_service_lost_goes_with_its_own_seat_and_what_it_has_stays(allowed: Allowed) -> None:
    """Its next token belongs to that, however late it comes."""
    lost, has, lost_of_late = allowed(ended_at=clock.now() - LONG_AGO), allowed(), allowed(ended_at=clock.now() - DAY)
    with_token = allowed(ended_at=clock.now() - LONG_AGO)
    _over_of_late(with_token.access_tokens)

    sweep()

    kept = {has.pk, lost_of_late.pk, with_token.pk}
    found = Authorization.objects.filter(pk__in=[lost.pk, *kept])
    assert set(found.values_list("pk", flat=True)) == kept
    seats = Seat.objects.filter(key__in=[key_of_grant(pk) for pk in (lost.pk, *kept)])
    assert {seat.key for seat in seats} == {key_of_grant(pk) for pk in kept}


def test_a_hundred_that_have_a_token_yet_hide_no_later_one(allowed: Allowed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "AT_ONCE", 2)
    made = [allowed(ended_at=clock.now() - LONG_AGO) for _ in range(5)]
    for stays in made[:3]:
        _over_of_late(stays.access_tokens)

    sweep()

    found = Authorization.objects.filter(pk__in=[each.pk for each in made]).order_by("pk")
    assert list(found) == made[:3]


@pytest.mark.requirement("RV-08")
@pytest.mark.parametrize("name", WHOLE)
def test_what_a_service_lost_with_its_client_or_fhir_server_goes_however_long_ago_its_token_expired(
    allowed: Allowed, name: str
) -> None:
    lost, has = allowed(), allowed()
    if name == "fhir_server":
        other = FhirServer.objects.create(base=f"https://{lost}")
        # that of the tests may have an epoch of its own: others end access there
        Authorization.objects.filter(pk=lost.pk).update(fhir_server=other, fhir_server_epoch=other.epoch)
        lost.refresh_from_db()

    end_all([getattr(lost, name)], Actor(now=clock.now() - LONG_AGO), WHOLE[name])
    assert Authorization.objects.get(pk=lost.pk).ended_for == WHOLE[name]
    sweep()

    assert list(Authorization.objects.filter(pk__in=[lost.pk, has.pk])) == [has]


@pytest.mark.parametrize(("later", "is_looked_at"), [(0, True), (5 * HOUR, False), (30 * DAY, True), (90 * DAY, True)])
def test_what_a_service_lost_and_was_needed_then_is_looked_at_again_every_thirty_days(
    allowed: Allowed, later: int, is_looked_at: bool
) -> None:
    row = allowed(ended_at=clock.now() - LONG_AGO - later)

    sweep()

    assert Authorization.objects.filter(pk=row.pk).exists() is not is_looked_at


@pytest.mark.postgresql
@pytest.mark.usefixtures("committed")
def test_what_services_lost_is_found_by_an_index_of_nothing_else(allowed: Allowed) -> None:
    """Also by a plan that is made for any value."""
    ran = list[tuple[str, Any]]()

    def remember(execute: Callable[..., Any], statement: str, values: Any, *others: Any) -> Any:
        ran.append((statement, values))
        return execute(statement, values, *others)

    row = allowed(ended_at=2)
    row.access_tokens.all().delete()
    with connection.execute_wrapper(remember):
        delete_authorizations(before=3)
    assert not Authorization.objects.filter(pk=row.pk).exists()
    pages = [each for each in ran if '"ended_at" > (0)' in each[0] and each[1]]
    assert pages
    for statement, values in pages:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            plan = explained(statement, *values)
        assert any("authorization_lost" in line for line in plan), plan


def test_what_a_person_is_not_asked_again_outlives_its_tokens(
    granted: Granted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sign-in by plain OpenID Connect is remembered for this time, however short its tokens live (AZ-23)."""
    found = granted()

    monkeypatch.setattr(settings, "SMARTAUTH_REFRESH_IDLE_SECONDS", (LONG_AGO + HOUR) // SECOND)
    sweep()
    assert left(found) == [found.pk]

    monkeypatch.setattr(settings, "SMARTAUTH_REFRESH_IDLE_SECONDS", (LONG_AGO - HOUR) // SECOND)
    sweep()
    assert left(found) == []


@pytest.mark.parametrize(
    ("later", "is_looked_at"), [(0, True), (5 * HOUR, False), (29 * DAY, False), (30 * DAY, True), (90 * DAY, True)]
)
def test_one_that_was_needed_then_is_looked_at_again_every_thirty_days(
    granted: Granted, later: int, is_looked_at: bool
) -> None:
    found = granted()
    found.codes.update(expires_at=clock.now() - LONG_AGO - later)
    for tokens in (found.access_tokens, found.refresh_tokens):
        tokens.all().delete()

    sweep()

    assert left(found) == ([] if is_looked_at else [found.pk])


def test_they_go_a_few_at_a_time_past_those_that_stay(granted: Granted, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep()  # nothing is left of other tests
    monkeypatch.setattr(batches, "AT_ONCE", 2)
    made = [granted() for _ in range(7)]
    for stays in made[1:4]:
        _alive(stays.refresh_tokens)

    sweep()

    assert left(*made) == [each.pk for each in made[1:4]]
