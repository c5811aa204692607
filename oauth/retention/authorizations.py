"""Authorizations of which nothing can come any more go together with their codes and their own seats (CG-04).

A code is remembered as long as anything that it bought, so that a late replay still ends it. Then neither is needed: no
token can be issued, no page lists them. Most that are old enough still have tokens, so a sweep does not look at all of
them: at each code in the two hours in which it is old enough first, and again every 30 days.

What a service was allowed had no code. It goes by when it ended, also with its client or FHIR server; what did not end
is there for its next token.
"""

from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from oauth.models import AccessToken, AddressChange, Authorization, Code, RefreshToken, Seat
from oauth.models.locking import lock_in_pk_order
from oauth.models.seats import key_of_grant
from oauth.retention import batches
from smart.time_units import DAY, HOUR

LOOK, AGAIN = 2 * HOUR, 30 * DAY  # a sweep comes every hour


def delete_authorizations(*, before: int) -> int:
    """Deletes those that have no token any more, and whose codes expired, or that ended, before then. Counts rows."""
    by_code = _delete_over(Code.objects.all(), "expires_at", "authorization", before=before)
    return by_code + _delete_over(Authorization.objects.lost_by_services(), "ended_at", "pk", before=before)


def _delete_over(rows: QuerySet[Any], moment: str, authorization: str, *, before: int) -> int:
    """Those whose rows, found by an index on that moment, say that it was before then."""
    oldest = rows.order_by(moment).values_list(moment, flat=True).first()
    if oldest is None:
        return 0
    return sum(
        _delete_between(rows, moment, authorization, until - LOOK, until, before=before)
        for until in range(before, oldest, -AGAIN)
    )


def _delete_between(
    rows: QuerySet[Any], moment: str, authorization: str, since: int, until: int, *, before: int
) -> int:
    """Looks at those whose moment lies between the two."""
    count, last, at = 0, 0, f"{moment}__"
    found = rows.filter(**{f"{at}lt": until}).order_by(moment, "pk").values_list(moment, "pk", authorization)
    while some := list(
        found.filter(Q(**{f"{at}gt": since}) | Q(pk__gt=last), **{f"{at}gte": since})[: batches.AT_ONCE]
    ):
        authorizations = {of for _, _, of in some}
        count += _delete(authorizations - _needed(authorizations, before=before))
        since, last, _ = some[-1]  # those that are needed stay: the next ones come after them
    return count


def _needed(authorizations: set[int], *, before: int) -> set[int]:
    """Those of them that have a row of a token, or a code that is not as old."""
    rows = (RefreshToken.objects, AccessToken.objects, Code.objects.filter(expires_at__gte=before))
    return {
        found
        for each in rows
        for found in each.filter(authorization__in=authorizations).values_list("authorization", flat=True).distinct()
    }


def _delete(authorizations: set[int]) -> int:
    """In the order in which access ends. What refers to one after all is no part of it: the database refuses then."""
    if not authorizations:
        return 0
    of_these = {"authorization__in": authorizations}
    with transaction.atomic():
        rows = Authorization.objects.filter(pk__in=authorizations)
        lock_in_pk_order(rows.only("pk"))
        seats = Seat.objects.filter(key__in=[key_of_grant(each) for each in authorizations])
        parts = (AddressChange.objects.filter(**of_these), Code.objects.filter(**of_these), rows, seats)
        return sum(part._raw_delete(part.db) for part in parts)
