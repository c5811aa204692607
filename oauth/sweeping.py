"""What is over and needed by nobody: pending requests, failure counts, tokens long expired."""

from accounts import clock
from accounts.models import FailureCount
from oauth.models import AccessToken, PendingRequest

DAY = 86_400_000_000
TOKENS_KEPT = 90 * DAY


def sweep() -> int:
    """Deletes requests expired a day ago, counts past their window, tokens expired 90 days ago. Counts rows."""
    now = clock.now()
    gone = [
        PendingRequest.objects.filter(expires_at__lt=now - DAY).delete(),
        FailureCount.objects.filter(window_ends_at__lt=now).delete(),
        AccessToken.objects.filter(expires_at__lt=now - TOKENS_KEPT).delete(),
    ]
    return sum(count for count, _ in gone)
