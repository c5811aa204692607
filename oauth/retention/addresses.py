"""Addresses are personal data: kept while they are needed, then for a number of days, then forgotten (PR-07)."""

from typing import Any

from django.db import transaction
from django.db.models import Min, Q, QuerySet

from accounts.models import SignIn
from oauth.models import AccessToken, AddressBlock, AddressChange, Authorization, SweepProgress, liveness
from oauth.models.locking import lock_in_pk_order
from oauth.retention.parts import run_each
from smart.time_units import DAY, HOUR

OF_TOKENS = "addresses of access tokens"
AT_ONCE = 2 * HOUR  # a sweep comes every hour


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
    """Goes on where the last sweep ended or broke off, some hours at a time; the first one begins with the oldest."""
    done = SweepProgress.objects.filter(part=OF_TOKENS).values_list("until", flat=True).first() or 0
    count, since = 0, min(done, before)
    _go_on_from(since)  # earlier than before where a clock was ahead then, or addresses are kept for longer now
    while since < before:
        until = min(since + AT_ONCE, before)
        found = _with_address(since, until).update(address="")
        since = until if found else _oldest(until, before)
        count += found
        _go_on_from(since)
    return count


def _oldest(since: int, before: int) -> int:
    """When the first token between the two was issued that has an address; the end where none has."""
    issued_at = _with_address(since, before).aggregate(first=Min("issued_at"))["first"]
    return before if issued_at is None else int(issued_at)


def _with_address(since: int, until: int) -> QuerySet[AccessToken]:
    """None lives for a day; its end is what has an index, and on PostgreSQL tells the partition."""
    ends = {"expires_at__gte": since, "expires_at__lt": until + DAY}
    return AccessToken.objects.filter(issued_at__gte=since, issued_at__lt=until, **ends).exclude(address="")


def _go_on_from(moment: int) -> None:
    SweepProgress.objects.update_or_create(part=OF_TOKENS, defaults={"until": moment})


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
