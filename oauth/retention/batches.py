"""Deleting many rows so that nobody waits for it: a bounded number at a time, each time in a transaction of its own."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from oauth.models import RefreshToken

AT_ONCE = 1000
SOUGHT_AT_ONCE = 100_000  # keys: where no index finds what is over, all rows are read each time


def delete_in_batches(rows: QuerySet[Any]) -> int:
    """Deletes all of them with what belongs to them, as `delete` does. Counts rows."""
    count, found = 0, None
    while found is None or len(found) == SOUGHT_AT_ONCE:
        found = list(rows.values_list("pk", flat=True)[:SOUGHT_AT_ONCE])
        count += sum(_delete(rows, found[first : first + AT_ONCE]) for first in range(0, len(found), AT_ONCE))
    return count


def _delete(rows: QuerySet[Any], keys: list[Any]) -> int:
    """Those of them that are over still."""
    with transaction.atomic():
        batch = rows.filter(pk__in=keys).order_by()
        return _delete_refresh_tokens(batch, keys) if rows.model is RefreshToken else int(batch.delete()[0])


def _delete_refresh_tokens(batch: QuerySet[Any], keys: list[int]) -> int:
    """Their successors point at nothing then. Django would do the same, but read all of each row before."""
    RefreshToken.objects.filter(predecessor__in=keys).update(predecessor=None)
    return batch._raw_delete(batch.db)
