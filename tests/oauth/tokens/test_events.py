"""What every event of the token endpoint says: when, from where, about what (HI-08)."""

from typing import Any

import pytest
from django.db.models import F

from accounts import clock
from oauth.models import ActsFor, Authorization, RefreshToken
from tests.conftest import ADDRESS, BASE, App
from tests.fixture_types import Events, Grant, Issue, MakeClient, SetClock
from tests.oauth.tokens.refresh_client import Refresh, revoke


def facts(granted: Any) -> dict[str, tuple[Any, ...]]:
    """The facts of each kind of event about that authorization; of two of a kind they are the same."""
    from audit.models import OutboxEvent

    found = OutboxEvent.objects.filter(authorization=str(granted.authorization))
    names = ("at", "address", "client", "person", "fhir_server", "patient")
    return {event.kind: tuple(getattr(event, name) for name in names) for event in found}


@pytest.mark.requirement("HI-08", "RF-04", "RF-05")
def test_the_events_of_a_refresh_say_when_from_where_and_about_what(
    launch: Issue, refresh: Refresh, make_app: MakeClient, set_clock: SetClock, settings: Any, events: Events
) -> None:
    set_clock(now := clock.now())
    first = launch()

    refresh(first, client_id=make_app().client_id)
    for settings.SMARTAUTH_REFRESH_GRACE_SECONDS in (30, 30, 0):
        refresh(first)

    granted = first["granted"]
    whose = (granted.client.client_id, granted.person.subject, BASE, "amy")
    kinds = ("issued", "refresh-refused", "refreshed", "refresh-repeated", "refresh-reused", "authorization-ended")
    here = dict.fromkeys(kinds, (now, ADDRESS, *whose))
    assert facts(granted) == {**here, "superseded": (now, "", *whose)}
    assert {event.reason for event in events("refresh-repeated", client=granted.client.client_id)} == {""}


@pytest.mark.requirement("HI-08", "SD-20")
def test_the_event_of_a_refused_refresh_says_why(
    launch: Issue, refresh: Refresh, make_app: MakeClient, events: Events
) -> None:
    thief, foreign, wide, ended, again, expired, superseded, gone = make_app(), *(launch() for _ in range(7))
    revoke(ended)
    Authorization.objects.filter(pk=again["granted"].authorization.pk).update(epoch=F("epoch") + 1)
    ActsFor.objects.filter(identity__user=gone["granted"].person).delete()
    RefreshToken.objects.filter(authorization=expired["granted"].authorization).update(expires_at=clock.now())
    launch(superseded["granted"].client, superseded["granted"].person)

    for answer, changes, reason in (
        (foreign, {"client_id": thief.client_id}, f"sent by {thief.client_id}, whose it is not"),
        (wide, {"scope": "system/*.rs"}, "scope asks for more than was granted"),
        (ended, {}, "the authorization has ended"),
        (again, {}, "the authorization has ended"),
        (gone, {}, "the person may no longer act for the patient"),
        (expired, {}, "it has expired"),
        (superseded, {}, "a newer launch ended it"),
    ):
        refresh(answer, **changes)
        (event,) = events("refresh-refused", authorization=str(answer["granted"].authorization))
        assert event.reason == reason


@pytest.mark.requirement("HI-08", "CG-04")
def test_the_events_of_a_code_say_when_from_where_and_about_what(
    app: App, grant: Grant, make_client: MakeClient, set_clock: SetClock, events: Events
) -> None:
    set_clock(now := clock.now())
    one, other = grant(), grant()

    for changes in ({"redirect_uri": "https://elsewhere.example.org/"}, {}, {}):
        app.post("/o/token", data=one.exchange(**changes))
    app.post("/o/token", data=other.exchange(client_id=make_client().client_id))

    for granted, kinds in (
        (one, ("code-refused", "issued", "code-replayed", "authorization-ended")),
        (other, ("code-of-another-client",)),
    ):
        whose = (granted.client.client_id, granted.person.subject, BASE, "amy")
        assert facts(granted) == dict.fromkeys(kinds, (now, ADDRESS, *whose))
    ((refused,), (replayed,)) = (
        events(kind, client=one.client.client_id) for kind in ("code-refused", "code-replayed")
    )
    assert "redirect_uri differs" in refused.reason
    assert replayed.reason == ""
