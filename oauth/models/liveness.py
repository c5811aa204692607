"""Whether tokens and authorizations are alive, by the ORM: as smart.tokens.liveness decides (a test compares)."""

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When

from oauth.models import AccessToken, Authorization, Code, RefreshToken
from smart.fhir.versions import NO_FHIR
from smart.time_units import CLOCK_SKEW
from smart.tokens import liveness as rules
from smart.tokens.liveness import AuthorizationFacts, Dead

TOKEN_FACTS = ("authorization__client", "authorization__user", "authorization__fhir_server", "seat")


def dead_reason(token: AccessToken, *, now: int) -> Dead | None:
    """Why the token is dead, None while it lives. Reads TOKEN_FACTS of it."""
    return next(dead_reasons(token, now=now), None)


def dead_reasons(token: AccessToken, *, now: int) -> Iterator[Dead]:
    """Every reason why it is dead, in the order in which they are asked. Reads TOKEN_FACTS of it."""
    authorization, seat = token.authorization, token.seat
    return rules.dead_reasons(
        now=now,
        issued_at=token.issued_at,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
        seat=(token.seat_number, seat.latest_number, authorization.client.tokens_to_keep) if seat else None,
        authorization_epochs=(token.authorization_epoch, authorization.epoch),
        **_above(authorization),
    )


def unusable_reason(authorization: Authorization) -> Dead | None:
    """Why nothing of this authorization can be alive any more, None while something may be."""
    return rules.unusable_reason(has_ended=authorization.ended_at != 0, **_above(authorization))


def _above(authorization: Authorization) -> AuthorizationFacts:
    """What client, person and FHIR server decide about every token of it."""
    client, user = authorization.client, authorization.user
    return {
        "user_epochs": (authorization.user_epoch, user.epoch) if user else None,
        "client_epochs": (authorization.client_epoch, client.epoch),
        "fhir_server_epochs": (authorization.fhir_server_epoch, authorization.fhir_server.epoch),
        "client_enabled": client.enabled,
        "user_suspended_at": user.suspended_at if user else 0,
    }


def _unusable_cases(path: str) -> tuple[When, ...]:
    """The part of the rules that an authorization at that path decides, in the order of smart.tokens.liveness."""

    def of(name: str) -> F:
        return F(f"{path}{name}")

    client_ended = ~Q(**{f"{path}client_epoch": of("client__epoch")})
    server_ended = ~Q(**{f"{path}fhir_server_epoch": of("fhir_server__epoch")})
    person_ended = Q(**{f"{path}user__isnull": False}) & ~Q(**{f"{path}user_epoch": of("user__epoch")})
    return (
        When(Q(**{f"{path}client__enabled": 0}), then=Value(Dead.CLIENT_DISABLED.value)),
        When(client_ended, then=Value(Dead.CLIENT_ENDED.value)),
        When(Q(**{f"{path}user__suspended_at__gt": 0}), then=Value(Dead.PERSON_SUSPENDED.value)),
        When(person_ended, then=Value(Dead.PERSON_ENDED.value)),
        When(server_ended, then=Value(Dead.FHIR_SERVER_ENDED.value)),
    )


def with_dead_reason(tokens: QuerySet[AccessToken], *, now: int) -> QuerySet[Any]:
    """The tokens with `dead_reason` as the database computes it: what that function says of each, "" for None."""
    superseded = Q(seat__isnull=False) & Q(
        seat__latest_number__gte=F("seat_number") + F("authorization__client__tokens_to_keep")
    )
    return tokens.annotate(
        dead_reason=Case(
            When(~Q(revoked_at=0), then=Value(Dead.REVOKED.value)),
            When(~Q(authorization_epoch=F("authorization__epoch")), then=Value(Dead.ENDED.value)),
            *_unusable_cases("authorization__"),
            When(superseded, then=Value(Dead.SUPERSEDED.value)),
            When(Q(expires_at__lte=now) | Q(issued_at__gt=now + CLOCK_SKEW), then=Value(Dead.EXPIRED.value)),
            default=Value(""),
        )
    )


def live(tokens: QuerySet[AccessToken], *, now: int) -> QuerySet[Any]:
    """Those that an introspection would call active now."""
    return with_dead_reason(tokens.filter(expires_at__gt=now), now=now).filter(dead_reason="")


def with_unusable_reason(authorizations: QuerySet[Authorization]) -> QuerySet[Any]:
    """The authorizations with `unusable_reason` as the database computes it, "" for None."""
    ended = When(ended_at__gt=0, then=Value(Dead.ENDED.value))
    return authorizations.annotate(unusable_reason=Case(ended, *_unusable_cases(""), default=Value("")))


def usable(authorizations: QuerySet[Authorization]) -> QuerySet[Any]:
    """Those under which tokens may still be issued."""
    return with_unusable_reason(authorizations).filter(unusable_reason="")


def may_live(*, now: int) -> Q:
    """Authorizations of which something has not run out by itself: a token, a code, a remembered sign-in (AZ-23)."""
    refresh = RefreshToken.objects.filter(consumed_at=0)
    unexpired = [
        Q(Exists(rows.filter(authorization=OuterRef("pk"), expires_at__gt=now)))
        for rows in (AccessToken.objects, refresh, Code.objects)
    ]
    return reduce(or_, unexpired) | Q(fhir_server__version=NO_FHIR)


def refreshable(*, now: int) -> QuerySet[RefreshToken]:
    """The refresh tokens that continue an authorization, as long as it stands."""
    newest = Q(seat__isnull=True) | Q(
        launch_number__gt=F("seat__latest_launch") - F("authorization__client__tokens_to_keep")
    )
    return RefreshToken.objects.filter(
        newest, consumed_at=0, expires_at__gt=now, authorization_epoch=F("authorization__epoch")
    )
