"""Deleting many rows so that nobody waits for it: a bounded number at a time, each time in a transaction of its own."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from oauth.models import RefreshToken

AT_ONCE = 1000


def delete_in_batches(rows: QuerySet[Any]) -> int:
    """Deletes all of them with what belongs to them, as `delete` does. Counts rows."""
    count = 0
    while some := list(rows.values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            batch = rows.filter(pk__in=some).order_by()
            count += _delete_refresh_tokens(batch, some) if rows.model is RefreshToken else batch.delete()[0]
    return count


def _delete_refresh_tokens(batch: QuerySet[Any], keys: list[int]) -> int:
    """Their successors point at nothing then. Django would do the same, but read all of each row before."""
    RefreshToken.objects.filter(predecessor__in=keys).update(predecessor=None)
    return batch._raw_delete(batch.db)
