"""The plans of PostgreSQL, as a connection of the event loop keeps them."""

from django.db import connection

from oauth.http.postgresql_session import KEPT_PLANS
from oauth.models.sql import numbered


def explained(statement: str, *values: str | int, analyze: bool = False) -> list[str]:
    """The plan of a statement, in a transaction; each text is a value of a parameter. To analyze it is to run it."""
    with connection.cursor() as cursor:
        for name, value in KEPT_PLANS.items():
            cursor.execute(f"SET LOCAL {name} = {value}")
        cursor.execute(f"PREPARE asked AS {numbered(statement)}")
        cursor.execute(f"EXPLAIN (ANALYZE {analyze}) EXECUTE asked ({', '.join(map(repr, values))})")
        plan = [line for (line,) in cursor.fetchall()]
        cursor.execute("DEALLOCATE asked")
    return plan
