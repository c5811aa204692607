"""What is over and needed by nobody: pending requests, launches, sessions, failure counts, old tokens and addresses."""

from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts import clock
from accounts.models import RateCount
from oauth.models import AccessToken, AssertionId, Launch, PendingRequest, RefreshToken, RefusalCount
from oauth.models.pending_requests import COOKIE_GRACE_SECONDS
from oauth.retention.addresses import forget_addresses
from smart.time_units import DAY, MINUTE, SECOND
from smart.tokens.refresh import GRACE_BOUND

TOKENS_KEPT = 90 * DAY


def sweep() -> int:
    """Deletes what is over, at once or when nobody needs it any more; forgets old addresses. Counts rows.

    An answer kept for an app that lost it is forgotten as soon as it may no longer be repeated (RF-05).
    """
    now = clock.now()
    late = RefreshToken.objects.exclude(kept_answer="").filter(consumed_at__lt=now - GRACE_BOUND * SECOND)
    late.update(kept_answer="")
    gone = [
        PendingRequest.objects.filter(expires_at__lt=now - COOKIE_GRACE_SECONDS * SECOND).delete(),
        Launch.objects.filter(expires_at__lt=now - DAY).delete(),
        Session.objects.filter(expire_date__lt=timezone.now()).delete(),
        AssertionId.objects.filter(forget_at__lt=now - MINUTE).delete(),
        RateCount.objects.filter(window_ends_at__lt=now).delete(),
        RefusalCount.objects.filter(window_ends_at__lt=now).delete(),
        AccessToken.objects.filter(expires_at__lt=now - TOKENS_KEPT).delete(),
        RefreshToken.objects.filter(expires_at__lt=now - TOKENS_KEPT).delete(),
    ]
    return sum(count for count, _ in gone) + forget_addresses(now=now, days=settings.SMARTAUTH_ADDRESS_DAYS)
