"""What is over and needed by nobody: pending requests, launches, sessions, failure counts, old tokens and addresses."""

from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import QuerySet

from accounts.engine import is_on_postgresql
from accounts.models import RateCount
from oauth.models import AccessToken, AssertionId, Launch, PendingRequest, RefreshToken, RefusalCount
from oauth.models.pending_requests import COOKIE_GRACE_SECONDS
from oauth.retention import partitions
from oauth.retention.addresses import forget_addresses
from oauth.retention.answers import forget_answers
from oauth.retention.authorizations import delete_authorizations
from oauth.retention.batches import delete_in_batches
from oauth.retention.both_clocks import now_by_both_clocks
from oauth.retention.parts import Part, run_each
from smart.time_units import DAY, MINUTE, SECOND, to_datetime
from smart.tokens.refresh import GRACE_BOUND

TOKENS_KEPT = 90 * DAY


def sweep() -> int:
    """Deletes what is over, at once or when nobody needs it any more; forgets kept answers and old addresses.

    Each part is tried; raises the first failure at the end. Counts rows.
    """
    now = now_by_both_clocks()
    over = (
        PendingRequest.objects.filter(expires_at__lt=now - COOKIE_GRACE_SECONDS * SECOND),
        Launch.objects.filter(expires_at__lt=now - DAY),
        Session.objects.filter(expire_date__lt=to_datetime(now)),
        AssertionId.objects.filter(forget_at__lt=now - MINUTE),
        RateCount.objects.filter(window_ends_at__lt=now),
        RefusalCount.objects.filter(window_ends_at__lt=now),
    )
    without_token = now - max(TOKENS_KEPT, settings.SMARTAUTH_REFRESH_IDLE_SECONDS * SECOND)
    return run_each(
        [
            partial(_forget_answers, now),
            *(partial(delete_in_batches, rows) for rows in over),
            *_parts_of_tokens(AccessToken.objects.all(), partitions.ACCESS_TOKENS, now),
            *_parts_of_tokens(RefreshToken.objects.all(), partitions.REFRESH_TOKENS, now),
            partial(delete_authorizations, before=without_token),
            partial(forget_addresses, now=now, days=settings.SMARTAUTH_ADDRESS_DAYS),
        ]
    )


def _forget_answers(now: int) -> int:
    """No row goes by that."""
    forget_answers(before=now - GRACE_BOUND * SECOND)
    return 0


def _parts_of_tokens(tokens: QuerySet[Any], parts: partitions.Partitions, now: int) -> list[Part]:
    """A partition goes as a whole, when the last token in it is as old; what is older than any in it goes singly."""
    kept = TOKENS_KEPT + (parts.days * DAY if is_on_postgresql() else 0)
    return [
        partial(_add_partitions, parts, now),
        partial(parts.drop_expired, before=now - TOKENS_KEPT),
        partial(delete_in_batches, tokens.filter(expires_at__lt=now - kept).order_by("expires_at")),
    ]


def _add_partitions(parts: partitions.Partitions, now: int) -> int:
    """No row goes by that."""
    parts.add_in_time(now=now)
    return 0
