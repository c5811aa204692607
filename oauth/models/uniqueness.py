"""Texts that are drawn at random or computed, and of which there is one each: digests, ids, keys of seats."""

from django.db import models


def unique_text(field: str, *, name: str) -> models.UniqueConstraint:
    """One row a value. `unique=True` would add an index for LIKE on PostgreSQL, which every insert pays for."""
    return models.UniqueConstraint(fields=[field], name=name)
