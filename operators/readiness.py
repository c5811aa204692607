"""What serving needs of the databases: migrations that are applied, and keys that sign."""

from functools import cache

from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from oauth.keys import signing_keys
from oauth.models import SigningKey

DATABASES = ("default", "audit")


def missing_migrations(alias: str) -> list[str]:
    """The apps whose latest migration this database does not have. Raises django.db.Error if it does not answer."""
    applied = MigrationRecorder(connections[alias]).applied_migrations()
    return [app for app, name in _latest_migrations() if (app, name) not in applied]


@cache
def _latest_migrations() -> list[tuple[str, str]]:
    return sorted(MigrationLoader(None).graph.leaf_nodes())


def can_sign() -> bool:
    """Whether an active key that this server can read is there for every algorithm."""
    active = SigningKey.objects.filter(state=SigningKey.State.ACTIVE)
    return {row.algorithm for row in active if signing_keys.is_readable(row)} >= set(signing_keys.ALGORITHMS)
