"""What a new token and a new launch end, by the client's policy (PR-01, PR-02)."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import pytest
from django.db import connection, connections, transaction
from django.db.models import QuerySet

from accounts import clock
from accounts.models import User
from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor
from oauth.models import AccessToken, FhirIdentity, FhirServer
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.issue import RefreshFamily, reissue
from oauth.tokens.supersede import Loser, SeatNumbers, take_numbers, take_token_number
from tests.conftest import App
from tests.fixture_types import Events, Introspect, Issue, MakeClient, MakePerson, MakeResourceServer
from tests.waiting import wait_until

SCOPE = "launch/patient offline_access patient/*.rs"


@dataclass
class Phone:
    """An app on one device: what it got at its launch or its last refresh, and whether that is still good."""

    app: App
    introspect: Callable[[str], dict[str, Any]]
    client_id: str
    access_token: str
    refresh_token: str

    @property
    def alive(self) -> bool:
        return bool(self.introspect(self.access_token)["active"])

    def refresh(self) -> int:
        form = {"grant_type": "refresh_token", "refresh_token": self.refresh_token, "client_id": self.client_id}
        response = self.app.post("/o/token", data=form)
        if response.status_code == 200:
            self.access_token, self.refresh_token = response.json()["access_token"], response.json()["refresh_token"]
        return response.status_code


class Launch(Protocol):
    def __call__(self, client: Any, person: Any, patient: str = "amy", **options: Any) -> Phone: ...


@pytest.fixture
def launch(app: App, issue: Issue, introspect: Introspect) -> Launch:
    """A launch of that client by that person for that patient."""

    def make(client: Any, person: Any, patient: str = "amy", **options: Any) -> Phone:
        answer = issue(client, person, patient=patient, **{"scope": SCOPE, **options})
        return Phone(app, introspect, client.client_id, answer["access_token"], answer.get("refresh_token", ""))

    return make


@pytest.fixture
def make_app(make_client: MakeClient) -> MakeClient:
    def make(authentication: str = "none", **fields: Any) -> Any:
        return make_client(authentication, grants="authorization_code refresh_token", scope=SCOPE, **fields)

    return make


REFUSED, GIVEN = 400, 200


@pytest.mark.requirement("PR-01", "SD-03")
@pytest.mark.parametrize(
    ("policy", "token_stays", "refresh_stays"),
    [
        pytest.param("default", False, REFUSED, id="default"),
        pytest.param("user-client", False, REFUSED, id="user-client"),
        pytest.param("user-client-patient", False, REFUSED, id="user-client-patient, same patient"),
        pytest.param("client", False, REFUSED, id="client"),
        pytest.param("grant", True, GIVEN, id="grant"),
        pytest.param("off", True, GIVEN, id="off"),
    ],
)
def test_a_new_launch_ends_the_older_access_and_refresh_tokens(
    launch: Launch, make_app: MakeClient, make_person: MakePerson, policy: str, token_stays: bool, refresh_stays: int
) -> None:
    client, person = make_app(supersede=policy), make_person("amy")
    phone = launch(client, person)

    tablet = launch(client, person)

    assert (phone.alive, tablet.alive) == (token_stays, True)
    assert (phone.refresh(), tablet.refresh()) == (refresh_stays, GIVEN)


@pytest.mark.requirement("PR-01")
@pytest.mark.parametrize(
    ("policy", "token_stays", "refresh_stays"),
    [
        pytest.param("user-client", False, REFUSED, id="user-client"),
        pytest.param("user-client-patient", True, GIVEN, id="user-client-patient"),
    ],
)
def test_another_patient_ends_the_first_or_not(
    launch: Launch, make_app: MakeClient, make_person: MakePerson, policy: str, token_stays: bool, refresh_stays: int
) -> None:
    client, person = make_app(supersede=policy), make_person("amy", "ben")
    first = launch(client, person, "amy")

    second = launch(client, person, "ben")

    assert (first.alive, second.alive) == (token_stays, True)
    assert (first.refresh(), second.refresh()) == (refresh_stays, GIVEN)


@pytest.mark.requirement("PR-01", "HI-08")
def test_the_event_of_a_superseded_token_names_its_own_patient_and_authorization(
    launch: Launch, make_app: MakeClient, make_person: MakePerson, events: Events
) -> None:
    client, person = make_app(supersede="user-client"), make_person("amy", "ben")

    launch(client, person, "amy")
    launch(client, person, "ben")

    (first,) = events("issued", client=client.client_id, patient="amy")
    (superseded,) = events("superseded", client=client.client_id)
    facts = ("patient", "authorization", "token")
    assert [getattr(superseded, name) for name in facts] == [getattr(first, name) for name in facts]


def leave(client: Any) -> None:
    """Its first token lives on."""


def expire(client: Any) -> None:
    first_token(client).update(expires_at=clock.now() - 1)


def revoke(client: Any) -> None:
    first_token(client).update(revoked_at=clock.now() - 1, revoked_for=EndedFor.REVOKED)


def end(client: Any) -> None:
    first = client.authorizations.earliest("pk")
    access.end_authorization(first.pk, Actor(now=clock.now(), address=""), EndedFor.OPERATOR)


def end_client(client: Any) -> None:
    access.end_epoch(client, Actor(now=clock.now(), address=""), EndedFor.CLIENT_ENDED)


def end_person(client: Any) -> None:
    User.objects.get_queryset().filter(pk=client.authorizations.earliest("pk").user_id).advance_epoch()


def end_fhir_server(client: Any) -> None:
    server = client.authorizations.earliest("pk").fhir_server
    access.end_epoch(server, Actor(now=clock.now(), address=""), EndedFor.FHIR_SERVER_ENDED)


def first_token(client: Any) -> QuerySet[AccessToken]:
    return AccessToken.objects.filter(authorization__client=client, seat_number=1)


@pytest.fixture
def own_server(committed: None) -> FhirServer:
    """One that may end without the tokens of other tests."""
    return FhirServer.objects.create(base=f"https://{secrets.token_hex(8)}.example.org/fhir", name="May end")


@pytest.mark.requirement("PR-01", "HI-08")
@pytest.mark.parametrize(
    ("happens", "told"),
    [(leave, 1), (expire, 0), (revoke, 0), (end, 0), (end_client, 0), (end_person, 0), (end_fhir_server, 0)],
)
@pytest.mark.parametrize("newer", ["launch", "refresh"])
def test_no_event_tells_that_a_token_was_superseded_that_had_died_before(
    launch: Launch,
    make_app: MakeClient,
    make_person: MakePerson,
    events: Events,
    own_server: FhirServer,
    newer: str,
    happens: Callable[[Any], None],
    told: int,
) -> None:
    client, person = make_app(tokens_to_keep=2), make_person("amy")
    launch(client, person, server=own_server)
    happens(client)
    for whole in (client, person, own_server):
        whole.refresh_from_db(fields=["epoch"])
    tablet = launch(client, person, server=own_server)

    if newer == "launch":
        launch(client, person, server=own_server)
    else:
        assert tablet.refresh() == GIVEN

    assert len(events("superseded", client=client.client_id)) == told


@pytest.mark.requirement("PR-01", "HI-08")
def test_the_token_of_another_person_that_a_newer_one_ends_is_told_of_whatever_ended_for_either(
    launch: Launch, make_app: MakeClient, make_person: MakePerson, events: Events
) -> None:
    client, amy, ben = make_app(supersede="client"), make_person("amy"), make_person("ben")
    User.objects.get_queryset().filter(pk=ben.pk).advance_epoch()
    ben.refresh_from_db()
    launch(client, amy, "amy")

    launch(client, ben, "ben")

    assert [event.patient for event in events("superseded", client=client.client_id)] == ["amy"]


def take_by_launch(authorization: AuthorizationState, token: AccessToken) -> SeatNumbers | None:
    return take_numbers(authorization, now=clock.now())


def take_by_refresh(authorization: AuthorizationState, token: AccessToken) -> SeatNumbers | None:
    return take_token_number(authorization, token.seat_id, 1, now=clock.now())


@pytest.mark.postgresql
@pytest.mark.usefixtures("committed")
@pytest.mark.requirement("PR-01", "HI-08")
@pytest.mark.parametrize("take", [take_by_launch, take_by_refresh])
def test_who_has_waited_for_a_seat_supersedes_the_token_of_the_one_who_held_it(
    issue: Issue, take: Callable[[AuthorizationState, AccessToken], SeatNumbers | None]
) -> None:
    authorization = AuthorizationState.of(issue()["granted"].authorization.pk)
    token = AccessToken.objects.get(authorization=authorization.pk)

    def take_alone() -> SeatNumbers | None:
        try:
            return take(authorization, token)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            family = RefreshFamily(None, token.seat_id, 1, token.issued_at)
            reissue(authorization, authorization.scope, family, now=clock.now(), address="")
            waiting = thread.submit(take_alone)
            assert wait_until(lambda: somebody_waits_for_us() or waiting.done())
            assert not waiting.done()
        numbers = waiting.result(60)

    newest = AccessToken.objects.filter(authorization=authorization.pk).latest("pk")
    assert newest.pk != token.pk
    assert numbers is not None
    assert (numbers.token_number, numbers.loser) == (3, Loser.issued_for(authorization, newest.pk))


def somebody_waits_for_us() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))")
        return cursor.fetchone() is not None


@pytest.mark.requirement("PR-01")
@pytest.mark.parametrize(
    ("policy", "fhir_user", "token_stays"),
    [
        pytest.param("default", "Patient/amy", False, id="patient"),
        pytest.param("default", "RelatedPerson/carol", False, id="related person"),
        pytest.param("default", "Practitioner/dr-green", True, id="practitioner"),
        pytest.param("default", "PractitionerRole/dr-green", True, id="practitioner in a role"),
        pytest.param("user-client", "Practitioner/dr-green", False, id="practitioner, chosen by the operator"),
    ],
)
def test_under_the_default_a_practitioner_may_have_two_patients_open(
    launch: Launch, make_app: MakeClient, make_person: MakePerson, policy: str, fhir_user: str, token_stays: bool
) -> None:
    client, person = make_app(supersede=policy), make_person("amy", "ben", is_=fhir_user)
    first = launch(client, person, "amy")

    second = launch(client, person, "ben")

    assert (first.alive, second.alive) == (token_stays, True)


@pytest.mark.requirement("PR-01")
def test_the_policy_of_a_new_client_is_the_default_one(make_client: MakeClient) -> None:
    assert make_client().supersede == "default"


@pytest.mark.requirement("RF-06", "PR-01")
@pytest.mark.parametrize(
    ("policy", "stays"),
    [("default", False), ("user-client", False), ("grant", False), ("client", False), ("off", True)],
)
def test_a_refresh_ends_the_older_access_token_of_its_grant(
    launch: Launch, make_app: MakeClient, make_person: MakePerson, policy: str, stays: bool
) -> None:
    phone = launch(make_app(supersede=policy), make_person("amy"))
    before = phone.access_token

    phone.refresh()

    assert phone.alive
    assert phone.introspect(before)["active"] is stays


@pytest.mark.requirement("PR-01")
def test_under_grant_a_refresh_leaves_other_grants_alone(
    launch: Launch, make_app: MakeClient, make_person: MakePerson
) -> None:
    client, person = make_app(supersede="grant"), make_person("amy")
    phone, tablet = launch(client, person), launch(client, person)

    phone.refresh()

    assert (phone.alive, tablet.alive) == (True, True)


@pytest.mark.requirement("PR-01")
@pytest.mark.parametrize(("policy", "stays"), [("user-client", True), ("client", False)])
def test_only_under_client_one_person_ends_anothers(
    launch: Launch, make_app: MakeClient, make_person: MakePerson, policy: str, stays: bool
) -> None:
    client = make_app(supersede=policy)
    first = launch(client, make_person("amy"), "amy")

    second = launch(client, make_person("ben"), "ben")

    assert (first.alive, second.alive) == (stays, True)


@pytest.mark.requirement("PR-01", "PR-02")
@pytest.mark.parametrize("keep", [1, 2, 3])
def test_so_many_tokens_and_launches_are_kept_as_the_client_says(
    launch: Launch, make_app: MakeClient, make_person: MakePerson, keep: int
) -> None:
    client, person = make_app(tokens_to_keep=keep), make_person("amy")

    phones = [launch(client, person) for _ in range(4)]

    assert [phone.alive for phone in phones] == [False] * (4 - keep) + [True] * keep
    assert [phone.refresh() for phone in phones] == [REFUSED] * (4 - keep) + [GIVEN] * keep


@pytest.mark.requirement("PR-01")
def test_a_launch_without_refresh_token_ends_the_older_refresh_tokens_too(
    launch: Launch, make_app: MakeClient, make_person: MakePerson
) -> None:
    client, person = make_app(), make_person("amy")
    phone = launch(client, person)

    launch(client, person, scope="launch/patient patient/*.rs")

    assert phone.refresh() == REFUSED


@pytest.mark.requirement("PR-02")
def test_a_refresh_that_is_refused_ends_nothing(launch: Launch, make_app: MakeClient, make_person: MakePerson) -> None:
    client, person = make_app(), make_person("amy")
    phone, tablet = launch(client, person), launch(client, person)

    assert phone.refresh() == REFUSED

    assert tablet.alive
    assert tablet.refresh() == GIVEN


@pytest.mark.requirement("PR-01")
def test_a_refresh_keeps_the_place_of_its_launch_when_the_policy_changes(
    launch: Launch, make_app: MakeClient, make_person: MakePerson
) -> None:
    client, person = make_app(supersede="user-client"), make_person("amy")
    phone = launch(client, person)
    type(client).objects.filter(pk=client.pk).update(supersede="grant")
    before = phone.access_token

    phone.refresh()

    assert (phone.alive, phone.introspect(before)["active"]) == (True, False)


@pytest.mark.requirement("PR-01")
def test_what_was_issued_under_off_is_in_no_set_until_the_clients_access_ends(
    launch: Launch, make_app: MakeClient, make_person: MakePerson
) -> None:
    """As docs/refresh.md says to operators who change the policy."""
    client, person = make_app(supersede="off"), make_person("amy")
    old = launch(client, person)
    clients = type(client).objects.filter(pk=client.pk)
    clients.update(supersede="user-client")

    launch(client, person)
    kept = (old.alive, old.refresh())
    clients.advance_epoch()

    assert kept == (True, GIVEN)
    assert (old.alive, old.refresh()) == (False, REFUSED)


@pytest.mark.requirement("PR-01")
def test_two_fhir_servers_do_not_end_each_others_tokens(
    app: App,
    launch: Launch,
    make_app: MakeClient,
    make_person: MakePerson,
    other_fhir_server: Any,
    make_resource_server: MakeResourceServer,
) -> None:
    client, person = make_app(), make_person("amy")
    client.fhir_servers.add(other_fhir_server)
    FhirIdentity.objects.create(user=person, fhir_server=other_fhir_server, resource="Patient/amy")
    here = launch(client, person)

    launch(client, person, server=other_fhir_server)

    assert here.alive
    assert here.refresh() == GIVEN
