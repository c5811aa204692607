"""The migrations of the audit database: those of the trail make its tables, the others make nothing there."""

from django.core.management import call_command

DATABASE = "audit"


def migrate_trail() -> None:
    """As `migrate --database audit` leaves it, on databases of which the main one is migrated.

    Django works out for each migration what every table would look like, also for those that the router keeps out. So
    these are noted alone, which makes seconds of a first start.
    """
    call_command("migrate", "audit", database=DATABASE, verbosity=0, interactive=False)
    call_command("migrate", database=DATABASE, fake=True, verbosity=0, interactive=False)
