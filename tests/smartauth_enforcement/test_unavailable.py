"""A smartauth that does not answer, or answers what cannot be right: nothing is let through."""

import gzip
import json
from typing import Any

import pytest

from smartauth_enforcement.outages import Outages
from tests.smartauth_enforcement.conftest import AMY, MANY, ONE, YES, FhirServer, Protect, Said, Send, Smartauth, view

pytestmark = [pytest.mark.one_engine, pytest.mark.requirement("TV-15")]
BODY = json.dumps(YES).encode()


def without(name: str) -> dict[str, Any]:
    """A view that lacks a member."""
    found = view(AMY)
    del found["context"][name]
    return found


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"decision": "true"}, id="decision as text"),
        pytest.param({"decision": 1}, id="decision as a number"),
        pytest.param({"decision": None}, id="decision as nothing"),
        pytest.param({}, id="no decision"),
        pytest.param([YES], id="an array"),
        pytest.param({"decision": True, "context": []}, id="context as an array"),
        pytest.param({"decision": False}, id="a refusal without a status"),
        pytest.param({"decision": False, "context": {"http": {"status": 200}, "outcome": {}}}, id="a refusal with 200"),
        pytest.param(without("view"), id="conditions without a view"),
        pytest.param(without("sets"), id="no sets"),
        pytest.param(without("hide"), id="nothing to hide with"),
        pytest.param(without("elements"), id="no elements"),
        pytest.param(view({"who": {"compartments": ["Patient/amy"]}}), id="no where"),
        pytest.param(view({"where": []}), id="no who"),
        pytest.param(view({**AMY, "until": "noon"}), id="a condition that is not known"),
        pytest.param(view({"who": "some", "where": []}), id="who as another text"),
        pytest.param(view({"who": {"compartments_of": "$user"}, "where": []}), id="a set that is missing"),
        pytest.param(view({"who": {"compartments": ["Group/g"]}, "where": []}), id="another compartment"),
        pytest.param(view({"who": "all", "where": [{"name": "category", "values": []}]}), id="no value"),
        pytest.param(view(AMY, obligations=[{"id": "log"}]), id="obligations"),
        pytest.param({"decision": True, "context": {"obligations": [{"id": "log"}]}}, id="obligations alone"),
        pytest.param(Said(500, BODY), id="500"),
        pytest.param(Said(401, BODY), id="401"),
        pytest.param(Said(204, b""), id="204"),
        pytest.param(Said(307, BODY, {"Location": "/elsewhere"}), id="a redirect"),
        pytest.param(Said(200, BODY, {"Content-Type": "text/html"}), id="HTML"),
        pytest.param(Said(200, gzip.compress(BODY), {"Content-Encoding": "gzip"}), id="compressed"),
        pytest.param(Said(200, b""), id="nothing"),
        pytest.param(Said(200, BODY[:-1]), id="half of it"),
        pytest.param(Said(200, BODY + b"<!-- 1 -->"), id="something behind it"),
        pytest.param(Said(200, b'{"decision": false, "decision": true}'), id="decision twice"),
        pytest.param(Said(200, b'{"decision": true, "x": NaN}'), id="NaN"),
        pytest.param(Said(200, b'{"decision": true, "x": "\xff"}'), id="not UTF-8"),
        pytest.param(Said(200, b'{"decision": true, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"), id="deep"),
        pytest.param(Said(200, b" " * 1_000_001 + BODY), id="long"),
    ],
)
def test_what_cannot_be_right_is_503(send: Send, smartauth: Smartauth, fhir: FhirServer, said: Any) -> None:
    smartauth.says[ONE] = said

    answer = send("GET", "Observation/o")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json()["issue"][0]["code"] == "transient"
    assert fhir.asked == []


@pytest.mark.parametrize(
    "said",
    [
        {"evaluations": []},
        {"evaluations": [{"decision": "true"}]},
        {"evaluations": [{}]},
        {},
        Said(500),
        Said(200, b""),
    ],
)
def test_an_answer_that_nobody_judges_is_not_shown(send: Send, smartauth: Smartauth, said: Any) -> None:
    smartauth.says |= {ONE: view(AMY), MANY: said}

    answer = send("GET", "Observation/o")

    assert answer.status_code == 503
    assert "amy" not in answer.text


@pytest.mark.parametrize("status", [400, 413])
def test_a_question_that_smartauth_does_not_take_is_the_apps_fault(
    send: Send, smartauth: Smartauth, fhir: FhirServer, status: int
) -> None:
    smartauth.says[ONE] = Said(status, b'{"error": "invalid_request"}')

    assert send("GET", "Observation/o").status_code == 400
    assert fhir.asked == []


def test_the_time_is_that_of_the_whole_answer(protect: Protect, smartauth: Smartauth) -> None:
    """The server rests for half a minute, whatever the machine does meanwhile."""
    smartauth.says[ONE] = Said(200, BODY, rest=30)

    assert protect(seconds=0.5)("GET", "Observation/o").status_code == 503


def test_nobody_listens(protect: Protect, fhir: FhirServer) -> None:
    assert protect(smartauth="http://127.0.0.1:9")("GET", "Observation/o").status_code == 503
    assert fhir.asked == []


def test_a_broken_connection_is_tried_once_more(send: Send, smartauth: Smartauth) -> None:
    smartauth.breaks = 1
    assert send("GET", "Observation/o").status_code == 200

    smartauth.breaks = 2
    assert send("GET", "Observation/o").status_code == 503
    assert smartauth.breaks == 0


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Said(401, b"{}"), "401, it does not know the client me by this secret"),
        (Said(500, b"<p>", {"Content-Type": "text/html"}), "500 as text/html"),
        (Said(200, b""), "the answer is no JSON"),
        ({"decision": 1}, "decision is neither true nor false"),
    ],
    ids=["the secret", "a status", "no JSON", "no decision"],
)
def test_the_log_of_the_server_says_why_and_repeats_nothing_of_the_request(
    protect: Protect, smartauth: Smartauth, caplog: pytest.LogCaptureFixture, said: Any, reason: str
) -> None:
    smartauth.says[ONE] = said
    send = protect(client_id="me", client_secret="a-secret")

    for _ in range(3):
        send("GET", "Observation/o?code=x", token="a-token")

    (told,) = (each for each in caplog.records if each.name == "smartauth_enforcement")
    assert told.levelname == "WARNING"
    assert told.getMessage().startswith("requests are answered with 503: smartauth at 127.0.0.1:")
    assert told.getMessage().endswith(f" decided nothing: {reason}")
    assert not any(word in told.getMessage() for word in ("a-token", "a-secret", "Observation", "code"))


@pytest.mark.parametrize("where", ["metadata", ".well-known/smart-configuration"])
def test_the_log_says_that_nobody_listens_where_that_is_asked(
    protect: Protect, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    protect(smartauth="http://me:a-secret@127.0.0.1:9")("GET", where)

    told = [each.getMessage() for each in caplog.records if each.name == "smartauth_enforcement"]
    assert [each.partition(" decided")[0] for each in told] == (
        [] if where == "metadata" else ["requests are answered with 503: smartauth at 127.0.0.1:9"]
    )


def test_an_outage_is_told_again_after_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    times = iter([0.0, 1.0, 10.9, 11.0, 12.0])
    outages = Outages("https://auth.example.org", lambda: next(times))

    for reason in ("first", "second", "third", "fourth"):
        outages.tell(reason)

    assert [each.getMessage().rpartition(" ")[2] for each in caplog.records] == ["first", "third"]


def test_questions_share_a_connection(send: Send, smartauth: Smartauth) -> None:
    for _ in range(3):
        assert send("GET", "Observation/o").status_code == 200

    assert (len(smartauth.asked), smartauth.connections) == (3, 1)
