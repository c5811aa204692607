"""What a selection names: requests that wait are among it, but for one that may go on."""

import pytest
from django.db.models import Q

from oauth.ending.selection import Selection
from oauth.models import Authorization


@pytest.mark.requirement("RF-08", "SD-05")
def test_of_requests_that_wait_one_may_go_on_and_the_others_end() -> None:
    whole = Selection.matching(user=3)

    kept = whole.without_request(7)

    assert (kept.authorizations, kept.requests) == (Q(user=3), Q(user=3) & ~Q(pk=7))
    assert (whole.requests, kept.everything_of) == (Q(user=3), None)


@pytest.mark.requirement("SCP-17")
def test_no_request_waits_for_the_end_of_a_session() -> None:
    assert Selection.of_sessions(["digest"]).without_request(7).requests is None


@pytest.mark.requirement("AZ-23", "SD-05")
def test_with_authorizations_end_the_requests_of_the_same_app_for_the_same_person_and_record() -> None:
    of_amy = Authorization(pk=1, client_id=2, user_id=3, fhir_server_id=4, patient="amy")
    of_ben = Authorization(pk=5, client_id=6, user_id=7, fhir_server_id=8, patient="ben")
    of_a_service = Authorization(pk=9, client_id=2, fhir_server_id=4)

    ended = Selection.of_authorizations(iter([of_amy, of_a_service, of_ben]))

    amys = Q(client=2, user=3, fhir_server=4, patient="amy")
    bens = Q(client=6, user=7, fhir_server=8, patient="ben")
    assert (ended.authorizations, ended.requests) == (Q(pk__in=[1, 9, 5]), amys | bens)
    assert Selection.of_authorizations([of_a_service]).requests is None
