"""Deleting many rows so that nobody waits for it: a bounded number at a time, each time in a transaction of its own."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from oauth.models import RefreshToken

AT_ONCE = 1000


def delete_in_batches(rows: QuerySet[Any]) -> int:
    """Deletes all of them, and what was to point at one of them points at nothing. Counts rows."""
    count = 0
    while some := list(rows.values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            if rows.model is RefreshToken:
                # as the ORM does for a foreign key, but without reading each row into an object
                RefreshToken.objects.filter(predecessor__in=some).update(predecessor=None)
            count += rows.filter(pk__in=some)._raw_delete(rows.db)
    return count
