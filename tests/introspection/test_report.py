"""`/o/report`: refusals are recorded and counted, and too many of them end that person's access with that client."""

import json
from typing import Any

import httpx
import pytest

from accounts import clock
from oauth.ending.reported_refusals import record_refusals
from oauth.ending.selection import Actor
from oauth.models import AccessToken, Authorization, liveness
from smart.digests import sha256_hex
from tests.conftest import ADDRESS, SECRET, App, basic
from tests.explained import error_of
from tests.fixture_types import Events, Introspect, Issue, MakeClient, MakePerson, MakeResourceServer


class Reporter:
    """A resource server of the R4 base that tells of refused requests."""

    def __init__(self, app: App, client: Any) -> None:
        self.app, self.client = app, client

    def post(self, content: Any, **options: Any) -> httpx.Response:
        headers = {"Content-Type": "application/json", **basic(self.client.client_id, SECRET)}
        headers |= options.pop("headers", {})
        sent = content if isinstance(content, bytes) else json.dumps(content)
        return self.app.post("/o/report", content=sent, headers={k: v for k, v in headers.items() if v}, **options)

    def tells(self, token: str, status: int = 403, count: int | None = None) -> None:
        """An accepted report: one and the same answer for every token."""
        report = {"token": token, "status": status, "count": count}
        response = self.post({name: value for name, value in report.items() if value is not None})
        assert (response.status_code, response.content) == (204, b""), response.text
        assert response.headers["Cache-Control"] == "no-store"


@pytest.fixture
def reporter(app: App, make_resource_server: MakeResourceServer) -> Reporter:
    return Reporter(app, make_resource_server())


@pytest.fixture(autouse=True)
def limit(settings: Any) -> None:
    settings.SMARTAUTH_REFUSALS_LIMIT = 5
    settings.SMARTAUTH_REFUSALS_WINDOW_SECONDS = 300
    settings.SMARTAUTH_REFUSALS_LOCK = ""


def counts(issued: dict[str, Any]) -> list[int]:
    from oauth.models import RefusalCount

    return list(RefusalCount.objects.filter(client=issued["granted"].client).values_list("count", flat=True))


@pytest.mark.requirement("HI-08")
def test_a_refused_request_is_an_event_that_says_whose_it_was(reporter: Reporter, issue: Issue, events: Events) -> None:
    issued = issue()
    granted = issued["granted"]

    reporter.tells(issued["access_token"], 404, 3)

    (event,) = events("request-refused", client=granted.client.client_id)
    assert (event.person, event.patient) == (granted.person.subject, "amy")
    assert (event.authorization, event.fhir_server) == (
        str(granted.authorization),
        granted.authorization.fhir_server.base,
    )
    assert (event.reason, event.reference) == ("answered 404, 3 times", reporter.client.client_id)
    assert event.address == ADDRESS
    assert event.token
    assert issued["access_token"] not in str(vars(event))


@pytest.mark.requirement("SD-05")
@pytest.mark.parametrize("status", [403, 404, 429])
def test_too_many_refusals_end_that_access_once(
    reporter: Reporter, issue: Issue, introspect: Introspect, events: Events, status: int
) -> None:
    issued = issue()
    granted = issued["granted"]

    for _ in range(4):
        reporter.tells(issued["access_token"], status)
    before = introspect(issued["access_token"])["active"]
    for _ in range(3):
        reporter.tells(issued["access_token"], status)

    assert before is True
    assert introspect(issued["access_token"]) == {"active": False}
    granted.authorization.refresh_from_db()
    assert granted.authorization.ended_for == "refusals"
    assert len(events("refusals-reached", client=granted.client.client_id)) == 1
    assert len(events("authorization-ended", client=granted.client.client_id, reason="refusals")) == 1


@pytest.mark.requirement("SD-05")
def test_what_is_reported_together_counts_together(reporter: Reporter, issue: Issue, introspect: Introspect) -> None:
    issued = issue()

    reporter.tells(issued["access_token"], count=4)
    before = introspect(issued["access_token"])["active"]
    reporter.tells(issued["access_token"], count=1)

    assert before is True
    assert introspect(issued["access_token"]) == {"active": False}


@pytest.mark.requirement("SD-05")
def test_only_that_person_and_that_client_at_that_base_lose_their_access(
    reporter: Reporter, issue: Issue, introspect: Introspect, make_person: MakePerson, other_fhir_server: Any
) -> None:
    from accounts import clock
    from oauth.models import AccessToken, liveness

    spammed = issue()
    granted = spammed["granted"]
    same_client = issue(granted.client, make_person("ben"), patient="ben")
    same_person = issue(person=granted.person)
    elsewhere = issue(granted.client, granted.person, server=other_fhir_server)

    reporter.tells(spammed["access_token"], count=5)

    assert introspect(spammed["access_token"]) == {"active": False}
    assert introspect(same_client["access_token"])["active"] is True
    assert introspect(same_person["access_token"])["active"] is True
    there = AccessToken.objects.filter(authorization=elsewhere["granted"].authorization)
    assert liveness.live(there, now=clock.now()).exists()


@pytest.mark.requirement("SD-05")
def test_a_newer_token_of_the_same_access_does_not_begin_from_zero(
    reporter: Reporter, issue: Issue, introspect: Introspect
) -> None:
    first = issue()
    reporter.tells(first["access_token"], count=4)
    second = issue(first["granted"].client, first["granted"].person)

    reporter.tells(second["access_token"])

    assert introspect(second["access_token"]) == {"active": False}


@pytest.mark.requirement("SD-05")
def test_what_is_allowed_after_the_end_begins_from_zero(
    reporter: Reporter, issue: Issue, introspect: Introspect
) -> None:
    first = issue()
    reporter.tells(first["access_token"], count=5)
    second = issue(first["granted"].client, first["granted"].person)

    reporter.tells(first["access_token"], count=5)
    reporter.tells(second["access_token"], count=4)

    assert introspect(second["access_token"])["active"] is True


@pytest.mark.requirement("SD-05")
def test_refusals_of_what_has_ended_do_not_count_against_what_was_allowed_later(
    reporter: Reporter, issue: Issue, introspect: Introspect
) -> None:
    first = issue()
    Authorization.objects.filter(pk=first["granted"].authorization.pk).end("revoked", now=clock.now())
    second = issue(first["granted"].client, first["granted"].person)

    reporter.tells(first["access_token"], count=4)
    reporter.tells(second["access_token"])

    assert introspect(second["access_token"])["active"] is True


@pytest.mark.requirement("SD-05")
def test_a_report_that_comes_when_the_access_has_just_ended_locks_nobody(issue: Issue, settings: Any) -> None:
    settings.SMARTAUTH_REFUSALS_LOCK = "login"
    issued = issue()
    granted = issued["granted"]
    facts = AccessToken.objects.select_related(*liveness.TOKEN_FACTS)
    token = facts.get(digest=sha256_hex(issued["access_token"]))
    Authorization.objects.filter(pk=granted.authorization.pk).end("revoked", now=clock.now())

    record_refusals(token, 403, 5, Actor(now=clock.now()))

    granted.person.refresh_from_db()
    assert granted.person.login_after == 0


@pytest.mark.requirement("SD-05")
def test_refusals_of_another_window_do_not_count(reporter: Reporter, issue: Issue, introspect: Introspect) -> None:
    from oauth.models import RefusalCount

    issued = issue()
    reporter.tells(issued["access_token"], count=4)
    RefusalCount.objects.filter(client=issued["granted"].client).update(window_ends_at=1)

    reporter.tells(issued["access_token"])

    assert introspect(issued["access_token"])["active"] is True
    assert counts(issued) == [1]


def test_a_dead_token_shown_to_the_fhir_server_ends_nobody_elses(
    reporter: Reporter, issue: Issue, introspect: Introspect, events: Events
) -> None:
    old = issue()
    new = issue(old["granted"].client, old["granted"].person)

    for _ in range(10):
        reporter.tells(old["access_token"], 401)

    assert introspect(new["access_token"])["active"] is True
    assert len(events("request-refused", client=old["granted"].client.client_id)) == 10


def test_a_flood_of_reports_does_not_fill_the_trail(
    reporter: Reporter, issue: Issue, events: Events, settings: Any
) -> None:
    settings.SMARTAUTH_REFUSALS_LIMIT = 0
    issued = issue()
    client_id = issued["granted"].client.client_id

    for _ in range(3):
        reporter.tells(issued["access_token"], count=100)
        reporter.tells(issued["access_token"], 401, count=100)

    assert len(events("request-refused", client=client_id)) == 2


@pytest.mark.requirement("SD-05")
def test_without_a_limit_nothing_ends(reporter: Reporter, issue: Issue, introspect: Introspect, settings: Any) -> None:
    settings.SMARTAUTH_REFUSALS_LIMIT = 0
    issued = issue()

    reporter.tells(issued["access_token"], count=1000)

    assert introspect(issued["access_token"])["active"] is True


@pytest.mark.requirement("SD-05")
@pytest.mark.parametrize("lock", ["", "login"])
def test_the_person_may_have_to_sign_in_again(
    reporter: Reporter, issue: Issue, settings: Any, events: Events, lock: str
) -> None:
    settings.SMARTAUTH_REFUSALS_LOCK = lock
    issued = issue()
    person = issued["granted"].person

    reporter.tells(issued["access_token"], count=5)

    person.refresh_from_db()
    assert (person.login_after > 0) is (lock == "login")
    assert len(events("person-locked", person=person.subject)) == (1 if lock else 0)


@pytest.mark.parametrize("token", ["no-such-token", "a" * 16_000], ids=["short", "long"])
def test_an_unknown_token_is_accepted_and_forgotten(reporter: Reporter, events: Events, token: str) -> None:
    reporter.tells(token)

    assert events("request-refused", reference=reporter.client.client_id) == []


def test_a_token_for_anothers_base_is_accepted_and_forgotten(
    app: App, issue: Issue, make_resource_server: MakeResourceServer, make_client: MakeClient, other_fhir_server: Any,
    introspect: Introspect, events: Events,
) -> None:  # fmt: skip
    issued = issue()

    for stranger in (make_resource_server(other_fhir_server), make_client("secret")):
        Reporter(app, stranger).tells(issued["access_token"], count=1000)

    assert introspect(issued["access_token"])["active"] is True
    assert counts(issued) == []
    assert events("request-refused", client=issued["granted"].client.client_id) == []


@pytest.mark.requirement("SY-03", "SD-05")
def test_a_backend_service_that_keeps_trying_loses_its_access(
    reporter: Reporter, make_client: MakeClient, fhir_server: Any
) -> None:
    import secrets

    from accounts import clock
    from oauth.models import AccessToken, Authorization
    from smart.digests import sha256_hex

    client, token = make_client("keys", grants="client_credentials"), secrets.token_urlsafe()
    row = Authorization.objects.create(
        client=client, fhir_server=fhir_server, scope="system/*.rs", client_epoch=0, fhir_server_epoch=fhir_server.epoch
    )
    AccessToken.objects.create(
        digest=sha256_hex(token), authorization=row, authorization_epoch=0, scope=row.scope, claims="{}",
        issued_at=clock.now(), expires_at=clock.now() + 10**9,
    )  # fmt: skip

    reporter.tells(token, count=5)

    row.refresh_from_db()
    assert row.ended_for == "refusals"


# What is refused --------------------------------------------------------------------------------------------------


def assert_refused(response: httpx.Response, status: int, error: str, description: str) -> None:
    assert response.status_code == status, response.text
    assert error_of(response) == {"error": error, "error_description": description}
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("secret", ["", "wrong"])
def test_a_caller_that_cannot_be_authenticated_reports_nothing(reporter: Reporter, issue: Issue, secret: str) -> None:
    issued = issue()
    headers = basic(reporter.client.client_id, secret) if secret else {"Authorization": ""}

    response = reporter.post({"token": issued["access_token"], "status": 403}, headers=headers)

    assert_refused(response, 401, "invalid_client", "client authentication failed")
    assert response.headers["WWW-Authenticate"] == 'Basic realm="smartauth"'
    assert counts(issued) == []


STATUS = "status must be the one that was answered: 401, 403, 404, 429"
COUNT = "count must be a number from 1 to 1000"


@pytest.mark.parametrize(
    ("changes", "description"),
    [
        ({"token": None}, "token is missing"),
        ({"token": ""}, "token must be text"),
        ({"token": ["x"]}, "token must be text"),
        ({"token": "a\0b"}, "token has a control character"),
        ({"token": "\ud800"}, "token has a control character"),
        ({"status": None}, "status is missing"),
        ({"status": 200}, STATUS),
        ({"status": "403"}, STATUS),
        ({"status": True}, STATUS),
        ({"status": 403.0}, STATUS),
        ({"count": 0}, COUNT),
        ({"count": -1}, COUNT),
        ({"count": 1001}, COUNT),
        ({"count": "1"}, COUNT),
        ({"count": True}, COUNT),
        ({"count": 10**30}, COUNT),
        ({"person": "amy"}, "person is not known here"),
    ],
)
def test_what_is_wrong_is_named(reporter: Reporter, issue: Issue, changes: dict[str, Any], description: str) -> None:
    issued = issue()

    response = reporter.post({"token": issued["access_token"], "status": 403, **changes})

    assert_refused(response, 400, "invalid_request", description)
    assert counts(issued) == []


def test_another_method_is_refused(reporter: Reporter) -> None:
    response = reporter.app.request("GET", "/o/report", headers=basic(reporter.client.client_id, SECRET))

    assert_refused(response, 405, "invalid_request", "only POST is allowed here")
