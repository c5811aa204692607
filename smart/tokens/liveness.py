"""The one decision whether an access token is alive; every door asks it."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple, NotRequired, TypedDict, Unpack

from smart.time_units import has_begun
from smart.tokens.lifetimes import is_expired


class Dead(StrEnum):
    """The rules that a live token keeps, each named by what breaks it, in the order in which they are asked."""

    REVOKED = "revoked"
    ENDED = "ended"
    CLIENT_DISABLED = "client-disabled"
    CLIENT_ENDED = "client-ended"
    PERSON_SUSPENDED = "person-stopped"  # as events have called it from the beginning
    PERSON_ENDED = "person-ended"
    FHIR_SERVER_ENDED = "fhir-server-ended"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


class AuthorizationFacts(TypedDict):
    """What decides about all tokens of an authorization. `*_epochs` are (granted under, today), None for a client
    without a person.
    """

    user_epochs: tuple[int, int] | None
    client_epochs: tuple[int, int]
    fhir_server_epochs: tuple[int, int]
    client_enabled: int
    user_suspended_at: NotRequired[int]


class TokenFacts(AuthorizationFacts):
    """And about one. `seat` is (number, latest, how many are kept), None where nothing supersedes."""

    now: int
    issued_at: int
    expires_at: int
    revoked_at: int
    seat: tuple[int, int, int] | None
    authorization_epochs: tuple[int, int]


class LivenessRule(NamedTuple):
    """A rule that a live token keeps: its line of the specification, what it says, and what is said where it broke."""

    rule: str
    sentence: str
    broken: str


ISSUED = LivenessRule("LV-01", "We issued it, and it is whole", "We issued no such token")
RULES: Mapping[Dead, LivenessRule] = {
    Dead.REVOKED: LivenessRule("LV-02", "Not revoked", "Revoked"),
    Dead.ENDED: LivenessRule("LV-03", "Its authorization stands", "The authorization has ended"),
    Dead.CLIENT_DISABLED: LivenessRule("LV-04", "Its client is enabled", "The client is disabled"),
    Dead.CLIENT_ENDED: LivenessRule("LV-05", "The client's access was not ended", "All access of the client was ended"),
    Dead.PERSON_SUSPENDED: LivenessRule("LV-06", "The person is not suspended", "The person is suspended"),
    Dead.PERSON_ENDED: LivenessRule("LV-07", "The person's access was not ended", "All access of the person was ended"),
    Dead.FHIR_SERVER_ENDED: LivenessRule(
        "LV-08", "Access at the FHIR server was not ended", "All access at the FHIR server was ended"
    ),
    Dead.SUPERSEDED: LivenessRule("LV-09", "No newer token has taken its place", "A newer token has taken its place"),
    Dead.EXPIRED: LivenessRule("LV-10", "Not expired", "Expired"),
}


def dead_reasons(**facts: Unpack[TokenFacts]) -> Iterator[Dead]:
    """Every reason why the token is dead, in the order in which they are asked; none while it lives."""
    return _dead_reasons(facts)


def dead_reason(**facts: Unpack[TokenFacts]) -> Dead | None:
    """The first reason why the token is dead, None while it lives."""
    return next(_dead_reasons(facts), None)


def _dead_reasons(facts: TokenFacts) -> Iterator[Dead]:
    if facts["revoked_at"] != 0:
        yield Dead.REVOKED
    granted, today = facts["authorization_epochs"]
    yield from unusable_reasons(facts, has_ended=granted != today)
    if facts["seat"] is not None and is_superseded(*facts["seat"]):
        yield Dead.SUPERSEDED
    if is_expired(facts["now"], facts["expires_at"]) or not has_begun(facts["issued_at"], now=facts["now"]):
        yield Dead.EXPIRED


def unusable_reasons(facts: AuthorizationFacts, *, has_ended: bool) -> Iterator[Dead]:
    """Every reason why no token of an authorization is alive any more, none while one may be."""
    user = facts["user_epochs"]
    if has_ended:
        yield Dead.ENDED
    if not facts["client_enabled"]:
        yield Dead.CLIENT_DISABLED
    if _differ(facts["client_epochs"]):
        yield Dead.CLIENT_ENDED
    if facts.get("user_suspended_at"):
        yield Dead.PERSON_SUSPENDED
    if user is not None and _differ(user):
        yield Dead.PERSON_ENDED
    if _differ(facts["fhir_server_epochs"]):
        yield Dead.FHIR_SERVER_ENDED


def unusable_reason(*, has_ended: bool, **facts: Unpack[AuthorizationFacts]) -> Dead | None:
    """The first reason why no token of an authorization is alive any more, None while one may be."""
    return next(unusable_reasons(facts, has_ended=has_ended), None)


def _differ(epochs: tuple[int, int]) -> bool:
    granted, today = epochs
    return granted != today


def is_superseded(number: int, latest: int, keep: int) -> bool:
    """Whether newer tokens of the seat have ended this one: only the last `keep` numbers live (PR-01)."""
    return number <= latest - keep
