"""A code at the token endpoint: what it buys, when it is refused, what a replay ends."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F

from accounts import clock
from oauth.http.credentials import NO_CREDENTIALS, AuthenticatedClient
from oauth.models import ActsFor, Authorization, Code, FhirServer
from oauth.tokens.authorization_code import authorization_code
from oauth.tokens.unheard_commit import remember_attempt
from tests.conftest import BASE, CHALLENGE, REDIRECT_URI, VERIFIER, App
from tests.fixture_types import Events, Grant, Introspect, Issue, MakeClient, MakePerson
from tests.oauth.clients.assertion_client import request_of
from tests.oauth.jwt import payload
from tests.oauth.tokens.code_exchange import assert_refused, token_count


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param({"code": None}, "invalid_request", marks=pytest.mark.requirement("E75"), id="code missing"),
        pytest.param({"code": ""}, "invalid_request", marks=pytest.mark.requirement("E75"), id="code empty"),
        pytest.param({"code": "unknown"}, "invalid_grant", marks=pytest.mark.requirement("E76"), id="code unknown"),
        pytest.param({"redirect_uri": None}, "invalid_request", marks=pytest.mark.requirement("E80"), id="uri missing"),
        pytest.param(
            {"redirect_uri": "http://127.0.0.1:8000/demo/callback"},
            "invalid_grant",
            marks=pytest.mark.requirement("E80"),
            id="another registered uri",
        ),
        pytest.param(
            {"redirect_uri": REDIRECT_URI + "/"},
            "invalid_grant",
            marks=pytest.mark.requirement("E80"),
            id="uri + slash",
        ),
        *(
            pytest.param(
                {"code_verifier": value},
                "invalid_request",
                marks=pytest.mark.requirement("E81", "CG-02"),
                id=f"verifier {name}",
            )
            for name, value in [
                ("missing", None),
                ("blank", ""),
                ("short", "a" * 42),
                ("long", "a" * 129),
                ("bad characters", "a" * 42 + "é"),
                ("a space", "a" * 42 + " "),
            ]
        ),
        pytest.param(
            {"code_verifier": "b" * 43}, "invalid_grant", marks=pytest.mark.requirement("E82"), id="verifier wrong"
        ),
        pytest.param(
            {"code_verifier": CHALLENGE},
            "invalid_grant",
            marks=pytest.mark.requirement("E82"),
            id="verifier is the challenge",
        ),
    ],
)
def test_a_bad_exchange_is_refused_and_does_not_burn_the_code(
    app: App, grant: Grant, make_client: MakeClient, changes: dict[str, str | None], error: str
) -> None:
    granted = grant(make_client(redirect_uris=f"{REDIRECT_URI} http://127.0.0.1:8000/demo/callback"))

    response = app.post("/o/token", data=granted.exchange(**changes))

    assert_refused(response, 400, error)
    assert token_count(granted) == 0
    assert app.post("/o/token", data=granted.exchange()).status_code == 200


@pytest.mark.requirement("E76")
@pytest.mark.parametrize("state", ["expired", "tampered"])
def test_an_expired_or_altered_code_buys_nothing(app: App, grant: Grant, state: str) -> None:
    granted = grant(life=-1 if state == "expired" else 60_000_000)
    code = granted.code if state == "expired" else granted.code[:-1] + ("A" if granted.code[-1] != "A" else "B")

    response = app.post("/o/token", data=granted.exchange(code=code))

    assert_refused(response, 400, "invalid_grant")
    assert token_count(granted) == 0


def test_a_token_is_stored_with_the_code_that_bought_it(issue: Issue) -> None:
    authorization = issue()["granted"].authorization

    assert authorization.access_tokens.get().code == authorization.codes.get()


@pytest.mark.requirement("E77", "CG-04")
def test_a_replayed_code_kills_the_token_it_bought(
    app: App, issue: Issue, introspect: Introspect, events: Events
) -> None:
    answer = issue()
    assert introspect(answer["access_token"])["active"] is True

    response = app.post("/o/token", data=answer["granted"].exchange())

    assert_refused(response, 400, "invalid_grant")
    assert introspect(answer["access_token"]) == {"active": False}
    assert len(events("code-replayed", client=answer["granted"].client.client_id)) == 1


@pytest.mark.requirement("E77")
def test_a_replay_by_another_client_than_the_codes_kills_nothing(
    app: App, issue: Issue, introspect: Introspect, make_client: MakeClient
) -> None:
    answer = issue()

    response = app.post("/o/token", data=answer["granted"].exchange(client_id=make_client().client_id))

    assert_refused(response, 400, "invalid_grant")
    assert introspect(answer["access_token"])["active"] is True


@pytest.mark.requirement("E79")
def test_a_code_sent_by_another_client_is_burned_and_recorded(
    app: App, grant: Grant, make_client: MakeClient, events: Events
) -> None:
    granted, thief = grant(), make_client()

    stolen = app.post("/o/token", data=granted.exchange(client_id=thief.client_id))
    own = app.post("/o/token", data=granted.exchange())

    assert_refused(stolen, 400, "invalid_grant")
    assert_refused(own, 400, "invalid_grant")
    assert token_count(granted) == 0
    (event,) = events("code-of-another-client", client=granted.client.client_id)
    assert thief.client_id in event.reason


@pytest.mark.requirement("E83", "CG-03")
def test_a_verifier_for_a_code_without_challenge_is_refused(app: App, grant: Grant) -> None:
    granted = grant()
    granted.authorization.codes.update(code_challenge="")

    response = app.post("/o/token", data=granted.exchange())

    assert_refused(response, 400, "invalid_grant")
    assert token_count(granted) == 0


@pytest.mark.requirement("E81", "CG-01")
@pytest.mark.parametrize(
    ("challenge", "verifier", "reasons"),
    [("", None, []), (CHALLENGE, VERIFIER, []), (CHALLENGE, None, ["code_verifier is missing"])],
)
def test_a_plain_openid_client_needs_a_verifier_where_there_was_a_challenge_and_only_there(
    app: App,
    grant: Grant,
    make_client: MakeClient,
    events: Events,
    challenge: str,
    verifier: str | None,
    reasons: list[str],
) -> None:
    accounts = FhirServer.userinfo()
    granted = grant(make_client(profile="openid", scope="openid"), scope="openid", server=accounts, patient="")
    granted.authorization.codes.update(code_challenge=challenge)

    response = app.post("/o/token", data=granted.exchange(code_verifier=verifier))

    assert (response.status_code, response.json().get("error")) == ((400, "invalid_grant") if reasons else (200, None))
    assert [event.reason for event in events("code-refused", client=granted.client.client_id)] == reasons


@pytest.mark.requirement("E81", "CG-02", "CG-04")
def test_a_verifier_of_the_wrong_form_is_a_bad_request_before_anybody_looks_at_the_code(
    app: App, issue: Issue, introspect: Introspect
) -> None:
    bought = issue()

    answer = app.post("/o/token", data=bought["granted"].exchange(code_verifier="a" * 42)).json()

    described = "code_verifier must be 43 to 128 unreserved characters"
    assert (answer["error"], answer["error_description"]) == ("invalid_request", described)
    assert introspect(bought["access_token"])["active"] is True


@pytest.mark.requirement("CG-04", "E77")
def test_a_code_whose_answer_was_not_heard_is_answered_and_no_replay(issue: Issue, introspect: Introspect) -> None:
    bought = issue()
    granted = bought["granted"]
    sent = {"code": granted.code, "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER}
    request = request_of(NO_CREDENTIALS, **sent)
    answer = remember_attempt(request, {"access_token": bought["access_token"]})
    client = AuthenticatedClient(granted.client.pk, granted.client.client_id, frozenset(), "none")

    assert authorization_code(request, client) == answer
    assert introspect(bought["access_token"])["active"] is True


@pytest.mark.requirement("E84")
def test_a_scope_or_aud_sent_at_the_exchange_widens_nothing(app: App, grant: Grant, introspect: Introspect) -> None:
    granted = grant(scope="patient/Patient.r")

    response = app.post(
        "/o/token", data=granted.exchange(scope="patient/*.cruds", aud="https://other.example.org/fhir")
    )

    assert response.json()["scope"] == "patient/Patient.r"
    assert introspect(response.json()["access_token"])["aud"] == BASE


@pytest.mark.requirement("E85")
@pytest.mark.parametrize("end", ["person suspended", "person's access ended", "client disabled", "authorization ended"])
def test_a_person_who_lost_access_before_the_exchange_gets_no_token(app: App, grant: Grant, end: str) -> None:
    from accounts.models import User
    from oauth.models import Authorization, Client

    granted = grant()
    endings: dict[str, Callable[[], int]] = {
        "person suspended": lambda: User.objects.get_queryset().filter(pk=granted.person.pk).suspend("left"),
        "person's access ended": lambda: User.objects.get_queryset().filter(pk=granted.person.pk).advance_epoch(),
        "client disabled": lambda: Client.objects.filter(pk=granted.client.pk).advance_epoch(),
        "authorization ended": lambda: Authorization.objects.filter(pk=granted.authorization.pk).end("taken", now=1),
    }
    endings[end]()

    response = app.post("/o/token", data=granted.exchange())

    assert_refused(response, 400, "invalid_grant")
    assert token_count(granted) == 0


@pytest.mark.requirement("PR-01", "SD-03")
def test_a_new_token_ends_the_old_one_of_the_same_client_person_and_base(
    issue: Issue, introspect: Introspect, make_client: MakeClient, make_person: MakePerson, events: Events
) -> None:
    client, person = make_client(), make_person("amy")

    old = issue(client, person)
    stranger = issue(client, make_person("amy"))
    new = issue(client, person)

    assert introspect(old["access_token"]) == {"active": False}
    assert introspect(new["access_token"])["active"] is True
    assert introspect(stranger["access_token"])["active"] is True
    issued = {event.authorization: event.token for event in events("issued", client=client.client_id)}
    (superseded,) = events("superseded", client=client.client_id)
    ended, newer = (str(answer["granted"].authorization) for answer in (old, new))
    assert (superseded.authorization, superseded.token) == (ended, issued[ended])
    assert superseded.reason == f"by token {issued[newer]}"


@pytest.mark.requirement("PR-01")
@pytest.mark.parametrize(
    ("fields", "alive"),
    [
        pytest.param({"tokens_to_keep": 2}, [False, True, True], id="two to keep"),
        pytest.param({"supersede": "off"}, [True, True, True], id="off"),
        pytest.param({"supersede": "grant"}, [True, True, True], id="grant"),
        pytest.param({"supersede": "client"}, [False, False, True], id="client"),
        pytest.param({"supersede": "user-client-patient"}, [False, True, True], id="user-client-patient"),
    ],
)
def test_the_supersede_policy_of_the_client_decides_what_stays(
    issue: Issue,
    introspect: Introspect,
    make_client: MakeClient,
    make_person: MakePerson,
    fields: dict[str, Any],
    alive: list[bool],
) -> None:
    client, person = make_client(**fields), make_person("amy", "dan")

    answers = [issue(client, person, patient=patient) for patient in ("amy", "dan", "amy")]

    assert [introspect(answer["access_token"])["active"] for answer in answers] == alive


@pytest.mark.requirement("PR-02", "CG-05")
def test_a_failed_exchange_ends_nothing(app: App, issue: Issue, grant: Grant, introspect: Introspect) -> None:
    answer = issue()
    granted = grant(answer["granted"].client, answer["granted"].person)

    app.post("/o/token", data=granted.exchange(code_verifier="b" * 43))

    assert introspect(answer["access_token"])["active"] is True


@pytest.mark.requirement("SD-04", "TK-06")
@pytest.mark.parametrize(
    ("server", "client", "lifetime"),
    [
        pytest.param(0, 0, 300, id="default"),
        pytest.param(120, 0, 120, id="the FHIR server's"),
        pytest.param(600, 60, 60, id="the shorter of both"),
        pytest.param(86_400, 86_400, 3600, id="never above the bound"),
    ],
)
def test_the_shorter_life_wins_and_the_bound_holds(
    issue: Issue,
    make_client: MakeClient,
    fhir_server: Any,
    server: int,
    client: int,
    lifetime: int,
) -> None:
    fhir_server.access_token_seconds = server
    fhir_server.save()

    try:
        answer = issue(make_client(access_token_seconds=client))
    finally:
        fhir_server.access_token_seconds = 0
        fhir_server.save()

    assert answer["expires_in"] == lifetime


@pytest.mark.requirement("E77")
def test_a_code_of_a_clock_that_is_ahead_buys_nothing(app: App, grant: Grant) -> None:
    granted = grant()
    later = clock.now() + 60_000_000
    Code.objects.filter(authorization=granted.authorization).update(issued_at=later, expires_at=later + 60_000_000)

    response = app.post("/o/token", data=granted.exchange())

    assert_refused(response, 400, "invalid_grant")
    assert token_count(granted) == 0


@pytest.mark.requirement("HI-08", "SD-20")
def test_the_event_of_a_refused_code_says_why(app: App, grant: Grant, events: Events) -> None:
    ended, again, gone = grant(), grant(), grant()
    Authorization.objects.filter(pk=ended.authorization.pk).end("revoked", now=clock.now())
    Authorization.objects.filter(pk=again.authorization.pk).update(epoch=F("epoch") + 1)
    ActsFor.objects.filter(identity__user=gone.person).delete()

    for granted, reason in (
        (ended, "the authorization has ended"),
        (again, "the authorization has ended"),
        (gone, "the person may no longer act for the patient"),
    ):
        app.post("/o/token", data=granted.exchange())
        (event,) = events("code-refused", authorization=str(granted.authorization))
        assert (event.reason, event.token) == (reason, "")


@pytest.mark.requirement("HI-08", "E42")
def test_a_code_whose_event_cannot_be_written_is_not_spent(
    app: App, grant: Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    granted = grant()

    def failing(*_: object) -> None:
        raise RuntimeError("broken on the way")

    with monkeypatch.context() as broken:
        broken.setattr("oauth.tokens.issue.record_events", failing)
        broken.setattr("oauth.tokens.gathered_writes.Writes.record_events", failing)
        failed = app.post("/o/token", data=granted.exchange())

    assert failed.status_code == 500
    assert token_count(granted) == 0
    assert app.post("/o/token", data=granted.exchange()).status_code == 200


@pytest.mark.requirement("ID-01")
def test_the_nonce_of_the_request_waits_with_its_code(app: App, grant: Grant) -> None:
    granted = grant(scope="openid patient/*.rs")
    granted.authorization.codes.update(nonce="n-7")

    bought = app.post("/o/token", data=granted.exchange()).json()

    assert payload(bought["id_token"])["nonce"] == "n-7"
