"""What a person may do by what they are: no app does more than its user may."""

import pytest

from fhir.token.roles import within_role
from smart.decisions.subject import Subject
from smart.scopes.scope_sets import parse_scopes

SCOPES = "patient/*.cruds user/Observation.cruds system/*.cruds"


def actions(own: tuple[str, str] | None) -> list[str]:
    found = within_role(Subject(parse_scopes(SCOPES), own_record=own), {"Practitioner"})
    return [scope.context + " " + "".join(sorted(scope.actions)) for scope in found.scopes]


@pytest.mark.requirement("US-03")
@pytest.mark.parametrize("own", [None, ("Patient", "Practitioner"), ("RelatedPerson", "r")])
def test_who_is_of_no_type_that_writes_reads_by_user_scopes_and_no_more(own: tuple[str, str] | None) -> None:
    assert actions(own) == ["patient cdrsu", "user rs", "system cdrsu"]


@pytest.mark.requirement("US-03")
def test_who_is_of_a_type_that_writes_keeps_what_the_scopes_allow() -> None:
    assert actions(("Practitioner", "p")) == ["patient cdrsu", "user cdrsu", "system cdrsu"]
