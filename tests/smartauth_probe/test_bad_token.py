"""A test of somebody's own server says what is wrong with its answer, why, and how to mend it."""

from http.client import HTTPMessage
from typing import Any

import flask
import httpx
import pytest
from django.http import HttpResponse

from smartauth_probe.bad_token import BadToken
from smartauth_probe.catalogue import kinds
from smartauth_probe.raw_http import Response
from smartauth_probe.requests import presentation

pytestmark = pytest.mark.one_engine
TOKEN = "header.payload.signature"
INVALID = 'Bearer error="invalid_token"'
PATIENT = b'{"resourceType": "Patient", "id": "amy"}'


def bad(kind: str) -> BadToken:
    return BadToken(kinds()[kind], TOKEN, "http://127.0.0.1/fhir", presentation(kind, TOKEN, "amy"))


def answer(status: int, challenge: str = "", body: bytes = b"") -> Response:
    headers = HTTPMessage()
    if challenge:
        headers["WWW-Authenticate"] = challenge
    return Response(status, headers, body)


def by_urllib() -> Any:
    """It has `status` in place of `status_code`, and a body that was not read."""
    message = HTTPMessage()
    message["WWW-Authenticate"] = INVALID
    return type("Answer", (), {"status": 401, "headers": message})()


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(answer(401, INVALID), id="raw"),
        pytest.param(httpx.Response(401, headers={"www-authenticate": INVALID}), id="httpx"),
        pytest.param(HttpResponse("{}", status=401, headers={"WWW-Authenticate": INVALID}), id="Django"),
        pytest.param(flask.Response("{}", 401, {"WWW-Authenticate": INVALID}), id="Flask"),
        pytest.param(by_urllib(), id="urllib"),
    ],
)
def test_a_refusal_as_it_must_be_passes_whatever_client_got_it(response: Any) -> None:
    bad("expired").assert_right_answer(response)


def test_a_good_twin_that_is_let_in_passes() -> None:
    bad("good-v2-scopes").assert_right_answer(answer(200, body=PATIENT))


def test_a_bad_token_that_is_let_in_fails_with_all_that_helps() -> None:
    with pytest.raises(AssertionError) as failure:
        bad("aud-longer").assert_right_answer(answer(200, body=PATIENT))

    kind = kinds()["aud-longer"]
    assert str(failure.value).splitlines() == [
        "aud-longer (XT-922): Your server let it in. It must not.",
        "  The status must be 401: expected 401, received 200",
        "  The answer must hold no data of a patient: expected an OperationOutcome or nothing, received Patient/amy",
        f"  The token: {kind.wrong}",
        "  It fools: servers that verify JWTs themselves, and servers that introspect",
        f"  Source: {kind.source}",
        f"  Why: {kind.remedy.why}",
        f"  To mend it: {kind.remedy.fix}",
    ]


@pytest.mark.parametrize(
    ("kind", "response", "says"),
    [
        ("expired", answer(401), "WWW-Authenticate must say what is wrong"),
        ("expired", answer(500), "Your server answered 500"),
        ("expired", answer(401, INVALID, PATIENT), "no data of a patient"),
        ("expired", answer(401, INVALID, TOKEN.encode()), "the answer repeats the token"),
        ("good-v1-scopes", answer(403), "Your server refused a good token"),
        ("patient-other", answer(403), "Your server answered 403"),
    ],
)
def test_another_answer_fails(kind: str, response: Response, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        bad(kind).assert_right_answer(response)


@pytest.mark.parametrize("kind", ["expired-just-now", "typ-jwt"])
def test_what_a_server_may_decide_by_policy_passes(kind: str) -> None:
    bad(kind).assert_right_answer(answer(200, body=PATIENT))


def test_a_hidden_record_is_answered_as_an_id_that_never_existed() -> None:
    bad("patient-other").assert_right_answer(answer(403), of_unknown_id=403)
