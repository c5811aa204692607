"""What is shown is what ended access first, with the time of that: to the person and to the operator the same."""

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from accounts import clock
from accounts.models import User
from oauth.connected_apps.cards import ended_cards
from oauth.connected_apps.listed_access import ended_access, first_reason
from oauth.ending import access
from oauth.ending.first_reason import with_first_reason
from oauth.ending.reasons import REASONS, EndedFor
from oauth.ending.selection import Actor, Selection
from oauth.ending.tokens import END_BY_ID, end_token
from oauth.models import AccessToken, Authorization, Seat
from operators.admin import token_life
from smart.tokens.liveness import Dead
from tests.fixture_types import MakeClient

SECOND = 1_000_000
Cause = Callable[[AccessToken, int], Any]


def everything_of(name: str) -> Callable[[EndedFor], Cause]:
    def make(reason: EndedFor) -> Cause:
        def end(token: AccessToken, at: int) -> None:
            whole = getattr(token.authorization, name)
            access.end(Selection.everything(type(whole).objects.get(pk=whole.pk)), Actor(now=at), reason)

        return end

    return make


def authorization(reason: EndedFor) -> Cause:
    return lambda token, at: access.end_authorization(token.authorization_id, Actor(now=at), reason)


def token_alone(reason: EndedFor) -> Cause:
    return lambda token, at: end_token(END_BY_ID, [token.pk], Actor(now=at), reason)


def supersede(token: AccessToken, at: int) -> None:
    """A newer launch of the same person and app took the seat."""
    row = token.authorization
    newer = Authorization.objects.create(
        client=row.client, user=row.user, fhir_server=row.fhir_server, patient=row.patient, scope=row.scope,
        client_epoch=row.client.epoch, fhir_server_epoch=row.fhir_server.epoch, granted_at=at,
    )  # fmt: skip
    assert token.seat
    Seat.objects.filter(pk=token.seat.pk).update(latest_number=token.seat_number + 1)
    make_token(newer, token.seat, token.seat_number + 1, issued_at=at)


def expire(token: AccessToken, at: int) -> None:
    AccessToken.objects.filter(pk=token.pk, expires_at__gt=at).update(expires_at=at)


def make_token(row: Any, seat: Any, number: int, *, issued_at: int) -> AccessToken:
    return AccessToken.objects.create(
        digest=secrets.token_hex(32), authorization=row, authorization_epoch=row.epoch, seat=seat, seat_number=number,
        scope="", claims="{}", issued_at=issued_at, expires_at=issued_at + 300 * SECOND,
    )  # fmt: skip


def old_token(client: Any, server: Any, now: int) -> AccessToken:
    """One with a person and a seat of its own, issued 100 seconds ago."""
    server.refresh_from_db()  # one of the causes ends all access there
    row = Authorization.objects.create(
        client=client, user=User.objects.create(username=f"person-{secrets.token_hex(8)}"), fhir_server=server,
        patient="amy", scope="patient/*.rs", client_epoch=0, fhir_server_epoch=server.epoch,
        granted_at=now - 100 * SECOND,
    )  # fmt: skip
    seat = Seat.objects.create(key=f"test|{row.pk}", latest_number=1)
    return make_token(row, seat, 1, issued_at=now - 100 * SECOND)


MADE: dict[EndedFor, Callable[[EndedFor], Cause]] = {
    EndedFor.PERSON: everything_of("user"),
    EndedFor.PASSWORD_CHANGED: everything_of("user"),
    EndedFor.PERSON_ENDED: everything_of("user"),
    EndedFor.PERSON_SUSPENDED: everything_of("user"),
    EndedFor.CLIENT_ENDED: everything_of("client"),
    EndedFor.CLIENT_DISABLED: everything_of("client"),
    EndedFor.FHIR_SERVER_ENDED: everything_of("fhir_server"),
    EndedFor.TAMPERED: token_alone,
    EndedFor.USED: token_alone,
}
CAUSES: dict[str, tuple[str, Cause]] = {
    **{reason: (reason, MADE.get(reason, authorization)(reason)) for reason in EndedFor},
    "token by an operator": (EndedFor.OPERATOR, token_alone(EndedFor.OPERATOR)),
    "token revoked": (EndedFor.REVOKED, token_alone(EndedFor.REVOKED)),
    "superseded": (Dead.SUPERSEDED, supersede),
    "expired": (Dead.EXPIRED, expire),
}


def shown_to_the_person(token: AccessToken, now: int) -> tuple[str, int]:
    """From what a card is made."""
    row = next(row for row in ended_access(person_of(token), now=now) if row.pk == token.authorization_id)
    return REASONS[first_reason(row, now=now)].person, row.over_at


def on_a_card(token: AccessToken, now: int) -> str:
    (card,) = (card for card in ended_cards(person_of(token), now=now) if card.number == str(token.authorization))
    return card.why


def person_of(token: AccessToken) -> User:
    assert token.authorization.user
    return token.authorization.user


def shown_to_the_operator(tokens: list[AccessToken], now: int) -> dict[int, tuple[str, int]]:
    """Of each token, as their list asks for them: all at once."""
    found = with_first_reason(AccessToken.objects.filter(pk__in=[token.pk for token in tokens]), now=now)
    return {each.pk: (token_life.why(each, now), each.died_at) for each in found}


@pytest.mark.requirement("RV-05", "RV-08")
@pytest.mark.parametrize("first", CAUSES)
def test_what_came_first_is_shown_with_its_time_whatever_came_later(
    make_client: MakeClient, other_fhir_server: Any, first: str
) -> None:
    now, (reason, begin) = clock.now(), CAUSES[first]
    words, at, made = REASONS[reason], now - 50 * SECOND, dict[str, AccessToken]()
    for later, (_, go_on) in CAUSES.items():
        token = made[later] = old_token(make_client(), other_fhir_server, now)

        begin(token, now - 50 * SECOND)
        go_on(token, now - 20 * SECOND)

        assert shown_to_the_person(token, now) == (words.person, at), f"then {later}"
    shown = shown_to_the_operator([*made.values()], now)
    assert {later: shown[token.pk] for later, token in made.items()} == dict.fromkeys(CAUSES, (words.operator, at))
    assert on_a_card(token, now) == words.person
