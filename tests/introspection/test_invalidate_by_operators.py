"""Invalidations that an operator asks for."""

from typing import Any

import pytest
from django.test import Client as Browser

from tests.conftest import BASE
from tests.explained import error_of
from tests.fixture_types import Events, Introspect, Issue, MakePerson
from tests.introspection.invalidation_caller import BY, NOTHING, ONE, Operator, targets


@pytest.mark.requirement("SD-05", "RV-08")
@pytest.mark.parametrize(
    ("name", "kind"), [("sub", "person-ended"), ("client_id", "client-ended")], ids=["person", "client"]
)
def test_an_operator_ends_everything_of_a_person_or_client_everywhere_by_one_increment(
    operator: Operator, issue: Issue, issued: dict[str, Any], other_fhir_server: Any, introspect: Introspect,
    events: Events, name: str, kind: str,
) -> None:  # fmt: skip
    from accounts import clock
    from oauth.models import AccessToken, liveness

    granted = issued["granted"]
    issue(granted.client, granted.person, server=other_fhir_server)

    told = operator.post(**targets(issued, name))

    assert (told.status_code, told.json()) == (200, {"authorizations": 2, "access_tokens": 2})
    assert introspect(issued["access_token"]) == {"active": False}
    assert not liveness.live(AccessToken.objects.filter(authorization__client=granted.client), now=clock.now()).exists()
    which = granted.person if name == "sub" else granted.client
    which.refresh_from_db()
    assert which.epoch == 1
    assert len(events(kind, operator=operator.user.subject)) == 1


@pytest.mark.requirement("RV-08")
@pytest.mark.parametrize("names", [BY[name] for name in ("patient", "authorization", "person and client", "fhirUser")])
def test_an_operator_ends_what_they_name(
    operator: Operator, issued: dict[str, Any], introspect: Introspect, events: Events, names: tuple[str, ...]
) -> None:
    told = operator.post(**targets(issued, *names))

    assert told.json() == ONE
    assert introspect(issued["access_token"]) == {"active": False}
    (event,) = events("authorization-ended", authorization=str(issued["granted"].authorization))
    assert (event.operator, event.reason, event.address) == (operator.user.subject, "operator", "127.0.0.1")


@pytest.mark.requirement("SD-05")
def test_an_operator_locks_until_an_operator_unlocks(
    operator: Operator, issued: dict[str, Any], introspect: Introspect, events: Events
) -> None:
    person, browser = issued["granted"].person, Browser()

    told = operator.post(**targets(issued, "sub"), lock="operator")

    assert told.json() == {**ONE, "lock": "operator"}
    assert introspect(issued["access_token"]) == {"active": False}
    assert browser.post("/login", {"username": person.username, "password": "smartauth-demo"}).status_code == 403
    assert len(events("person-stopped", person=person.subject, operator=operator.user.subject)) == 1


@pytest.mark.requirement("SD-05")
def test_an_operators_lock_until_a_later_login_ends_everything_of_a_person_by_one_increment(
    operator: Operator, issued: dict[str, Any], events: Events
) -> None:
    person = issued["granted"].person

    told = operator.post(**targets(issued, "sub"), lock="login")

    person.refresh_from_db()
    assert told.json() == {**ONE, "lock": "login"}
    assert (person.epoch, person.login_after > 0) == (1, True)
    assert len(events("person-ended", operator=operator.user.subject)) == 1


@pytest.mark.requirement("SD-05")
def test_a_lock_that_names_one_authorization_locks_its_person(operator: Operator, issued: dict[str, Any]) -> None:
    person = issued["granted"].person

    told = operator.post(**targets(issued, "sub", "authorization"), lock="login")

    person.refresh_from_db()
    assert told.json() == {**ONE, "lock": "login"}
    assert (person.epoch, person.login_after > 0) == (0, True)


@pytest.mark.requirement("SD-05", "RV-08")
def test_a_fhir_user_is_one_at_that_base_and_may_be_named_by_the_whole_url(
    operator: Operator, issued: dict[str, Any], make_person: MakePerson, other_fhir_server: Any
) -> None:
    person, namesake = issued["granted"].person, make_person()
    resource = person.identities.get().resource
    namesake.identities.create(fhir_server=other_fhir_server, resource=resource)

    told = operator.post(fhirUser=f"{BASE}/{resource}", aud=BASE, lock="login")

    person.refresh_from_db()
    namesake.refresh_from_db()
    assert told.json() == {**ONE, "lock": "login"}
    assert (person.login_after > 0, namesake.login_after) == (True, 0)


@pytest.mark.requirement("RV-08")
def test_an_unknown_person_reads_like_nothing_to_end(operator: Operator) -> None:
    told = operator.post(sub="u-nobody")

    assert (told.status_code, told.json()) == (200, NOTHING)


def test_an_operator_may_lock_a_person_who_has_no_access(operator: Operator, make_person: MakePerson) -> None:
    person = make_person("amy")

    told = operator.post(sub=person.subject, lock="login")

    person.refresh_from_db()
    assert told.json() == {**NOTHING, "lock": "login"}
    assert person.login_after > 0


@pytest.mark.parametrize("lock", ["login", "operator"])
def test_nobody_locks_themselves(operator: Operator, lock: str) -> None:
    response = operator.post(sub=operator.user.subject, lock=lock)

    operator.user.refresh_from_db()
    assert (response.status_code, response.json()["error_description"]) == (400, "you cannot lock yourself")
    assert (operator.user.suspended_at, operator.user.login_after) == (0, 0)


@pytest.mark.requirement("AZ-19")
def test_an_operators_session_counts_only_on_a_page_of_ours(
    operator: Operator, issued: dict[str, Any], introspect: Introspect
) -> None:
    response = operator.post(**targets(issued, "sub"), csrf="")

    assert response.status_code == 403
    assert error_of(response) == {"error": "access_denied", "error_description": "the CSRF token is missing or wrong"}
    assert introspect(issued["access_token"])["active"] is True


def test_somebody_who_is_no_operator_ends_nothing(
    make_person: MakePerson, issued: dict[str, Any], introspect: Introspect
) -> None:
    response = Operator(make_person("amy")).post(**targets(issued, "sub"))

    assert response.status_code == 403
    assert response.json()["error_description"] == "only operators and resource servers may end access"
    assert introspect(issued["access_token"])["active"] is True


@pytest.mark.requirement("RV-08")
def test_an_assertion_speaks_for_a_client_also_where_an_operator_is_signed_in(
    operator: Operator, issued: dict[str, Any], introspect: Introspect
) -> None:
    response = operator.post(**targets(issued, "sub"), client_assertion="not.a.good-one")

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert introspect(issued["access_token"])["active"] is True
