"""What ended a token first, and when: its row, its authorization's, and its successor's tell it together.

Endings overlap: a token that was superseded has expired by now, and its person may have changed the password since.
"""

from typing import Any

from django.db.models import BigIntegerField, Case, F, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Coalesce, Least

from oauth.models import AccessToken, liveness
from smart.tokens.liveness import Dead

NEVER = Value(2**62, BigIntegerField())


def with_first_reason(tokens: QuerySet[AccessToken], *, now: int) -> QuerySet[Any]:
    """The tokens with `first_reason`, a key of REASONS or "" while they live, and `died_at`, 0 where none knows it."""
    ended_with_authorization = ~Q(authorization_epoch=F("authorization__epoch")) & Q(authorization__ended_at__gt=0)
    moments = {
        "revoked_first": _at(Q(revoked_at__gt=0), "revoked_at"),
        "ended_first": _at(ended_with_authorization, "authorization__ended_at"),
        "superseded_first": Coalesce(superseded_at(), NEVER),
    }
    found = liveness.with_dead_reason(tokens, now=now).annotate(**moments)
    found = found.annotate(first=Least(*(F(name) for name in moments), F("expires_at")))
    judged: QuerySet[Any] = found.annotate(
        first_reason=Case(
            When(first__gt=now, then=F("dead_reason")),
            When(first=F("revoked_first"), then=F("revoked_for")),
            When(first=F("ended_first"), then=F("authorization__ended_for")),
            When(first=F("superseded_first"), then=Value(Dead.SUPERSEDED.value)),
            default=Value(Dead.EXPIRED.value),
            output_field=TextField(),
        ),
        died_at=Case(When(first__lte=now, then=F("first")), default=Value(0), output_field=BigIntegerField()),
    )
    return judged


def superseded_at() -> Subquery:
    """When a token lost its seat (PR-01): at the issue of the one whose number took it. NULL while none has."""
    number = OuterRef("seat_number") + OuterRef("authorization__client__tokens_to_keep")
    return Subquery(AccessToken.objects.filter(seat=OuterRef("seat"), seat_number=number).values("issued_at")[:1])


def _at(condition: Q, field: str) -> Case:
    return Case(When(condition, then=F(field)), default=NEVER, output_field=BigIntegerField())
