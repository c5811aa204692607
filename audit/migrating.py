"""The migrations of the audit database: a few apps have tables there, the others make nothing."""

from django.apps import apps
from django.core.management import call_command
from django.db import router

DATABASE = "audit"


def migrate_trail() -> None:
    """As `migrate --database audit` leaves it, on databases of which the main one is migrated.

    Django works out for each migration what every table would look like, also for those that the router keeps out. So
    these are noted alone, which makes seconds of a first start.
    """
    for app in _apps_with_tables():
        call_command("migrate", app, database=DATABASE, verbosity=0, interactive=False)
    call_command("migrate", database=DATABASE, fake=True, verbosity=0, interactive=False)


def _apps_with_tables() -> list[str]:
    """Those of which the router puts a table there."""
    models = apps.get_models(include_auto_created=True)
    return sorted({model._meta.app_label for model in models if router.allow_migrate_model(DATABASE, model)})
