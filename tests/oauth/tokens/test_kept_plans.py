"""What a batch reads is looked up, also by a plan that was made while a table was empty, and is kept while it fills."""

import pytest
from django.db import connection, transaction

from oauth.tokens import gathered_client_credentials, gathered_exchange, gathered_refresh
from tests.kept_plans import explained

pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.postgresql]
REFRESHES: list[str | int] = [0, 1, "{a,b}", 0, 1]


@pytest.mark.parametrize(
    ("statement", "values", "table", "condition"),
    [
        (gathered_refresh._REFRESHES.text, REFRESHES, "oauth_refreshtoken", "(digest = q.digest)"),
        (gathered_refresh._REFRESHES.text, REFRESHES, "oauth_seat", "(id = oauth_refreshtoken.seat_id)"),
        (gathered_exchange._CODES.text, ["{a,b}"], "oauth_code", "(digest = q.digest)"),
        (gathered_client_credentials._SERVICES.text, [2, '["a"]'], "oauth_client", "= q.client_id)"),
        (
            gathered_client_credentials._SERVICES.text,
            [2, '["a"]'],
            "oauth_authorization",
            "((client_id = oauth_client.id) AND (fhir_server_id = s.id) AND (client_epoch",
        ),
    ],
    ids=[
        "refresh tokens",
        "their seats",
        "codes",
        "clients",
        "authorizations of clients",
    ],
)
def test_what_was_asked_for_is_looked_up(statement: str, values: list[str | int], table: str, condition: str) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {table}")
        plan = explained(statement, *values)
        transaction.set_rollback(True)

    found = next(number for number, line in enumerate(plan) if f" on {table}" in line and "Subquery" not in line)
    assert "Index Scan using" in plan[found]
    assert condition in plan[found + 1]
