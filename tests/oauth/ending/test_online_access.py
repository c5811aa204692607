"""What an authorization remembers of the session that it lasts as long as (SCP-17)."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session

from accounts import clock
from accounts.session_store import SessionStore, row_key
from oauth.ending import online_access
from smart.digests import sha256_hex
from tests.fixture_types import SetClock


@pytest.fixture
def request_of_a_session(committed: None, rf: Any) -> Any:
    request = rf.get("/")
    request.session = SessionStore()
    request.session.save()
    return request


@pytest.mark.requirement("SCP-17")
def test_an_authorization_keeps_the_digest_of_a_mark_that_stays_and_the_end_of_the_session(
    request_of_a_session: Any,
) -> None:
    request = request_of_a_session
    row = Session.objects.get(session_key=row_key(request.session.session_key))

    fields, again = online_access.session_fields(request), online_access.session_fields(request)

    mark = request.session[online_access.MARK]
    assert fields == again == {
        "session_digest": sha256_hex(mark), "session_ends_at": int(row.expire_date.timestamp() * 1_000_000),
    }  # fmt: skip
    assert len(mark) >= 43
    assert online_access.session_digest(request) == fields["session_digest"]


@pytest.mark.requirement("SCP-17")
def test_where_the_session_is_gone_it_ends_now(request_of_a_session: Any, set_clock: SetClock) -> None:
    set_clock(now := clock.now())
    Session.objects.filter(session_key=row_key(request_of_a_session.session.session_key)).delete()

    assert online_access.session_fields(request_of_a_session)["session_ends_at"] == now


def test_without_a_mark_no_authorization_is_named(request_of_a_session: Any) -> None:
    assert online_access.session_digest(request_of_a_session) == sha256_hex("")
