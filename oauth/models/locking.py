"""Locks of rows, in one order."""

from typing import Any

from django.db import models


def lock_in_pk_order(rows: models.QuerySet[Any]) -> list[Any]:
    """These rows, locked until the transaction ends, the first made first."""
    return list(rows.order_by("pk").select_for_update(of=("self",), no_key=True))
