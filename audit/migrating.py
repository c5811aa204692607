"""The migrations of a new audit database: those of apps that have tables there make them, the others make nothing."""

from collections.abc import Iterator

from django.apps import apps
from django.core.management import call_command
from django.db import connections, router
from django.db.migrations.loader import MigrationLoader

DATABASE = "audit"


def migrate_trail() -> None:
    """As `migrate --database audit` leaves it.

    Django works out for each migration what every table would look like, also for those that the routers keep out. So
    in a new database these are noted alone, which makes seconds of a first start.
    """
    loader = MigrationLoader(connections[DATABASE])
    if not loader.applied_migrations:
        for label in _at_home(loader.migrated_apps):
            call_command("migrate", label, database=DATABASE, verbosity=0, interactive=False)
        call_command("migrate", database=DATABASE, fake=True, verbosity=0, interactive=False)
    call_command("migrate", database=DATABASE, verbosity=0, interactive=False)


def _at_home(migrated: set[str]) -> Iterator[str]:
    """The apps that may change that database, by any of their models or without naming one."""
    for config in apps.get_app_configs():
        models = config.get_models(include_auto_created=True)
        is_allowed = router.allow_migrate(DATABASE, config.label)
        if config.label in migrated and (
            is_allowed or any(router.allow_migrate_model(DATABASE, each) for each in models)
        ):
            yield config.label
