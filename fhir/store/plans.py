"""How PostgreSQL plans the statements of a search: for the values that are asked, and not once for all values."""

from django.apps import apps
from django.db import connection

_STATEMENT = "SET plan_cache_mode = force_custom_plan"


def plan_for_values() -> None:
    """Once for each connection. A plan made for any patient and code reads all records of a type, one for these few."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor(), connection.wrap_database_errors:  # a cursor looks first whether the session still lives
        session = connection.connection
        is_prepared = session.prepare_threshold is not None  # else each statement is planned for its values anyway
        if is_prepared and not getattr(session, "plans_for_values", False):
            session.execute(_STATEMENT)
            session.plans_for_values = True


def refresh_statistics() -> None:
    """After many new rows: PostgreSQL counts them by itself a minute later, and plans until then for empty tables."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for model in apps.get_app_config("fhir").get_models():
            cursor.execute(f'ANALYZE "{model._meta.db_table}"')
