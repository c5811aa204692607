"""The checklist of the home page ticks itself by what was seen of a FHIR server."""

import secrets
from typing import Any

import pytest

from accounts import clock
from oauth.demo.checklist import Checklist, checklist
from oauth.models import FhirIdentity, FhirServer
from oauth.workbench.memory.minted_kinds import remember_kind
from oauth.workbench.memory.results import GOOD, Result, remember_result
from smartauth_probe.verdict import Outcome
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Issue, MakeClient, MakePerson, MakeResourceServer


@pytest.fixture
def server(committed: None, make_client: MakeClient, make_person: MakePerson) -> Any:
    """A developer's own FHIR server, for whose tokens somebody may ask."""
    made = FhirServer.objects.create(base=f"http://127.0.0.1:9/{secrets.token_hex(8)}", name="Mine")
    make_client().fhir_servers.add(made)
    FhirIdentity.objects.create(user=make_person(), fhir_server=made, resource="Patient/amy")
    return made


def steps(server: Any) -> Checklist:
    return checklist(str(server.pk))[0]


def ticked(server: Any) -> list[bool]:
    return [step.is_done for step in steps(server).steps]


def answer(server: Any, kind: str, status: int, outcome: Outcome = Outcome.PASSED) -> None:
    remember_result(server.base, kind, Result(status, outcome, "", False, clock.now()))


def test_a_server_that_is_registered_has_the_first_step(server: Any) -> None:
    found = steps(server)

    assert ticked(server) == [True, False, False, False, False]
    assert found.next is not None
    assert f"--aud {server.base}" in found.next.command
    assert f"{server.base}/Patient" in found.next.command
    assert (found.percent, found.form["aud"]) == (20, server.base)
    assert found.probe.endswith(f"--client {found.form['client']} --user {found.form['user']} {server.base}")


def test_two_servers_of_one_name_are_told_apart_by_their_version_or_else_by_their_address(
    server: Any, app: App
) -> None:
    FhirServer.objects.filter(pk=server.pk).update(name=f"Mine {server.pk}")
    page = app.get("/").text
    assert f'href="/?server={server.pk}#checklist">Mine {server.pk}</a>' in page
    assert "All five are done" not in page

    FhirServer.objects.create(base=f"{server.base}/stu3", name=f"Mine {server.pk}", version="stu3")
    assert f'href="/?server={server.pk}#checklist">Mine {server.pk}, R4</a>' in app.get("/").text
    FhirServer.objects.create(base=f"{server.base}/second", name=f"Mine {server.pk}")

    assert f'href="/?server={server.pk}#checklist">Mine {server.pk}, {server.base}</a>' in app.get("/").text


def test_what_was_sent_ticks_the_others(server: Any) -> None:
    answer(server, GOOD, 200)
    assert ticked(server) == [True, False, True, False, False]
    answer(server, "expired", 401)
    assert ticked(server) == [True, False, True, True, False]
    answer(server, "patient-other", 404)
    assert ticked(server) == [True, False, True, True, True]


def test_a_wrong_answer_takes_a_tick_away_and_is_named(server: Any) -> None:
    for kind, status, outcome in (
        (GOOD, 401, Outcome.FAILED),
        ("expired", 401, Outcome.PASSED),
        ("aud-longer", 200, Outcome.FAILED),
        ("patient-other", 200, Outcome.FAILED),
    ):
        answer(server, kind, status, outcome)

    _, _, good, bad, other = steps(server).steps
    assert [step.is_done for step in (good, bad, other)] == [False, False, False]
    assert (good.sentence, other.sentence) == ("It answered 401: it must be 200.", "It answered 200: it must be 404.")
    assert (bad.sentence, bad.kind) == ("Wrong answer to aud-longer.", "aud-longer")
    assert bad.button == "Send aud-longer again"
    assert bad.look.startswith("/dev/tokens?q=aud-longer&aud=http%3A%2F%2F127.0.0.1%3A9%2F")


def test_a_server_that_asks_has_the_second_step(
    server: Any, app: App, make_resource_server: MakeResourceServer
) -> None:
    caller = make_resource_server(server)
    app.post("/o/introspect", data={"token": "no-token-of-ours"}, headers=basic(caller.client_id, SECRET))

    step = steps(server).steps[1]
    assert (step.is_done, step.sentence) == (True, "1 since this server started.")


def introspect(app: App, caller: Any, token: str) -> None:
    assert app.post("/o/introspect", data={"token": token}, headers=basic(caller.client_id, SECRET)).status_code == 200


def test_what_a_server_only_heard_is_told_and_not_done(
    server: Any, app: App, make_resource_server: MakeResourceServer, issue: Issue, make_client: MakeClient
) -> None:
    caller, bad = make_resource_server(server), secrets.token_urlsafe(16)
    remember_kind(bad, "noise")

    introspect(app, caller, bad)
    introspect(app, caller, issue(make_client(), server=server)["access_token"])

    _, _, good, refuses, hides = steps(server).steps
    assert ticked(server) == [True, True, False, False, False]
    assert [step.is_told for step in steps(server).steps] == [False, False, True, True, False]
    assert "a bad token (noise) and heard that it is not active, once." in refuses.sentence
    assert good.sentence.startswith("Told, not seen: ")
    assert hides.sentence == "Not seen yet. The answer must be 404."
    assert "is protected: 2 of 5 seen, 2 told" in app.get(f"/?server={server.pk}").text


def test_what_a_server_heard_of_a_decision_is_told(
    server: Any, app: App, make_resource_server: MakeResourceServer, issue: Issue, make_client: MakeClient
) -> None:
    caller = make_resource_server(server)
    subject = {"type": "access_token", "id": issue(make_client(), server=server)["access_token"]}
    context = {"base": server.base, "http": {"method": "GET", "url": "Observation"}, "understands": ["fhir-view/1"]}

    body = {"subject": subject, "context": context}
    app.post("/access/v1/evaluation", json=body, headers=basic(caller.client_id, SECRET))

    assert [step.is_told for step in steps(server).steps] == [False, False, True, False, True]


def test_what_was_seen_counts_more_than_what_was_told(
    server: Any, app: App, make_resource_server: MakeResourceServer
) -> None:
    caller = make_resource_server(server)
    for _ in range(2):
        introspect(app, caller, "of-nobody")
    assert "heard that it is not active, 2 times" in steps(server).steps[3].sentence

    answer(server, "expired", 200, Outcome.FAILED)
    wrong = steps(server).steps[3]
    answer(server, "expired", 401)
    right = steps(server).steps[3]

    assert (wrong.is_told, wrong.is_done, wrong.sentence) == (False, False, "Wrong answer to expired.")
    assert (right.is_told, right.is_done) == (False, True)


def test_an_unknown_token_says_nothing_where_one_client_asks_for_several_servers(
    server: Any, other_fhir_server: Any, app: App, make_resource_server: MakeResourceServer
) -> None:
    introspect(app, make_resource_server(server, other_fhir_server), "of-nobody")

    assert not any(step.is_told for step in steps(server).steps)


def test_a_client_that_asks_for_several_servers_has_asked_for_those_of_whose_tokens_it_asked(
    server: Any, app: App, make_resource_server: MakeResourceServer, issue: Issue, make_client: MakeClient
) -> None:
    other = FhirServer.objects.create(base=f"{server.base}/other", name="Mine too")
    caller = make_resource_server(server, other)
    introspect(app, caller, "of-nobody")
    before = ticked(server)[1]

    introspect(app, caller, issue(make_client(), server=server)["access_token"])

    assert (before, ticked(server)[1], ticked(other)[1]) == (False, True, False)
    assert steps(server).steps[1].sentence == "About its tokens, since this server started."


@pytest.fixture
def report(server: Any, app: App, make_resource_server: MakeResourceServer) -> Any:
    """A report of that server: it refused this token with that status."""
    caller = basic(make_resource_server(server).client_id, SECRET)

    def send(token: str, status: int) -> None:
        assert app.post("/o/report", json={"token": token, "status": status}, headers=caller).status_code == 204

    return send


def test_a_server_that_reports_a_bad_token_has_refused_it(server: Any, report: Any) -> None:
    expired, forged, another = (f"{kind}-{secrets.token_hex(8)}" for kind in ("expired", "forged", "other"))
    remember_kind(expired, "expired")
    remember_kind(forged, "alg-none")

    report(another, 401)
    report(expired, 404)  # not what an expired token must get
    before = ticked(server)
    report(expired, 401)
    report(forged, 401)

    assert (before[3], ticked(server)) == (False, [True, False, False, True, False])
    assert steps(server).steps[3].sentence.startswith("2 of ")


def test_a_server_that_reports_a_record_that_it_hid_hides_records(
    server: Any, report: Any, issue: Issue, make_client: MakeClient
) -> None:
    token = issue(make_client(), server=server)["access_token"]

    report(token, 403)
    before = ticked(server)
    report(token, 404)

    assert (before[4], ticked(server)[4]) == (False, True)


def test_the_newest_server_of_ones_own_is_shown_first_and_the_bundled_one_last(server: Any, fhir_server: Any) -> None:
    found, servers = checklist("")

    assert found.server == server
    assert servers[0] == server
    assert servers[-1] == fhir_server
    assert checklist("no number")[0].server == server
