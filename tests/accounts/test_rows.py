"""A row that is the only one of its kind is looked up without an order."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.rows import only_row
from tests.fixture_types import MakePerson

pytestmark = pytest.mark.usefixtures("committed")


def test_the_only_row_is_found_by_one_statement_without_an_order(make_person: MakePerson) -> None:
    amy = make_person("amy")

    with CaptureQueriesContext(
        connection,
    ) as asked:
        rows = User.objects.order_by("username")
        found, nobody = (only_row(rows.filter(subject=subject)) for subject in (amy.subject, "nobody"))

    assert (found, nobody) == (amy, None)
    assert [("ORDER BY" in each["sql"], "LIMIT 1" in each["sql"]) for each in asked] == [(False, True)] * 2
