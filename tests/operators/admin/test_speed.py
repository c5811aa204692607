"""Lists stay fast: the number of statements does not grow with the rows, and nothing counts a whole table."""

import secrets
from collections.abc import Callable

import pytest
from django.test.utils import CaptureQueriesContext

from tests.fixture_types import Grant, MakeClient, MakePerson
from tests.operators.admin.conftest import Operator

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
LISTS = [
    "oauth/client/", "oauth/fhirserver/", "accounts/user/", "oauth/patientrecord/", "oauth/authorization/",
    "oauth/accesstoken/", "oauth/accesstoken/?state=live", "oauth/refreshtoken/", "audit/securityevent/", "",
]  # fmt: skip
MOST_STATEMENTS = 14


def statements(operator: Operator, path: str) -> int:
    """How many statements both databases get for a page."""
    from django.db import connections

    with CaptureQueriesContext(connections["default"]) as main, CaptureQueriesContext(connections["audit"]) as audit:
        answer = operator.browser.get(f"/admin/{path}")
    assert answer.status_code == 200
    return len(main) + len(audit)


@pytest.fixture
def fill(make_client: MakeClient, make_person: MakePerson, grant: Grant) -> Callable[[int], None]:
    """So many more rows of everything, each with relations of its own."""

    def make(rows: int) -> None:
        from accounts import clock
        from audit.models import SecurityEvent
        from oauth.models import AccessToken, FhirServer, RefreshToken, Seat

        for place in range(rows):
            granted = grant(make_client(), make_person(f"p{place}"), patient=f"p{place}")
            FhirServer.objects.create(base=f"https://{secrets.token_hex(8)}.example.org", name="One more")
            seat = Seat.objects.create(key=secrets.token_hex(8), latest_number=1)
            AccessToken.objects.create(
                digest=secrets.token_hex(32), jti=secrets.token_hex(8), authorization=granted.authorization,
                authorization_epoch=0, seat=seat, seat_number=1, scope="patient/*.rs", claims="{}",
                issued_at=clock.now(), expires_at=clock.now() + 300_000_000,
            )  # fmt: skip
            RefreshToken.objects.create(
                digest=secrets.token_hex(32), authorization=granted.authorization, authorization_epoch=0,
                issued_at=clock.now(), expires_at=clock.now() + 300_000_000,
            )  # fmt: skip
            SecurityEvent.objects.create(kind="issued", at=clock.now(), person=granted.person.subject)

    return make


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path or "start page")
def test_more_rows_need_no_more_statements(operator: Operator, fill: Callable[[int], None], path: str) -> None:
    fill(2)
    few = statements(operator, path)
    fill(20)

    many = statements(operator, path)

    assert many <= few <= MOST_STATEMENTS


@pytest.mark.parametrize("path", [path for path in LISTS if path])
def test_no_list_counts_a_whole_table(operator: Operator, fill: Callable[[int], None], path: str) -> None:
    from django.db import connections

    fill(1)
    with CaptureQueriesContext(connections["default"]) as main, CaptureQueriesContext(connections["audit"]) as audit:
        operator.browser.get(f"/admin/{path}")

    counts = [found["sql"] for found in [*main, *audit] if "COUNT(*)" in found["sql"]]
    assert counts
    assert all("LIMIT" in sql for sql in counts)
