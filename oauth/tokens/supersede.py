"""Superseding (PR-01, PR-02): of the access tokens that share a seat only the last N live, and of the launches too.

A seat has one counter for tokens and one for launches. Every new token takes the next number; it dies when N more are
taken. That rule is `smart.tokens.liveness.is_superseded`, which introspection and the pages ask. The counters are taken
by one statement each, so that of parallel requests exactly N tokens stay, and a transaction that fails ends nothing.
A token that is dead already is not ended by a newer one, and no event tells that it was: one that has expired or was
revoked, or whose authorization, client, FHIR server or person has ended. Only where a seat is shared by several people
may an event tell so of the token of another person than the newer one's, all of whose access has ended.
"""

from typing import Annotated, NamedTuple

from audit.event_kinds import EventKind
from audit.trail import Event
from oauth.models import Client, public_reference, sql
from oauth.models.seats import key_of_grant
from oauth.tokens.authorization_state import AuthorizationState
from smart.fhir.fhir_user import is_practitioner
from smart.fhir.versions import NO_FHIR
from smart.tokens.lifetimes import ends_of_live_tokens

_IS_SUPERSEDED = "SELECT 1 FROM oauth_seat WHERE id = %s AND %s <= launches - %s"

_USER_CLIENT, _USER_CLIENT_PATIENT = Client.Supersede.USER_CLIENT.value, Client.Supersede.USER_CLIENT_PATIENT.value
_BY_PERSON, _CLIENT = Client.Supersede.BY_PERSON.value, Client.Supersede.CLIENT.value
_GRANT, _OFF = Client.Supersede.GRANT.value, Client.Supersede.OFF.value

# What a token t has to be to lose its place: not revoked, not expired (between which two moments a live one expires),
# and its authorization ta not ended since.
MAY_LOSE = "t.revoked_at = 0 AND t.expires_at BETWEEN %s AND %s"
OF_AUTHORIZATION = "JOIN oauth_authorization ta ON ta.id = t.authorization_id AND ta.epoch = t.authorization_epoch"


class Loser(NamedTuple):
    """A token that loses its place, and what its event says of it."""

    pk: Annotated[int, "t.id"]
    authorization_pk: Annotated[int, "t.authorization_id"]
    patient: Annotated[str, "ta.patient"]
    client_epoch: Annotated[int, "ta.client_epoch"]
    fhir_server_epoch: Annotated[int, "ta.fhir_server_epoch"]
    user_pk: Annotated[int, "COALESCE(ta.user_id, 0)"]
    user_epoch: Annotated[int, "ta.user_epoch"]

    @classmethod
    def issued_for(cls, authorization: AuthorizationState, pk: int) -> "Loser":
        """What a token that is issued now will be, once newer ones have come."""
        return cls(
            pk,
            authorization.pk,
            authorization.patient,
            authorization.client_epoch,
            authorization.fhir_server_epoch,
            authorization.user_pk,
            authorization.user_epoch,
        )

    def has_ended(self, newer: AuthorizationState) -> bool:
        """Whether all of the client, FHIR server or person has ended since it was granted, as who issues knows.

        A seat has one client and FHIR server. Of another person than that of the newer token nothing is known.
        """
        return (
            self.client_epoch != newer.client_epoch
            or self.fhir_server_epoch != newer.fhir_server_epoch
            or (self.user_pk == newer.user_pk and self.user_epoch != newer.user_epoch)
        )


class SeatNumbers(NamedTuple):
    """A place in a seat: the number of the next access token, that of the seat's latest launch, and which token loses
    its place by that."""

    seat_id: int | None
    token_number: int
    launch_number: int
    loser: Loser | None


class TakenNumbers(NamedTuple):
    """The numbers that a seat has just given."""

    seat_id: Annotated[int, "id"]
    token_number: Annotated[int, "latest"]
    launch_number: Annotated[int, "launches"]


_TAKE_NUMBER_AND_LAUNCH = sql.returning(
    TakenNumbers,
    """
INSERT INTO oauth_seat (key, latest, launches) VALUES (%s, 1, 1)
ON CONFLICT (key) DO UPDATE SET latest = oauth_seat.latest + 1, launches = oauth_seat.launches + 1
""",
)
# Taking a number holds the seat until the transaction ends: a launch that came first is seen, a later one waits.
_TAKE_NUMBER = sql.returning(
    TakenNumbers, "UPDATE oauth_seat SET latest = latest + 1 WHERE id = %s AND %s > launches - %s"
)
# A statement of its own: the one that takes the number may wait for the seat, and would not see the token that was
# issued meanwhile.
_LOSER = sql.select(
    Loser,
    f"""
FROM oauth_accesstoken t {OF_AUTHORIZATION}
WHERE t.seat_id = %s AND t.seat_number = %s AND {MAY_LOSE}
""",
)
NO_SEAT = SeatNumbers(None, 0, 0, None)


def policy(authorization: AuthorizationState) -> str:
    """The client's supersede policy; the default one depends on who launched, if anybody did (PR-01, BK-07)."""
    if authorization.supersede != _BY_PERSON:
        return authorization.supersede
    if not authorization.user_pk:
        return _CLIENT
    if authorization.fhir_version == NO_FHIR:  # plain OpenID Connect: a sign-in on the phone leaves the laptop's alone
        return _GRANT
    return _USER_CLIENT_PATIENT if is_practitioner(authorization.fhir_user) else _USER_CLIENT


def seat_key(authorization: AuthorizationState) -> str:
    """Which tokens share a seat under that policy; "" when nothing supersedes. Raises ValueError at an unknown one."""
    chosen, server = policy(authorization), authorization.fhir_server_pk
    if chosen == _CLIENT:
        return f"{chosen}|{authorization.client_pk}|{server}"
    if chosen in (_USER_CLIENT, _USER_CLIENT_PATIENT):
        by_user = f"{chosen}|{authorization.client_pk}|{authorization.user_pk}|{server}"
        return f"{by_user}|{authorization.patient}" if chosen == _USER_CLIENT_PATIENT else by_user
    if chosen == _GRANT:
        return key_of_grant(authorization.pk)
    if chosen == _OFF:
        return ""
    raise ValueError(chosen)


def take_numbers(authorization: AuthorizationState, *, now: int) -> SeatNumbers:
    """The next numbers for a launch: older tokens and launches of the seat move towards their end."""
    key = seat_key(authorization)
    if not key:
        return NO_SEAT
    return _with_loser(sql.get(_TAKE_NUMBER_AND_LAUNCH, [key]), authorization, now=now)


def take_token_number(
    authorization: AuthorizationState, seat_id: int | None, launch_number: int, *, now: int
) -> SeatNumbers | None:
    """The next number for a refresh of that launch, None once a newer launch has ended it."""
    if seat_id is None:
        return NO_SEAT
    taken = sql.one(_TAKE_NUMBER, [seat_id, launch_number, authorization.tokens_to_keep])
    return _with_loser(taken, authorization, now=now) if taken else None


def _with_loser(taken: TakenNumbers, authorization: AuthorizationState, *, now: int) -> SeatNumbers:
    number = taken.token_number - authorization.tokens_to_keep
    return seat_numbers(taken, sql.one(_LOSER, [taken.seat_id, number, *ends_of_live_tokens(now)]), authorization)


def seat_numbers(taken: TakenNumbers, loser: Loser | None, authorization: AuthorizationState) -> SeatNumbers:
    """What a token of that authorization takes, and who loses by that: nobody who is dead already."""
    return SeatNumbers(*taken, None if loser is None or loser.has_ended(authorization) else loser)


def is_launch_superseded(authorization: AuthorizationState, seat_id: int | None, launch_number: int) -> bool:
    """Whether a newer launch has ended the refresh tokens of this one."""
    return sql.value(_IS_SUPERSEDED, [seat_id, launch_number, authorization.tokens_to_keep]) is not None


def superseded_event(authorization: AuthorizationState, numbers: SeatNumbers, token: str, *, now: int) -> Event | None:
    """Tells of the token that lost its place to `token`, None where none did. It may be of another authorization."""
    if numbers.loser is None:
        return None
    return Event(
        kind=EventKind.SUPERSEDED,
        at=now,
        client=authorization.client_id,
        person=authorization.subject,
        fhir_server=authorization.base,
        patient=numbers.loser.patient,
        authorization=public_reference(numbers.loser.authorization_pk),
        token=public_reference(numbers.loser.pk),
        reason=f"by token {token}",
    )
