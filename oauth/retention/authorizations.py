"""Authorizations of which nothing can come any more go together with their codes and their own seats (CG-04).

A code is remembered as long as anything that it bought, so that a late replay still ends it. Then neither is needed: no
token can be issued, no page lists them. Most that are old enough still have tokens, so a sweep does not look at all of
them: at each code in the two hours in which it is old enough first, and again every 30 days.

What a service was allowed had no code. It goes when it ended as long ago; what did not end is there for its next token.
"""

from django.db import transaction
from django.db.models import Q
from django.db.models.expressions import RawSQL

from oauth.models import AccessToken, AddressChange, Authorization, Code, RefreshToken, Seat
from oauth.models.locking import lock_in_pk_order
from oauth.models.seats import key_of_grant
from oauth.retention import batches
from smart.time_units import DAY, HOUR

NEVER = RawSQL("0", [])  # in the text, not as a value: else a plan for any value knows of no index
LOOK, AGAIN = 2 * HOUR, 30 * DAY  # a sweep comes every hour


def delete_authorizations(*, before: int) -> int:
    """Deletes those that have no token any more, and whose codes expired, or that ended, before then. Counts rows."""
    return _delete_of_services(before) + _delete_of_people(before)


def _delete_of_services(before: int) -> int:
    """Those that ended before then."""
    count, last = 0, 0
    ended = Authorization.objects.filter(user__isnull=True, ended_at__gt=NEVER, ended_at__lt=before).order_by("pk")
    while some := list(ended.filter(pk__gt=last).values_list("pk", flat=True)[: batches.AT_ONCE]):
        count += _delete(set(some) - _needed(set(some), before=before))
        last = some[-1]
    return count


def _delete_of_people(before: int) -> int:
    """Those that began with a code."""
    oldest = Code.objects.order_by("expires_at").values_list("expires_at", flat=True).first()
    if oldest is None:
        return 0
    return sum(_delete_of_codes(until - LOOK, until, before=before) for until in range(before, oldest, -AGAIN))


def _delete_of_codes(since: int, until: int, *, before: int) -> int:
    """Looks at those whose code expired between the two."""
    count, last = 0, 0
    codes = Code.objects.filter(expires_at__lt=until).order_by("expires_at", "pk")
    codes_at = codes.values_list("expires_at", "pk", "authorization")
    while some := list(
        codes_at.filter(Q(expires_at__gt=since) | Q(pk__gt=last), expires_at__gte=since)[: batches.AT_ONCE]
    ):
        authorizations = {authorization for _, _, authorization in some}
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
