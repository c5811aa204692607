"""`/o/invalidate`: what ends, for which people, who may ask for it, and what is refused."""

from typing import Any, Protocol

import pytest
from django.test import Client as Browser

from tests.conftest import ADDRESS, BASE, App
from tests.fixture_types import Events, Grant, Introspect, Issue, MakeClient, MakePerson, MakeResourceServer
from tests.introspection.invalidation_caller import BY, NOTHING, ONE, Asker, assert_refused, targets


@pytest.mark.requirement("SD-05", "RV-08", "RV-09")
@pytest.mark.parametrize("names", BY.values(), ids=BY)
def test_a_resource_server_ends_what_it_names_and_nothing_beside(
    asker: Asker, issue: Issue, issued: dict[str, Any], introspect: Introspect, events: Events, names: tuple[str, ...]
) -> None:
    other = issue()

    told = asker.ends(**targets(issued, *names))

    assert told == ONE
    assert introspect(issued["access_token"]) == {"active": False}
    assert introspect(other["access_token"])["active"] is True
    row = issued["granted"].authorization
    row.refresh_from_db()
    assert (row.ended_for, row.epoch) == ("invalidated", 1)
    (event,) = events("authorization-ended", authorization=str(row))
    assert (event.reference, event.patient, event.reason) == (asker.client.client_id, row.patient, "invalidated")


@pytest.mark.requirement("SD-05")
def test_codes_and_refresh_tokens_end_too(
    app: App, asker: Asker, make_client: MakeClient, make_person: MakePerson, grant: Grant, issue: Issue
) -> None:
    client = make_client(grants="authorization_code refresh_token", scope="offline_access patient/*.rs")
    person = make_person("amy")
    with_refresh = issue(client, person, scope="offline_access patient/*.rs")
    waiting = grant(client, person)

    asker.ends(sub=person.subject)

    form = {"grant_type": "refresh_token", "refresh_token": with_refresh["refresh_token"]}
    refreshed = app.post("/o/token", data={**form, "client_id": client.client_id})
    exchanged = app.post("/o/token", data=waiting.exchange())
    assert [answer.json()["error"] for answer in (refreshed, exchanged)] == ["invalid_grant"] * 2


@pytest.mark.requirement("SD-05")
def test_what_belongs_to_another_base_stays(
    asker: Asker, issue: Issue, issued: dict[str, Any], other_fhir_server: Any, introspect: Introspect, events: Events
) -> None:
    from accounts import clock
    from oauth.models import AccessToken, liveness

    granted = issued["granted"]
    elsewhere = issue(granted.client, granted.person, server=other_fhir_server)

    told = asker.ends(**targets(issued, "sub"))

    (there,) = AccessToken.objects.filter(authorization=elsewhere["granted"].authorization)
    assert told == ONE
    assert liveness.live(AccessToken.objects.filter(pk=there.pk), now=clock.now()).exists()
    granted.person.refresh_from_db()
    assert granted.person.epoch == 0


@pytest.mark.parametrize(
    "named_nobody",
    [
        pytest.param({"sub": "u-nobody"}, id="person"),
        pytest.param({"fhirUser": "Patient/nobody-here", "aud": BASE}, id="fhirUser"),
        pytest.param({"client_id": "no-such-client"}, id="client"),
        pytest.param({"patient": "no-such-patient", "aud": BASE}, id="patient"),
        pytest.param({"authorization": "ZZZZ-ZZZZ"}, id="authorization"),
        pytest.param({"sub": "u-nobody", "lock": "login"}, id="lock of nobody"),
    ],
)
def test_who_is_unknown_reads_like_nothing_to_end(asker: Asker, named_nobody: dict[str, str]) -> None:
    assert asker.ends(**named_nobody) == NOTHING


def test_what_belongs_to_others_reads_like_nothing_to_end(
    app: App, make_resource_server: MakeResourceServer, other_fhir_server: Any, issued: dict[str, Any],
    introspect: Introspect, make_client: MakeClient, events: Events,
) -> None:  # fmt: skip
    stranger = Asker(app, make_resource_server(other_fhir_server))

    told = [stranger.ends(**targets(issued, name)) for name in ("sub", "client_id", "authorization")]
    told.append(stranger.ends(**targets(issued, "sub"), lock="login"))

    assert told == [NOTHING] * 4
    assert introspect(issued["access_token"])["active"] is True
    issued["granted"].person.refresh_from_db()
    assert issued["granted"].person.login_after == 0
    assert events("person-locked", person=issued["granted"].person.subject) == []


def test_ending_twice_ends_nothing_more(asker: Asker, issued: dict[str, Any], events: Events) -> None:
    first, second = (asker.ends(**targets(issued, "sub")) for _ in range(2))

    assert (first, second) == (ONE, NOTHING)
    assert len(events("authorization-ended", authorization=str(issued["granted"].authorization))) == 1


@pytest.mark.requirement("BK-07")
def test_a_backend_service_is_named_by_its_sub(asker: Asker, make_client: MakeClient, fhir_server: Any) -> None:
    from oauth.models import Authorization

    client = make_client("keys", grants="client_credentials")
    row = Authorization.objects.create(
        client=client, fhir_server=fhir_server, scope="system/*.rs", client_epoch=0, fhir_server_epoch=fhir_server.epoch
    )

    told = asker.ends(sub=client.client_id)

    row.refresh_from_db()
    assert told == {"authorizations": 1, "access_tokens": 0}
    assert row.ended_for == "invalidated"


# Consent under way ------------------------------------------------------------------------------------------------


class MakeWaiting(Protocol):
    def __call__(self, **fields: Any) -> Any: ...


@pytest.fixture
def waiting(issued: dict[str, Any]) -> MakeWaiting:
    """A request that waits for that person's answer."""

    def make(**fields: Any) -> Any:
        import secrets

        from accounts import clock
        from oauth.models import PendingRequest

        granted = issued["granted"]
        about = {
            "client": granted.client, "user": granted.person, "fhir_server": granted.authorization.fhir_server,
            "patient": granted.authorization.patient,
        }  # fmt: skip
        return PendingRequest.objects.create(
            handle_digest=secrets.token_hex(16), cookie_digest="x", request="{}",
            expires_at=clock.now() + 600_000_000, **{**about, **fields},
        )  # fmt: skip

    return make


@pytest.mark.requirement("SD-05")
@pytest.mark.parametrize("names", BY.values(), ids=BY)
def test_a_request_that_waits_for_an_answer_about_it_gets_none(
    asker: Asker,
    issued: dict[str, Any],
    waiting: MakeWaiting,
    make_person: MakePerson,
    make_client: MakeClient,
    names: tuple[str, ...],
) -> None:
    closed, other = waiting(), waiting(user=make_person("amy"), client=make_client(), patient="amy")

    asker.ends(**targets(issued, *names))

    closed.refresh_from_db()
    other.refresh_from_db()
    assert closed.answered_at > 0
    assert other.answered_at == 0


# Locks ------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("SD-05")
def test_a_lock_until_a_later_login_ends_sessions_and_marks_the_moment(
    asker: Asker, issued: dict[str, Any], events: Events
) -> None:
    from accounts import clock
    from accounts.models import SignIn

    person, browser = issued["granted"].person, Browser()
    browser.post("/login", {"username": person.username, "password": "smartauth-demo"})
    before = clock.now()

    told = asker.ends(**targets(issued, "sub"), lock="login")

    person.refresh_from_db()
    assert told == {**ONE, "lock": "login"}
    assert before <= person.login_after <= clock.now()
    assert not SignIn.objects.filter(user=person).exists()
    assert browser.get("/apps").status_code == 303
    assert (person.suspended_at, person.epoch) == (0, 0)
    (event,) = events("person-locked", person=person.subject, reference=asker.client.client_id)
    assert event.address == ADDRESS
    again = browser.post("/login", {"username": person.username, "password": "smartauth-demo"})
    assert (again.status_code, again.headers["Location"]) == (303, "/")


def test_a_resource_server_locks_nobody_who_has_no_access_there(
    asker: Asker, issue: Issue, make_person: MakePerson, other_fhir_server: Any, events: Events
) -> None:
    issued = issue(person=make_person("amy"), server=other_fhir_server)
    person = issued["granted"].person

    told = asker.ends(sub=person.subject, lock="login")

    person.refresh_from_db()
    assert told == NOTHING
    assert person.login_after == 0


def test_only_operators_lock_until_an_operators_word(
    asker: Asker, issued: dict[str, Any], introspect: Introspect
) -> None:
    response = asker.post({**targets(issued, "sub"), "lock": "operator"})

    assert_refused(response, 403, "access_denied", "only an operator may suspend people")
    assert introspect(issued["access_token"])["active"] is True
    issued["granted"].person.refresh_from_db()
    assert issued["granted"].person.suspended_at == 0
