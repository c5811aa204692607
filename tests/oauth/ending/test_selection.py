"""What a selection names: requests that wait are among it, but for one that may go on."""

import pytest
from django.db.models import Q

from oauth.ending.selection import Selection


@pytest.mark.requirement("RF-08", "SD-05")
def test_of_requests_that_wait_one_may_go_on_and_the_others_end() -> None:
    whole = Selection.matching(user=3)

    kept = whole.without_request(7)

    assert (kept.authorizations, kept.requests) == (Q(user=3), Q(user=3) & ~Q(pk=7))
    assert (whole.requests, kept.everything_of) == (Q(user=3), None)


@pytest.mark.requirement("SCP-17")
def test_no_request_waits_for_the_end_of_a_session() -> None:
    assert Selection.of_sessions(["digest"]).without_request(7).requests is None
