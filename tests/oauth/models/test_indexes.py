"""Which indexes PostgreSQL keeps: each of them is paid for at every insert."""

import pytest
from django.db import connection
from django.db.models import Model

from audit.models import Outbox, SecurityEvent
from oauth.models import AccessToken, Code, Launch, PendingRequest, RefreshToken, Seat

pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.postgresql]
WRITTEN_AT_EVERY_LAUNCH = (AccessToken, Code, Launch, Outbox, PendingRequest, RefreshToken, Seat, SecurityEvent)
FOR_LIKE = "SELECT indexname FROM pg_indexes WHERE tablename = %s AND indexdef LIKE '%%_pattern_ops%%'"


def indexes_for_like(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(FOR_LIKE, [table])
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.parametrize("model", WRITTEN_AT_EVERY_LAUNCH)
def test_no_index_for_like_is_kept_of_what_is_written_all_the_time(model: type[Model]) -> None:
    assert indexes_for_like(model._meta.db_table) == []


def test_such_an_index_would_be_found_here() -> None:
    """Those of the FHIR servers' bases are kept: they are written once."""
    assert len(indexes_for_like("oauth_fhirserver")) == 1


def test_authorizations_without_a_person_stand_in_no_index_of_persons() -> None:
    """A plan that looks for them there reads those of all services to find one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'oauth_authorization'")
        of_persons = [definition for (definition,) in cursor.fetchall() if "(user_id)" in definition]

    assert len(of_persons) == 1
    assert of_persons[0].endswith("WHERE (user_id IS NOT NULL)")


@pytest.mark.parametrize("model", [AccessToken, RefreshToken])
def test_no_partition_of_tokens_can_be_read_by_the_end_alone(model: type[Model]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename LIKE %s", [f"{model._meta.db_table}\\_%"])
        found = [definition for (definition,) in cursor.fetchall()]

    assert any("(digest)" in definition for definition in found)
    assert not [definition for definition in found if definition.endswith("(expires_at)")]
