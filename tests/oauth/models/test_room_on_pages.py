"""What PostgreSQL leaves free on the pages of rows that are changed soon, so that a change writes no index."""

import pytest
from django.db import connection, transaction

from accounts import clock
from oauth.retention.partitions import REFRESH_TOKENS

pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.postgresql]
FILLFACTORS = """
SELECT oid::regclass::text, substring(array_to_string(reloptions, ' ') FROM 'fillfactor=(\\d+)') FROM pg_class
WHERE relkind = 'r' AND (oid = %s::regclass OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = %s::regclass))
"""


def fillfactors(table: str) -> dict[str, str | None]:
    """Of the table, or of each of its partitions."""
    with connection.cursor() as cursor:
        cursor.execute(FILLFACTORS, [table, table])
        return dict(cursor.fetchall())


def test_every_partition_of_refresh_tokens_has_room_for_each_to_be_spent_where_it_is() -> None:
    with transaction.atomic():
        before = fillfactors("oauth_refreshtoken")
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT oauth_add_{REFRESH_TOKENS.noun}_partition(%s, 30)", [clock.now()])
        after = fillfactors("oauth_refreshtoken")
        transaction.set_rollback(True)

    assert len(before) > 2
    assert len(after) == len(before) + 1
    assert {*after.values()} == {"50"}


@pytest.mark.parametrize(("table", "filled"), [("oauth_code", "80"), ("oauth_authorization", "80")])
def test_so_have_codes_and_authorizations(table: str, filled: str) -> None:
    assert fillfactors(table) == {table: filled}
