"""Who asks for an invalidation, as its events name them: an operator or a resource server, and from where."""

import pytest

from tests.conftest import ADDRESS
from tests.fixture_types import Events, Grant
from tests.introspection.invalidation_caller import Asker, Operator


@pytest.mark.requirement("SD-05", "RV-09")
def test_the_event_of_an_ending_names_who_asked_for_it_and_from_where(
    operator: Operator, asker: Asker, grant: Grant, events: Events
) -> None:
    first, second = (str(grant().authorization) for _ in range(2))

    operator.post(authorization=first)
    asker.ends(authorization=second)

    found = [events("authorization-ended", authorization=one)[0] for one in (first, second)]
    assert [(event.operator, event.reference, event.address) for event in found] == [
        (operator.user.subject, "", "127.0.0.1"),
        ("", asker.client.client_id, ADDRESS),
    ]
