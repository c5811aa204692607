"""Answers that are kept for apps that lost them are forgotten as soon as they may no longer be repeated (RF-05)."""

from django.db import transaction
from django.db.models.expressions import RawSQL

from oauth.models import RefreshToken
from oauth.retention import batches

EMPTY = RawSQL("''", [])  # in the text, not as a value: else a plan for any value knows of no index


def forget_answers(*, before: int) -> int:
    """Forgets those to refresh tokens that were used before then, and counts them.

    It waits for no token that somebody else holds: the next sweep comes to that one.
    """
    late = RefreshToken.objects.filter(kept_answer__gt=EMPTY, consumed_at__lt=before).order_by("pk")
    free = late.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)
    count, found = 0, -1
    while found:
        with transaction.atomic():
            some = list(free[: batches.AT_ONCE])
            found = RefreshToken.objects.filter(pk__in=some).update(kept_answer="") if some else 0
        count += found
    return count
