"""Decisions for FHIR servers (OpenID AuthZEN Authorization API 1.0): authenticated and bound as introspection is."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import httpx
import pytest

from accounts import clock
from introspection import batched_lookup
from introspection.evaluation import LiveToken, _entry_answer
from oauth.models import AccessToken
from smart.decisions.authzen import parse_presented_token
from tests.conftest import BASE, SECRET, App, basic
from tests.fixture_types import Events, Issue, MakeClient, MakeResourceServer, SetClock

ONE, MANY = "/access/v1/evaluation", "/access/v1/evaluations"
VIEWS = {"understands": ["fhir-view/1"]}

Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(app: App, make_resource_server: MakeResourceServer) -> Ask:
    caller = make_resource_server()

    def post(body: Any, path: str = ONE, **headers: str) -> httpx.Response:
        return app.post(path, json=body, headers={**basic(caller.client_id, SECRET), **headers})

    return post


def subject(token: str) -> dict[str, str]:
    return {"type": "access_token", "id": token}


def hashed(token: str) -> dict[str, str]:
    digest = urlsafe_b64encode(sha256(token.encode()).digest()).rstrip(b"=").decode()
    return {"type": "access_token_sha256", "id": digest}


def evaluation(token: str, interaction: str = "search-type", kind: str = "Observation", **more: Any) -> dict[str, Any]:
    resource = {"type": kind, "id": more.pop("id", "*"), "properties": {"base": more.pop("base", BASE)}}
    resource["properties"] |= more.pop("properties", {})
    action = {"name": interaction, "properties": more.pop("action", {})}
    return {"subject": subject(token), "action": action, "resource": resource, "context": VIEWS, **more}


def observation(patient: str) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": f"o-{patient}", "subject": {"reference": f"Patient/{patient}"}}


def test_a_search_is_allowed_with_the_view_of_its_patient(issue: Issue, ask: Ask) -> None:
    answer = ask(evaluation(issue()["access_token"])).json()

    assert answer["decision"] is True
    context = answer["context"]
    assert context["view"] == {"Observation": [{"who": {"compartments": ["Patient/amy"]}, "where": []}]}
    assert context["sets"] == {}
    assert context["elements"] == {"Observation": ["id", "performer", "resourceType", "subject"]}
    assert context["hide"]["http"] == {"status": 404, "headers": {}}
    assert context["claims"]["patient"] == "amy"
    assert "jti" not in context["claims"]


def test_the_digest_of_a_token_does_as_well_as_the_token(issue: Issue, ask: Ask) -> None:
    body = evaluation(issue()["access_token"])
    by_digest = {**body, "subject": hashed(body["subject"]["id"])}
    assert ask(by_digest).json() == ask(body).json()


def test_in_short_form_method_and_url_are_enough(issue: Issue, ask: Ask) -> None:
    token = issue()["access_token"]
    http = {"method": "GET", "url": "Observation?code=x"}
    short = {"subject": subject(token), "context": {**VIEWS, "base": BASE, "http": http}}
    assert ask(short).json() == ask(evaluation(token, action={"parameters": ["code"]})).json()
    chained = {**short, "context": {**short["context"], "http": {**http, "url": "Observation?subject.name=x"}}}  # type: ignore[dict-item]
    assert ask(chained).json()["context"]["refuse"] == ["subject.name"]


def test_a_base_is_compared_and_used_in_one_spelling(issue: Issue, ask: Ask) -> None:
    token = issue()["access_token"]
    content = {"resourceType": "Observation", "id": "o", "subject": {"reference": f"{BASE}/Patient/amy"}}
    body = evaluation(token, "read", id="o", base=f"HTTP://127.0.0.1:8000{BASE[21:]}/", properties={"content": content})
    assert ask(body).json()["decision"] is True


@pytest.mark.requirement("SR-01")
@pytest.mark.parametrize(
    ("http", "status", "decision"),
    [
        ({"method": "POST", "url": "Observation/_search"}, 400, None),
        ({"method": "POST", "url": "Observation/_search", "form": ""}, 200, True),
        ({"method": "POST", "url": "Observation/_search", "form": "code=x"}, 200, True),
        ({"method": "POST", "url": "Observation/_search", "form": "_has:Provenance:target:agent=x"}, 200, False),
        ({"method": "POST", "url": "Observation", "if_none_exist": "code=x"}, 200, False),
        ({"method": "POST", "url": "Observation", "conditional": True}, 400, None),
        ({"method": "GET", "url": "x" * 8193}, 400, None),
        ({"method": "GET", "url": "http://["}, 400, None),
        ({"method": "GET", "url": "Observation?" + "a=1&" * 101}, 400, None),
        ({"method": "GET", "url": 7}, 400, None),
    ],
)
def test_in_short_form_nothing_that_a_request_says_is_left_out(
    issue: Issue, ask: Ask, http: dict[str, Any], status: int, decision: bool | None
) -> None:
    token = issue(scope="launch/patient patient/*.cruds")["access_token"]
    response = ask({"subject": subject(token), "context": {**VIEWS, "base": BASE, "http": http}})
    assert response.status_code == status
    assert response.json().get("decision") is decision


@pytest.mark.requirement("E104")
def test_who_proves_nothing_makes_no_work_that_their_request_multiplies(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hundred entries share what the request says for all of them."""
    parsed = list[object]()
    monkeypatch.setattr("introspection.evaluation.parse_evaluation", parsed.append)
    body = {**evaluation("some-token"), "evaluations": [{}] * 200}
    assert app.post(MANY, json=body, headers=basic("nobody", "x")).status_code == 401
    assert parsed == []


def test_who_says_nothing_of_views_gets_no_conditional_yes(issue: Issue, ask: Ask) -> None:
    answer = ask({**evaluation(issue()["access_token"]), "context": {}}).json()
    assert answer["decision"] is False
    assert answer["context"]["reason"] == "needs_view"


def test_granular_scopes_stand_in_the_view_as_criteria(issue: Issue, ask: Ask) -> None:
    category = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
    token = issue(scope=f"launch/patient patient/Observation.rs?category={category}")["access_token"]
    view = ask(evaluation(token)).json()["context"]["view"]
    assert view["Observation"][0]["where"] == [{"name": "category", "values": [category]}]


@pytest.mark.requirement("TV-05", "TV-07")
@pytest.mark.parametrize("base", ["https://other.example.org/fhir", f"{BASE}/x", BASE.upper()])
def test_a_token_for_another_base_opens_nothing(issue: Issue, ask: Ask, base: str) -> None:
    answer = ask(evaluation(issue()["access_token"], base=base)).json()
    assert answer["decision"] is False
    assert answer["context"]["reason"] == "invalid_token"
    assert answer["context"]["http"]["status"] == 401
    assert 'error="invalid_token"' in answer["context"]["http"]["headers"]["WWW-Authenticate"]


@pytest.mark.requirement("TV-07", "TV-23")
@pytest.mark.parametrize("audience", [[BASE, "https://other.example.org"], f"{BASE}/", "https://other.example.org"])
def test_a_token_is_for_each_base_that_it_names(issue: Issue, ask: Ask, audience: Any) -> None:
    token = issue()["access_token"]
    row = AccessToken.objects.get(digest=sha256(token.encode()).hexdigest())
    AccessToken.objects.filter(pk=row.pk).update(claims=json.dumps({**json.loads(row.claims), "aud": audience}))
    body = evaluation(token, "read", properties={"content": observation("amy")})
    assert ask(body).json()["decision"] is (BASE in str(audience))
    if BASE in str(audience):
        assert ask({**body, "evaluations": [{}]}, MANY).json() == {"evaluations": [{"decision": True}]}


@pytest.mark.requirement("IN-06", "IN-07")
def test_another_servers_token_and_an_unknown_one_get_the_same_answer_and_an_event(
    app: App, issue: Issue, make_resource_server: MakeResourceServer, other_fhir_server: Any, events: Events
) -> None:
    stranger, token = make_resource_server(other_fhir_server), issue()["access_token"]
    headers = basic(stranger.client_id, SECRET)
    known = app.post(ONE, json=evaluation(token), headers=headers)
    unknown = app.post(ONE, json=evaluation("never-was"), headers=headers)
    assert known.json() == unknown.json()
    assert known.json()["context"]["reason"] == "invalid_token"
    assert len(events("introspection-refused", client=stranger.client_id)) == 1


@pytest.mark.requirement("TV-16", "SD-03")
def test_an_ended_token_is_refused_at_the_very_next_question(app: App, issue: Issue, ask: Ask) -> None:
    answer = issue()
    body = evaluation(answer["access_token"])
    assert ask(body).json()["decision"] is True
    form = {"token": answer["access_token"], "client_id": answer["granted"].client.client_id}
    assert app.post("/o/revoke", data=form).status_code == 200
    assert ask(body).json()["decision"] is False


@pytest.mark.requirement("TV-03")
def test_an_expired_token_is_refused(issue: Issue, ask: Ask, set_clock: SetClock) -> None:
    body = evaluation(issue()["access_token"])
    assert ask(body).json()["decision"] is True
    set_clock(clock.now() + 300_000_000)
    assert ask(body).json()["context"]["reason"] == "invalid_token"


@pytest.mark.requirement("SD-07")
def test_a_changed_token_ends_the_original_as_at_introspection(issue: Issue, ask: Ask) -> None:
    token = issue()["access_token"]
    assert ask(evaluation(token)).json()["decision"] is True
    assert ask(evaluation(f"{token[:-6]}AAAAAA")).json()["decision"] is False
    assert ask(evaluation(token)).json()["decision"] is False


@pytest.mark.requirement("PR-04", "IN-11")
def test_the_address_that_a_trusted_server_tells_binds_the_token(
    app: App, issue: Issue, make_client: MakeClient, fhir_server: Any
) -> None:
    from oauth.models import ResourceServerRole

    caller = make_client("secret", grants="", redirect_uris="")
    ResourceServerRole.objects.create(client=caller, fhir_server=fhir_server, tells_addresses=True)
    client = make_client(address_policy="block")
    token = issue(client)["access_token"]

    def asked_from(address: str) -> bool:
        body = evaluation(token, context={**VIEWS, "client_address": address})
        response = app.post(ONE, json=body, headers=basic(caller.client_id, SECRET))
        return bool(response.json()["decision"])

    assert asked_from("198.51.100.1")
    assert not asked_from("198.51.100.99")
    row = AccessToken.objects.select_related("authorization").get(authorization__client=client)
    assert row.authorization.use_address == "198.51.100.1"


@pytest.mark.requirement("E104")
@pytest.mark.parametrize("path", [ONE, MANY])
@pytest.mark.parametrize("secret", ["wrong", ""])
def test_who_does_not_prove_itself_gets_no_decision(
    app: App, issue: Issue, make_resource_server: MakeResourceServer, secret: str, path: str
) -> None:
    body = evaluation(issue()["access_token"])
    response = app.post(path, json=body, headers=basic(make_resource_server().client_id, secret))
    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"
    assert response.headers["www-authenticate"].startswith("Basic")
    assert app.post(path, json=body).status_code == 401


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"subject": None}, "subject is missing"),
        ({"subject": "token"}, "subject is not an object"),
        ({"subject": {"type": "user", "id": "amy"}}, "subject is not a token"),
        ({"subject": {"type": "access_token_sha256", "id": "short"}}, "subject is not a token"),
        ({"subject": {"type": "access_token", "id": 7}}, "subject.id is not text"),
        ({"action": None}, "action is missing"),
        ({"action": {"properties": {}}}, "action.name is missing"),
        ({"action": {"name": "read", "properties": {"parameters": "code"}}}, "is not a list of texts"),
        ({"resource": {"type": "Observation", "id": "x"}}, "properties is missing"),
        ({"resource": {"type": "Observation", "properties": {"base": BASE}}}, "resource.id is missing"),
        (
            {"resource": {"type": "Observation", "id": "*", "properties": {"base": "http://["}}},
            "no URL of a FHIR server",
        ),
        ({"resource": {"type": "Observation", "id": "*", "properties": {"base": ""}}}, "no URL of a FHIR server"),
        ({"context": []}, "context is not an object"),
        ({"context": {"understands": "fhir-view/1"}}, "understands is not a list"),
        ({"context": {"client_address": 1}}, "client_address is not text"),
    ],
)
def test_a_request_without_the_form_of_one_is_400_and_says_what_is_wrong(
    ask: Ask, change: dict[str, Any], words: str
) -> None:
    response = ask({**evaluation("some-token"), **change})
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"
    assert words in response.json()["error_description"]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "text/plain", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"subject": {}, "subject": {}}', "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 30_000, "application/json", 400),
        (b" " * 65_537, "application/json", 413),
    ],
)
def test_what_is_no_json_object_is_refused(
    app: App, make_resource_server: MakeResourceServer, body: bytes, content_type: str, status: int
) -> None:
    headers = {**basic(make_resource_server().client_id, SECRET), "Content-Type": content_type}
    response = app.post(ONE, content=body, headers=headers)
    assert response.status_code == status
    assert response.json()["error"] == "invalid_request"


def test_the_id_of_a_request_comes_back_and_an_odd_one_does_not(issue: Issue, ask: Ask) -> None:
    body = evaluation(issue()["access_token"])
    assert ask(body, **{"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
    for odd in ("", "a b", "x" * 129):
        back = ask(body, **{"X-Request-ID": odd}).headers["x-request-id"]
        assert back != odd
        assert len(back) == 16


def test_a_page_of_entries_is_decided_at_once_each_by_its_content(issue: Issue, ask: Ask) -> None:
    body = evaluation(issue()["access_token"])
    entries: list[Any] = [
        {"resource": {"type": "Observation", "id": "*", "properties": {"base": BASE, "content": observation(patient)}}}
        for patient in ("amy", "ben")
    ]
    answer = ask({**body, "evaluations": [*entries, {"resource": {}}, 7]}, MANY).json()["evaluations"]
    assert [one["decision"] for one in answer] == [True, False, False, False]
    assert answer[1]["context"]["http"]["status"] == 404
    assert answer[2]["context"]["error"]["status"] == 400
    assert answer[3]["context"]["error"]["message"] == "an entry is not an object"
    assert "claims" not in answer[0].get("context", {})


@pytest.mark.parametrize(
    ("semantic", "expected"),
    [
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
def test_a_batch_ends_where_its_semantic_says(issue: Issue, ask: Ask, semantic: str, expected: list[bool]) -> None:
    body = evaluation(issue()["access_token"], "read")
    entries = [
        {"resource": {"type": "Observation", "id": "*", "properties": {"base": BASE, "content": observation(patient)}}}
        for patient in ("amy", "ben", "amy")
    ]
    answer = ask({**body, "evaluations": entries, "options": {"evaluations_semantic": semantic}}, MANY)
    assert [one["decision"] for one in answer.json()["evaluations"]] == expected


def test_without_entries_a_batch_is_one_decision(issue: Issue, ask: Ask) -> None:
    body = evaluation(issue()["access_token"])
    assert ask({**body, "evaluations": []}, MANY).json() == ask(body, MANY).json() == ask(body).json()


@pytest.mark.parametrize(
    "evaluations",
    [{}, "x", [{}] * 201, [{"subject": {"type": "user", "id": "x"}}]],
    ids=["object", "text", "too many", "none that can be read"],
)
def test_a_batch_that_is_none_is_400(issue: Issue, ask: Ask, evaluations: Any) -> None:
    response = ask({**evaluation(issue()["access_token"]), "evaluations": evaluations}, MANY)
    assert response.status_code == 400


def test_entries_about_another_token_or_from_another_address_are_not_decided(issue: Issue, ask: Ask) -> None:
    own, other = issue()["access_token"], issue()["access_token"]
    entries = [{}, {"subject": subject(other)}, {"context": {"client_address": "198.51.100.1"}}]
    found = ask({**evaluation(own, properties={"content": observation("amy")}), "evaluations": entries}, MANY)
    answers = found.json()["evaluations"]
    assert [one["decision"] for one in answers] == [True, False, False]
    assert [one["context"]["error"]["status"] for one in answers[1:]] == [400, 400]


@pytest.mark.requirement("TV-07", "PC-04")
def test_an_entry_for_another_base_or_without_its_content_is_denied_by_itself() -> None:
    claims = {"active": True, "aud": BASE, "exp": 2_000_000_000, "scope": "patient/*.rs", "patient": "amy"}
    whole, elsewhere = evaluation("abc"), evaluation("abc", base="https://elsewhere.example.org/fhir")
    own = evaluation("abc", properties={"content": observation("amy")})
    token, about = LiveToken(json.dumps(claims), "r4", 0), parse_presented_token(whole)

    found = [_entry_answer(entry, about, token) for entry in (elsewhere, whole, own)]

    assert [one.get("context", {}).get("reason") for one in found] == ["invalid_token", "needs_view", None]
    assert found[2] == {"decision": True}


UNKNOWN = {"surprise": {"x": 1}, "another": None}


def test_members_that_nobody_knows_change_nothing(issue: Issue, ask: Ask) -> None:
    """AuthZEN §10.1.1, at every level; a null is as if it were left out (I-JSON, §11.5)."""
    body = evaluation(issue()["access_token"], "read", properties={"content": observation("amy")})
    odd = {
        **body, **UNKNOWN, "options": {**UNKNOWN, "evaluations_semantic": None},
        "subject": {**body["subject"], **UNKNOWN, "properties": {"patient": "ben", "scope": "system/*.cruds"}},
        "action": {**body["action"], **UNKNOWN, "properties": None},
        "resource": {**body["resource"], **UNKNOWN, "properties": {**body["resource"]["properties"], **UNKNOWN}},
        "context": {**VIEWS, **UNKNOWN, "client_address": None},
    }  # fmt: skip
    assert ask(odd).json() == ask(body).json()
    assert ask({**odd, "context": None}).json()["decision"] is True
    entries = ask({**odd, "evaluations": [{}, UNKNOWN]}, MANY).json()["evaluations"]
    assert [one["decision"] for one in entries] == [True, True]


def test_an_entitys_own_members_replace_the_common_ones_whole(issue: Issue, ask: Ask) -> None:
    """AuthZEN §7.1.1: nothing of a default is mixed into what an entry says itself."""
    body = evaluation(issue()["access_token"], "read", properties={"content": observation("amy")})
    body["action"]["properties"] = {"parameters": ["subject.name"]}
    entries: list[Any] = [{}, {"action": {"name": "read"}}, {"resource": {"type": "Observation", "id": "o"}}]
    answers = ask({**body, "evaluations": entries}, MANY).json()["evaluations"]
    assert [one["decision"] for one in answers] == [False, True, False]
    assert answers[0]["context"]["reason"] == "parameter_refused"
    assert "properties is missing" in answers[2]["context"]["error"]["message"]


def test_an_entry_that_is_none_is_denied_by_itself(issue: Issue, ask: Ask) -> None:
    """The batch is answered (AuthZEN §7.2.1), also where no entry can be read."""
    body = evaluation(issue()["access_token"])
    batches: list[list[Any]] = [[7], [None, {"action": {}}]]
    for entries in batches:
        response = ask({**body, "evaluations": entries}, MANY)
        assert [one["decision"] for one in response.json()["evaluations"]] == [False] * len(entries)
        assert response.json()["evaluations"][0]["context"]["error"]["status"] == 400


@pytest.mark.parametrize("semantic", ["", "first", 1, ["execute_all"]])
def test_a_semantic_that_nobody_knows_is_400(issue: Issue, ask: Ask, semantic: Any) -> None:
    body = evaluation(issue()["access_token"])
    response = ask({**body, "evaluations": [{}], "options": {"evaluations_semantic": semantic}}, MANY)
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"


def test_the_id_of_a_request_comes_back_with_every_status_and_a_charset_is_accepted(
    app: App, issue: Issue, ask: Ask
) -> None:
    """AuthZEN §10.1.3."""
    body = evaluation(issue()["access_token"])
    sent = {"X-Request-ID": "7f-3"}
    answers = [
        ask({}, **sent), ask(body, MANY, **sent), ask([], **sent), app.post(ONE, json=body, headers=sent),
        ask(body, **sent, **{"Content-Type": "application/json; charset=utf-8"}),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [400, 200, 400, 401, 200]
    assert {answer.headers["x-request-id"] for answer in answers} == {"7f-3"}


@pytest.mark.requirement("AZ-25")
def test_a_denial_says_its_rule_to_developers(issue: Issue, ask: Ask) -> None:
    token = issue(scope="launch/patient patient/Observation.rs")["access_token"]
    rules = {
        "SCP-08": evaluation(token, "odd"), "TV-20": evaluation(token, kind="Condition"),
        "SR-08": evaluation(token, action={"parameters": ["subject.name"]}),
        "PC-02": evaluation(token, properties={"content": observation("ben")}, id="o-ben"),
        "PC-04": evaluation(token, context={}), "TV-07": evaluation(token, base="https://other.example.org/r4"),
    }  # fmt: skip
    found = {rule: ask(body).headers["x-smartauth-reason"].partition(" ")[0] for rule, body in rules.items()}
    assert found == {rule: rule for rule in rules}


def test_the_metadata_names_both_endpoints(app: App) -> None:
    issuer = "http://127.0.0.1:8000"
    assert app.get("/.well-known/authzen-configuration").json() == {
        "policy_decision_point": issuer,
        "access_evaluation_endpoint": f"{issuer}{ONE}",
        "access_evaluations_endpoint": f"{issuer}{MANY}",
    }


def test_a_decision_costs_one_statement_as_an_introspection_does(
    issue: Issue, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, batches, find = evaluation(issue()["access_token"]), list[int](), batched_lookup.BatchedLookup._answer
    ask(body)  # the use of the last minute is noted once

    async def counted(self: batched_lookup.BatchedLookup, batch: list[batched_lookup.Waiting]) -> None:
        batches.append(len(batch))
        await find(self, batch)

    monkeypatch.setattr(batched_lookup.BatchedLookup, "_answer", counted)
    ask(body)
    ask({**body, "evaluations": [{}] * 200}, MANY)

    assert batches == [1, 1]


@pytest.mark.requirement("SD-27", "WR-11")
@pytest.mark.parametrize(
    ("method", "url", "form"),
    [("GET", "Patient/amy/Observation", "fhir-types/1"), ("DELETE", "Observation?_id=o-1", "fhir-match/1")],
)
def test_what_only_some_servers_apply_is_allowed_to_those_alone(
    issue: Issue, ask: Ask, method: str, url: str, form: str
) -> None:
    token = issue(scope="launch/patient patient/*.cruds")["access_token"]
    context = {"base": BASE, "http": {"method": method, "url": url}}

    told = [
        ask({"subject": subject(token), "context": {**context, "understands": ["fhir-view/1", *forms]}}).json()
        for forms in ((), (form,))
    ]

    assert [answer["decision"] for answer in told] == [False, True]
