"""What an answer to a bad token is worth."""

import pytest

from smartauth_probe.catalogue import kinds
from smartauth_probe.received import Received
from smartauth_probe.verdict import Outcome, Verdict, judge, judge_alone

pytestmark = pytest.mark.one_engine

LET_IN = Received(200, "", "Patient/amy")
INVALID = 'Bearer realm="fhir", error="invalid_token"'
SCOPE = 'Bearer error="insufficient_scope"'
OUTCOME = "OperationOutcome"


def verdict(kind: str, answer: Received, twin: Received = LET_IN) -> Verdict:
    return judge(kinds()[kind], twin, answer)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("expired", Received(401, INVALID, OUTCOME)),
        ("expired", Received(401, "Bearer error=invalid_token")),
        ("no-token", Received(401, 'Bearer realm="fhir"', OUTCOME)),
        ("scope-missing", Received(403, SCOPE, OUTCOME)),
        ("patient-other", Received(404, "", OUTCOME)),
        ("good-v1-scopes", LET_IN),
    ],
)
def test_an_answer_as_it_must_be_is_right(kind: str, answer: Received) -> None:
    found = verdict(kind, answer)

    assert found.outcome is Outcome.PASSED
    assert found.title in {"Your server refused it", "Your server let it in, as it must"}
    assert [finding for finding in found.findings if finding.outcome is Outcome.FAILED] == []


@pytest.mark.parametrize(
    ("kind", "answer", "title", "received"),
    [
        pytest.param("aud-longer", LET_IN, "Your server let it in", ["200", "Patient/amy"], id="let in"),
        pytest.param("typ-jwt", Received(500), "Your server answered 500", ["500"], id="no policy"),
        pytest.param("good-aud-slash", Received(500), "Your server refused a good token", ["500"], id="no refusal"),
        pytest.param("expired", Received(500), "Your server answered 500", ["500"], id="failure"),
        pytest.param(
            "expired",
            Received(401, INVALID, "Patient/amy"),
            "Your server refused it, but not as it must",
            ["Patient/amy"],
            id="data beside the refusal",
        ),
        pytest.param(
            "expired",
            Received(401, INVALID, "Observation/pulse"),
            "Your server refused it, but not as it must",
            ["Observation/pulse"],
            id="data of another type",
        ),
        pytest.param(
            "expired",
            Received(401, "", OUTCOME),
            "Your server refused it, but not as it must",
            ["no such header"],
            id="no challenge",
        ),
        pytest.param(
            "expired",
            Received(401, SCOPE, OUTCOME),
            "Your server refused it, but not as it must",
            [SCOPE],
            id="another error",
        ),
        pytest.param(
            "expired",
            Received(401, 'Basic error="invalid_token"', OUTCOME),
            "Your server refused it, but not as it must",
            ['Basic error="invalid_token"'],
            id="another scheme",
        ),
        pytest.param(
            "no-token",
            Received(401, 'Basic realm="fhir"', OUTCOME),
            "Your server refused it, but not as it must",
            ['Basic realm="fhir"'],
            id="another scheme where nothing was presented",
        ),
        pytest.param(
            "no-token",
            Received(401, INVALID, OUTCOME),
            "Your server refused it, but not as it must",
            [INVALID],
            id="an error where nothing was presented",
        ),
        pytest.param("good-v1-scopes", Received(401, INVALID), "Your server refused a good token", ["401"], id="good"),
    ],
)
def test_an_answer_that_is_wrong_is_named_rule_by_rule(
    kind: str, answer: Received, title: str, received: list[str]
) -> None:
    found = verdict(kind, answer)

    assert (found.outcome, found.title) == (Outcome.FAILED, title)
    assert [finding.received for finding in found.findings if finding.outcome is Outcome.FAILED] == received
    assert "policy" not in found.lead


@pytest.mark.parametrize(
    ("kind", "answer", "title"),
    [
        ("expired-just-now", LET_IN, "Your server let it in"),
        ("typ-jwt", LET_IN, "Your server let it in"),
        ("good-aud-slash", Received(401, INVALID), "Your server refused it"),
    ],
)
def test_what_a_server_may_decide_is_reported_and_is_no_failure(kind: str, answer: Received, title: str) -> None:
    found = verdict(kind, answer)

    assert (found.outcome, found.title) == (Outcome.NOT_CHECKED, title)
    assert [finding.outcome for finding in found.findings] == [Outcome.PASSED, Outcome.NOT_CHECKED]
    policy = kinds()[kind].policy.replace("`", "")
    assert policy in found.lead
    assert policy in found.findings[1].rule


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_request_that_a_server_does_not_take_is_reported_and_is_no_failure(status: int) -> None:
    found = verdict("in-body", Received(status, "", OUTCOME))

    assert (found.outcome, found.title) == (Outcome.NOT_CHECKED, "Your server takes no such request")
    assert [finding.outcome for finding in found.findings] == [Outcome.PASSED, Outcome.NOT_CHECKED]
    assert str(status) in found.findings[1].rule


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("in-body", LET_IN),
        ("in-body", Received(404, "", "Patient/amy")),
        ("in-body", Received(500)),
        ("in-query", Received(404, "", OUTCOME)),
    ],
)
def test_no_other_answer_is_taken_for_a_request_that_a_server_does_not_take(kind: str, answer: Received) -> None:
    assert verdict(kind, answer).outcome is Outcome.FAILED


@pytest.mark.parametrize(("kind", "answer"), [("typ-jwt", Received(401, INVALID, OUTCOME)), ("good-aud-slash", LET_IN)])
def test_what_needs_no_policy_passes(kind: str, answer: Received) -> None:
    assert verdict(kind, answer).outcome is Outcome.PASSED


def test_a_body_that_could_not_be_read_is_not_said_to_hold_no_data() -> None:
    found = verdict("expired", Received(401, INVALID, is_unread=True))

    assert (found.outcome, found.title) == (Outcome.PASSED, "Your server refused it")
    assert found.lead == "What is in the body could not be read."
    assert [finding.outcome for finding in found.findings] == [
        Outcome.PASSED,
        Outcome.PASSED,
        Outcome.NOT_CHECKED,
        Outcome.PASSED,
    ]


def test_a_server_that_refuses_the_good_twin_has_proved_nothing() -> None:
    found = verdict("expired", Received(401, INVALID), twin=Received(401, INVALID))

    assert (found.outcome, found.title) == (Outcome.NOT_CHECKED, "This says nothing yet")
    assert [(finding.outcome, finding.received) for finding in found.findings] == [(Outcome.FAILED, "401")]


def test_a_hidden_record_is_answered_as_this_server_answers_an_unknown_id() -> None:
    hidden = kinds()["patient-other"]

    assert judge_alone(hidden, Received(403), of_unknown_id=403).outcome is Outcome.PASSED
    assert judge_alone(hidden, Received(403)).outcome is Outcome.FAILED
