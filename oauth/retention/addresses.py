"""Addresses are personal data: kept while they are needed, then for a number of days, then forgotten (PR-07)."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import SignIn
from oauth.models import AccessToken, AddressBlock, AddressChange, Authorization, liveness
from oauth.models.locking import lock_in_pk_order
from oauth.retention.parts import run_each
from smart.time_units import DAY, HOUR

LOOK = 2 * HOUR  # a sweep comes every hour


def forget_addresses(*, now: int, days: int) -> int:
    """Blanks or deletes every address that is older and that no access needs any more. Counts rows."""
    before = now - days * DAY
    used = Authorization.objects.filter(used_at__lt=before).exclude(used_from="")
    return run_each(
        [
            lambda: _forget_addresses_of_tokens(before),
            lambda: SignIn.objects.filter(last_seen_at__lt=before).exclude(address="").update(address=""),
            lambda: AddressChange.objects.filter(noted_at__lt=before).delete()[0],
            lambda: AddressBlock.objects.filter(blocked_at__lt=before).delete()[0],
            lambda: _blank(used, used_from=""),
            lambda: _forget_bound_addresses(before, now=now),
        ]
    )


def _forget_addresses_of_tokens(before: int) -> int:
    """Those of before a sweep that broke off are forgotten first, so that the next one still comes to them."""
    left = list(_periods_with_addresses(before))
    return sum(tokens.exclude(address="").update(address="") for tokens in reversed(left))


def _periods_with_addresses(before: int) -> Iterator[QuerySet[AccessToken]]:
    """The tokens of the latest hours before then, and of longer and longer periods before those.

    Until one has tokens and none of them has an address: older ones were forgotten, too.
    """
    until, length = before, LOOK
    while until > 0:
        # none lives for a day; its end is what has an index, and on PostgreSQL tells the partition
        ends = {"expires_at__gte": until - length, "expires_at__lt": until + DAY}
        tokens = AccessToken.objects.filter(issued_at__gte=until - length, issued_at__lt=until, **ends)
        if tokens.exclude(address="").exists():
            yield tokens
        elif tokens.exists():
            return
        until, length = until - length, 2 * length


def _forget_bound_addresses(before: int, *, now: int) -> int:
    """What an authorization belongs to is compared as long as it may be refreshed, however old it is (PR-04)."""
    known = ~Q(token_address="") | Q(use_address__isnull=False)
    old = Authorization.objects.filter(known, granted_at__lt=before, used_at__lt=before)
    going_on = liveness.usable(old.filter(pk__in=liveness.refreshable(now=now).values("authorization")))
    over = old.exclude(pk__in=going_on.values("pk"))
    return _blank(over, token_address="", use_address=None)


def _blank(rows: QuerySet[Authorization], **fields: Any) -> int:
    """Locked in the order in which access ends, so that neither waits for the other in a circle."""
    with transaction.atomic():
        lock_in_pk_order(rows.only("pk"))
        return rows.update(**fields)
