"""Where a token may stand in a request, and where it counts for nothing."""

from typing import Any

import pytest

from tests.fhir.conftest import BASE, METADATA, Introspection
from tests.fixture_types import Fetch

pytestmark = pytest.mark.usefixtures("records")
TOKEN = "a.good-token"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.requirement("TV-01", "TV-02", "ON-03")
@pytest.mark.parametrize("path", ["Patient/amy", "Patient/unknown", "Observation", "Unheard/of", "no/such/path", ""])
def test_without_a_token_every_path_is_the_same_challenge(
    fetch: Fetch, introspection: Introspection, path: str
) -> None:
    answer = fetch(path, token=None)

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == f'Bearer realm="{BASE}", {METADATA}'
    assert answer.alike == fetch("Patient/amy", token=None).alike
    assert introspection.asked == []


@pytest.mark.requirement("TV-18")
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_read_in_any_case(fetch: Fetch, introspection: Introspection, scheme: str) -> None:
    introspection.knows("patient/Patient.r", patient="amy")

    answer = fetch("Patient/amy", token=None, HTTP_AUTHORIZATION=f"{scheme} {TOKEN}")

    assert answer.status == 200
    assert introspection.asked[0]["token"] == TOKEN


@pytest.mark.requirement("TV-18", "SD-27")
@pytest.mark.parametrize(
    ("header", "error"),
    [
        pytest.param(f"Bearer {TOKEN}, Bearer {TOKEN}", True, id="two headers, joined with a space"),
        pytest.param(f"Bearer {TOKEN},Bearer other", True, id="two headers, joined"),
        pytest.param("Bearer", True, id="scheme alone"),
        pytest.param("Bearer  ", True, id="blank token"),
        pytest.param("Bearer a b", True, id="a space in the token"),
        pytest.param("Bearer t\u00f6ken", True, id="not ASCII"),
        pytest.param('Bearer "quoted"', True, id="quoted"),
        pytest.param("Bearer " + "a" * 20_000, True, id="overlong"),
        pytest.param("Basic YTpi", False, id="basic"),
        pytest.param(f"DPoP {TOKEN}", False, id="another scheme"),
        pytest.param(TOKEN, False, id="no scheme"),
    ],
)
def test_what_is_no_single_bearer_token_is_refused_unasked(
    fetch: Fetch, introspection: Introspection, header: str, error: bool
) -> None:
    introspection.knows("patient/*.rs", patient="amy")

    answer = fetch("Patient/amy", token=None, HTTP_AUTHORIZATION=header)

    assert answer.status == 401
    assert ('error="invalid_token"' in answer.headers["WWW-Authenticate"]) is error
    assert introspection.asked == []


@pytest.mark.requirement("TV-17", "AT-05")
def test_a_token_in_the_query_is_ignored(fetch: Fetch, introspection: Introspection) -> None:
    introspection.knows("patient/*.rs", patient="amy")

    answer = fetch(f"Patient/amy?access_token={TOKEN}", token=None)

    assert answer.status == 401
    assert "error=" not in answer.headers["WWW-Authenticate"]
    assert introspection.asked == []


@pytest.mark.requirement("TV-17", "TV-18", "AT-05")
def test_a_token_in_the_form_lets_nobody_in(fetch: Fetch, introspection: Introspection) -> None:
    introspection.knows("patient/*.rs", patient="amy")
    form: dict[str, Any] = {"method": "POST", "data": f"access_token={TOKEN}".encode(), "content_type": FORM}

    beside = fetch("Observation/_search", **form)
    assert fetch("Observation/_search", token=None, **form).status == 401
    assert beside.status == 400
    assert beside.headers["WWW-Authenticate"] == f'Bearer realm="{BASE}", error="invalid_request"'


@pytest.mark.requirement("TV-27", "SR-15")
def test_no_answer_repeats_the_token(fetch: Fetch, introspection: Introspection) -> None:
    introspection.knows("patient/Observation.s", patient="amy")

    paths = ("Patient/amy", f"Observation?access_token={TOKEN}", f"Observation?code={TOKEN}x")
    answers = [fetch(path) for path in (*paths, f"Observation/{TOKEN}", TOKEN)]

    assert [answer.status for answer in answers] == [403, 400, 200, 403, 404]
    assert [answer for answer in answers if TOKEN in answer.text.replace(f"{TOKEN}x", "")] == []
