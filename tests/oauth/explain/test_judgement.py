"""A pasted token and a request with it, judged rule by rule; nothing is sent or changed."""

import base64
import json
import secrets
from typing import Any

import pytest

from accounts import clock
from audit.models import OutboxEvent
from oauth.explain.judgement import Conclusion, judge_token
from oauth.models import AccessToken, Authorization
from smart.decisions.fhir_request import UnreadableRequest
from smart.digests import sha256_hex
from smart.explanation import State
from tests.conftest import BASE, App
from tests.fixture_types import Issue, MakeClient
from tests.oauth.workbench.conftest import Asker

READ = "GET /fhir/r4/Patient/amy"


def part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def changed(token: str, **claims: Any) -> str:
    header, payload, signature = token.split(".")
    kept = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return f"{header}.{part({**kept, **claims})}.{signature}"


def judge(token: str, request: str = "") -> Any:
    return judge_token(token, request, now=clock.now())


def states(judgement: Any) -> dict[str, State]:
    return {outcome.rule: outcome.state for outcome in judgement.outcomes}


@pytest.mark.requirement("AZ-25")
def test_a_live_token_passes_every_rule_and_is_not_used_by_that(issue: Issue) -> None:
    answer = issue()
    before = Authorization.objects.values().get(pk=answer["granted"].authorization.pk)

    found = judge(f" {answer['access_token']}\n")

    assert (found.conclusion, found.explanation) == (Conclusion.ALIVE, None)
    assert states(found) == {f"LV-{number:02}": State.PASSED for number in range(1, 11)}
    assert Authorization.objects.values().get(pk=answer["granted"].authorization.pk) == before


@pytest.mark.requirement("AZ-25", "LV-09")
def test_a_dead_token_tells_the_first_cause_and_what_is_also_true(issue: Issue) -> None:
    answer = issue()
    newer = issue(answer["granted"].client, answer["granted"].person)["access_token"]
    row = AccessToken.objects.filter(digest=sha256_hex(answer["access_token"]))
    row.update(expires_at=clock.now())

    found = judge(answer["access_token"])

    since = AccessToken.objects.get(digest=sha256_hex(newer)).issued_at
    assert (found.conclusion, found.token.pk) == (Conclusion.DEAD, row.get().pk)
    assert (found.explanation.rule, found.explanation.since) == ("LV-09", since)
    assert (found.explanation.presented, found.explanation.expected) == (
        "token 1 of its seat", "the newest one: token 2",
    )  # fmt: skip
    assert states(found) == {
        **{f"LV-{number:02}": State.PASSED for number in range(1, 9)},
        "LV-09": State.REFUSED, "LV-10": State.ALSO_TRUE,
    }  # fmt: skip


@pytest.mark.requirement("AZ-25", "SD-07", "LV-01")
def test_a_changed_token_shows_what_differs_and_ends_nothing(issue: Issue) -> None:
    token = issue()["access_token"]
    events = OutboxEvent.objects.count()

    found = judge(changed(token, patient="ben", admin=True))

    assert found.conclusion is Conclusion.CHANGED
    assert [(one.name, one.shown, one.issued) for one in found.differences] == [
        ("patient", '"ben"', '"amy"'), ("admin", "true", ""),
    ]  # fmt: skip
    assert found.explanation.rule == "SD-07"
    assert found.explanation.what.endswith("our signature under another header or payload")
    assert (found.explanation.presented, found.explanation.expected) == (
        'patient "ben", admin true', 'patient "amy", admin left out',
    )  # fmt: skip
    assert "jti" not in str(found.differences)
    assert judge(token).conclusion is Conclusion.ALIVE
    assert OutboxEvent.objects.count() == events


@pytest.mark.requirement("AZ-25", "SD-07")
def test_a_bare_identifier_is_told_as_no_evidence(issue: Issue) -> None:
    token = issue()["access_token"]
    header, payload, _ = token.split(".")

    found = judge(f"{part({'alg': 'none'})}.{payload}.AAAA")

    assert found.conclusion is Conclusion.CHANGED
    assert found.explanation.what == (
        "It names the identifier of one of ours, and nothing shows that its sender held that"
    )
    assert header not in str(found)


@pytest.mark.requirement("AZ-25", "ID-07", "IN-08")
def test_other_things_are_told_as_what_they_are(issue: Issue, make_client: MakeClient, app: App) -> None:
    scope = "openid offline_access patient/*.rs"
    answer = issue(make_client(grants="authorization_code refresh_token", scope=scope), scope=scope)
    foreign = f"{part({'alg': 'ES256'})}.{part({'iss': 'https://other.example', 'jti': 'x'})}.AAAA"
    opaque = secrets.token_urlsafe(32)

    found = {name: judge(text) for name, text in {
        "refresh": answer["refresh_token"], "id": answer["id_token"], "code": answer["granted"].code,
        "foreign": foreign, "opaque": opaque, "words": "no token at all",
    }.items()}  # fmt: skip

    assert {name: (one.conclusion, one.explanation.rule) for name, one in found.items()} == {
        "refresh": (Conclusion.NEITHER, "IN-08"), "id": (Conclusion.NEITHER, "ID-07"),
        "code": (Conclusion.NEITHER, "AZ-17"),
        "foreign": (Conclusion.NOT_OURS, "LV-01"), "opaque": (Conclusion.NOT_OURS, "LV-01"),
        "words": (Conclusion.NEITHER, "LV-01"),
    }  # fmt: skip
    assert found["foreign"].issuer == "https://other.example"
    assert {one.token for one in found.values()} == {None}


OUR_KEY, LATER = "It is signed with a key of ours", "exp is later than that of any token of ours"


@pytest.mark.requirement("AZ-25", "LV-01")
@pytest.mark.parametrize(
    ("bad", "what", "presented"),
    [
        ("alg-none", "It names us as its issuer, but is unsigned", "alg none"),
        ("alg-missing", "It names us as its issuer, but is unsigned", "no alg"),
        ("alg-hs256-public-key", "It names us as its issuer, but that key of ours signs with ES256 only", "alg HS256"),
        ("kid-url", "It names us as its issuer, but its kid is no key of ours", 'kid "https://listener.invalid/keys"'),
        ("kid-null", "It names us as its issuer, but its kid is no key of ours", "no kid"),
        ("jwk", "It names us as its issuer, but its signature is not by the key that it names", "kid "),
        ("jku", "It names us as its issuer, but its kid is no key of ours", "kid "),
        ("withdrawn-key", "It names us as its issuer, but it is signed with a key that we withdrew", 'kid "withdrawn-'),
        ("typ-missing", f"{OUR_KEY}, but its header has no typ", "kid "),
        ("typ-jwt", f'{OUR_KEY}, but typ is "JWT" and not "at+jwt"', "kid "),
        ("no-exp", f"{OUR_KEY}, but it has no exp, so that it would never end", "kid "),
        ("exp-as-text", f"{OUR_KEY}, but exp is no number", "kid "),
        ("exp-huge", f"{OUR_KEY}, but {LATER}", "kid "),
        ("exp-negative", f"{OUR_KEY}, but exp is negative", "kid "),
        ("exp-float-nan", f"{OUR_KEY}, but its claims are no strict JSON", "kid "),
        ("not-yet-valid", f"{OUR_KEY}, but {LATER}, and nbf lies in the future", "kid "),
        ("aud-object", f"{OUR_KEY}, but aud is no text", "kid "),
        ("claims-doubled", f"{OUR_KEY}, but a claim stands in it twice", "kid "),
    ],
)
def test_of_a_forged_token_it_is_told_what_shows_that(asker: Asker, bad: str, what: str, presented: str) -> None:
    found = judge(asker.get(bad=bad)["access_token"])

    assert (found.conclusion, found.explanation.rule, found.explanation.what) == (Conclusion.NOT_OURS, "LV-01", what)
    assert found.explanation.presented.startswith(presented)


@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize(
    ("bad", "shown"),
    [
        ("jku", "its header has jku"),
        ("x5c", "its header has x5c"),
        ("crit", "its header has crit"),
        ("signature-cut", "a signature of "),
        ("signature-empty", "a signature of 0 bytes"),
    ],
)
def test_of_tokens_that_one_rule_refuses_it_is_told_what_is_different(asker: Asker, bad: str, shown: str) -> None:
    assert shown in judge(asker.get(bad=bad)["access_token"]).explanation.presented


@pytest.mark.requirement("AZ-25", "TV-07")
def test_a_token_without_aud_is_said_to_have_none(asker: Asker) -> None:
    found = judge(asker.get(without=["aud"])["access_token"], READ)

    assert (found.explanation.rule, found.explanation.presented) == ("TV-07", "no aud")


@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize(
    ("scope", "request_line", "status", "rule"),
    [
        ("patient/Patient.r", READ, 200, ""),
        ("patient/Patient.r", f"GET {BASE}/Patient/amy", 200, ""),
        ("patient/Patient.r", "GET Patient/amy", 200, ""),
        ("patient/Patient.r", "get /fhir/r4/metadata", 200, ""),
        ("patient/Observation.rs", "GET /fhir/r4/Observation?code=x", 200, ""),
        ("patient/Observation.rs", "GET /fhir/r4/Observation/o-1", 200, ""),
        ("patient/Observation.rs", "GET /fhir/r4/Observation?subject.name=x", 400, "SR-08"),
        ("patient/Patient.r", "GET /fhir/r4/Patient/ben", 404, "PC-02"),
        ("patient/Patient.r", "GET /fhir/r4/Observation/o-1", 403, "TV-20"),
        ("patient/Patient.r", "DELETE /fhir/r4/Patient/amy", 403, "TV-20"),
        ("patient/Patient.r", "GET /fhir/r4/Nonsense/1", 404, "SCP-08"),
        ("patient/Patient.r", "POST /fhir/r4/Patient/amy", 404, "SCP-08"),
        ("patient/Patient.r", "GET https://other.example.org/fhir/Patient/amy", 401, "TV-07"),
    ],
)
def test_a_request_is_judged_as_the_fhir_server_does(
    issue: Issue, other_fhir_server: Any, scope: str, request_line: str, status: int, rule: str
) -> None:
    found = judge(issue(scope=scope)["access_token"], request_line)

    assert found.status == status
    assert found.conclusion is (Conclusion.REQUEST_REFUSED if rule else Conclusion.ALIVE)
    assert (found.explanation.rule if found.explanation else "") == rule
    refused = [outcome.rule for outcome in found.outcomes if outcome.state is State.REFUSED]
    assert refused == ([rule] if rule else [])
    assert ("insufficient_scope" in found.challenge, "invalid_token" in found.challenge) == (
        status == 403, status == 401,
    )  # fmt: skip


@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize(
    ("scope", "request_line", "is_told"),
    [
        ("user/*.cruds", "POST /fhir/r4/Observation", True),
        ("user/*.cruds", "GET /fhir/r4/Observation", False),
        ("patient/*.cruds", "POST /fhir/r4/Observation", False),
    ],
)
def test_what_a_person_may_write_by_what_they_are_is_said_to_be_unknown(
    issue: Issue, scope: str, request_line: str, is_told: bool
) -> None:
    found = judge(issue(scope=scope)["access_token"], request_line)

    assert (found.status, states(found).get("US-03")) == (200, State.NOT_REACHED if is_told else None)


@pytest.mark.requirement("AZ-25", "TV-20")
def test_what_is_missing_stands_beside_what_came(issue: Issue) -> None:
    scope = "patient/Patient.rs patient/Observation.rs"

    found = judge(issue(scope=scope)["access_token"], "GET /fhir/r4/MedicationRequest?patient=amy")

    assert found.explanation.presented == scope
    assert found.explanation.expected == "one that covers patient/MedicationRequest.s"
    assert found.facts == (
        ("What", "search-type of MedicationRequest"), ("Where", BASE), ("About", "patient=amy"),
    )  # fmt: skip


@pytest.mark.requirement("AZ-25")
def test_a_dead_token_lets_nothing_in_whatever_is_asked(issue: Issue) -> None:
    answer = issue()
    AccessToken.objects.filter(digest=sha256_hex(answer["access_token"])).update(revoked_at=1, revoked_for="revoked")

    found, other = judge(answer["access_token"], READ), judge("x", READ)

    assert [(one.conclusion, one.status) for one in (found, other)] == [
        (Conclusion.DEAD, 401),
        (Conclusion.NOT_OURS, 401),
    ]
    assert found.explanation.rule == "LV-02"
    assert states(found)["TV-20"] is State.NOT_REACHED


@pytest.mark.parametrize(
    "text",
    [
        "Patient/amy",
        "GET",
        "GET https://elsewhere.example/Patient/1",
        "G3T x",
        "GET http://[",
        "GET /fhir/r4/http://[",
        f"GET /fhir/r4/Observation?{'a=1&' * 101}",
    ],
    ids=range(7),
)
def test_a_request_that_cannot_be_read_is_told_as_that(issue: Issue, text: str) -> None:
    with pytest.raises(UnreadableRequest):
        judge(issue()["access_token"], text)
