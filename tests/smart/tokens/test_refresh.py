"""The rules of refreshing, without a server."""

import pytest

from smart.fhir.versions import resource_types
from smart.http.errors import InvalidScope
from smart.tokens.refresh import (
    ANY_TIME,
    absolute_seconds,
    expires_at,
    is_in_grace,
    narrowed_scope,
    possible_ends,
    refresh_scope,
    text_of,
)

R4 = resource_types("r4")
SECOND, DAY = 1_000_000, 86_400
GRANTED = "launch/patient offline_access patient/*.rs patient/Observation.cruds"
LAB = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"


def narrow(requested: str, *, held: str = GRANTED, asked: str = "") -> str:
    return narrowed_scope(requested, held, granted_scope=GRANTED, requested_scope=asked, types=R4)


@pytest.mark.requirement("CG-07", "SCP-17")
@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("patient/*.rs offline_access", "offline_access"),
        ("online_access patient/*.rs", "online_access"),
        ("online_access offline_access", "offline_access"),
        ("patient/*.rs launch/patient", ""),
        ("patient/*.rs offline_access2", ""),
        ("", ""),
    ],
)
def test_only_two_scopes_let_an_app_refresh(scope: str, expected: str) -> None:
    assert refresh_scope(scope) == expected


@pytest.mark.requirement("RF-02", "E91")
@pytest.mark.parametrize(
    ("requested", "given"),
    [
        pytest.param("", GRANTED, id="nothing asked: everything"),
        pytest.param(GRANTED, GRANTED, id="everything asked"),
        pytest.param("patient/Patient.rs", "patient/Patient.rs", id="one type"),
        pytest.param("patient/*.read", "patient/*.read", id="v1 for the same"),
        pytest.param("patient/Observation.s patient/Observation.s", "patient/Observation.s", id="twice"),
        pytest.param(f"patient/Observation.rs?category={LAB}", f"patient/Observation.rs?category={LAB}", id="granular"),
    ],
)
def test_a_refresh_may_ask_for_the_same_or_less(requested: str, given: str) -> None:
    assert narrow(requested) == given


@pytest.mark.requirement("RF-02", "E91")
@pytest.mark.parametrize(
    "requested",
    [
        pytest.param("patient/*.cruds", id="more letters"),
        pytest.param("patient/*.*", id="v1 respelling that widens"),
        pytest.param("patient/*.write", id="v1 write"),
        pytest.param("user/Patient.rs", id="another context"),
        pytest.param("openid", id="another plain scope"),
        pytest.param("patient/Patient.rs patient/Patient.u", id="one good, one wider"),
        pytest.param("nonsense", id="unknown"),
        pytest.param('patient/*.rs"', id="illegal character"),
        pytest.param(" ", id="only a space"),
    ],
)
def test_a_refresh_may_not_ask_for_more(requested: str) -> None:
    with pytest.raises(InvalidScope):
        narrow(requested)


@pytest.mark.requirement("E91")
@pytest.mark.parametrize(
    ("requested", "held", "words", "allowed"),
    [
        ("user/*.rs", GRANTED, "scope asks for more than was granted", GRANTED),
        ("patient/Patient.rs", "launch/patient", "none of these scopes was granted", "launch/patient"),
    ],
)
def test_an_app_hears_why_its_refresh_gets_nothing(requested: str, held: str, words: str, allowed: str) -> None:
    with pytest.raises(InvalidScope) as refused:
        narrow(requested, held=held)

    assert refused.value.description == words
    assert refused.value.why == {"rule": "RF-02", "case": "E91", "presented": requested, "expected": allowed}


@pytest.mark.requirement("WF-11")
def test_what_was_asked_and_not_granted_is_left_out() -> None:
    asked = "launch/patient offline_access patient/*.rs patient/*.cruds user/*.rs"

    assert narrow("user/*.rs patient/Patient.rs", asked=asked) == "patient/Patient.rs"
    with pytest.raises(InvalidScope):
        narrow("user/Patient.rs patient/Patient.rs", asked=asked)
    with pytest.raises(InvalidScope):
        narrow("user/*.rs", asked=asked)


@pytest.mark.requirement("WF-11", "RF-02")
def test_what_was_granted_only_in_part_is_given_in_that_part() -> None:
    given = narrowed_scope(
        "patient/*.rs",
        "patient/Observation.rs?category=x offline_access",
        granted_scope="patient/Observation.rs?category=x offline_access",
        requested_scope="patient/*.rs offline_access",
        types=R4,
    )

    assert given == "patient/Observation.rs?category=x"


@pytest.mark.requirement("SCP-10", "RF-02")
@pytest.mark.parametrize(
    "restriction",
    [
        pytest.param("status=http://x.example/s|a", id="an unknown parameter"),
        pytest.param("code=a|b%20patient/*.cruds", id="a blank, encoded"),
        pytest.param("code=a|%5C,patient/*.*", id="a comma, escaped"),
    ],
)
def test_a_restriction_that_cannot_be_evaluated_is_not_given_at_a_refresh_either(restriction: str) -> None:
    scope = f"patient/Observation.rs?{restriction}"

    assert narrow(f"patient/Patient.rs {scope}") == "patient/Patient.rs"
    with pytest.raises(InvalidScope):
        narrow(scope)


@pytest.mark.requirement("RF-11")
def test_what_the_client_lost_since_then_is_left_out_and_not_refused() -> None:
    assert narrow("patient/*.rs patient/Observation.cruds", held="offline_access patient/*.rs") == (
        "patient/*.rs patient/Observation.rs"
    )


@pytest.mark.requirement("RF-07", "RF-08")
def test_each_refresh_starts_a_new_period_within_the_absolute_limit() -> None:
    now, launched = 100 * DAY * SECOND, 30 * DAY * SECOND

    assert expires_at(now, launched, idle=92 * DAY, absolute=0) == now + 92 * DAY * SECOND
    assert expires_at(now, launched, idle=92 * DAY, absolute=92 * DAY) == launched + 92 * DAY * SECOND
    assert expires_at(now, launched, idle=5 * DAY, absolute=92 * DAY) == now + 5 * DAY * SECOND
    assert expires_at(now, launched, idle=92 * DAY, absolute=0, session_ends_at=now + 7) == now + 7


@pytest.mark.parametrize("end", [0, 1, DAY * SECOND - 1])
def test_the_text_of_a_token_tells_on_which_day_it_expires(end: int) -> None:
    midnight = 20_700 * DAY * SECOND

    token = text_of("drawn_-at-random", midnight + end)

    assert token == "drawn_-at-random.20700"
    assert possible_ends(token) == (midnight, midnight + DAY * SECOND - 1)


@pytest.mark.parametrize(
    "token",
    ["", "drawn", "drawn.", ".20700", "drawn.2070", "drawn.207000", "drawn.02070", "a.b.20700", "drawn.20700\n",
     "drawn.２０７００", "drawn.-2070"],
)  # fmt: skip
def test_a_token_whose_text_tells_no_day_may_expire_at_any_time(token: str) -> None:
    assert possible_ends(token) == ANY_TIME


@pytest.mark.requirement("RF-07")
@pytest.mark.parametrize(
    ("client", "keeps_secrets", "limit"),
    [
        pytest.param(0, True, 0, id="confidential or native"),
        pytest.param(0, False, 92 * DAY, id="public in a browser"),
        pytest.param(60, True, 60, id="confidential, set by the operator"),
        pytest.param(200 * DAY, False, 200 * DAY, id="public, set by the operator"),
    ],
)
def test_only_a_public_app_in_a_browser_has_an_absolute_limit_by_default(
    client: int, keeps_secrets: bool, limit: int
) -> None:
    assert absolute_seconds(client, 92 * DAY, keeps_secrets=keeps_secrets) == limit


@pytest.mark.requirement("RF-05")
@pytest.mark.parametrize(
    ("seconds", "later", "open_"),
    [(10, 0, True), (10, 9, True), (10, 10, False), (0, 0, False)],
)
def test_the_grace_window_is_open_for_as_long_as_configured(seconds: int, later: int, open_: bool) -> None:
    assert is_in_grace(later * SECOND, 0, seconds) is open_


@pytest.mark.requirement("RF-05")
@pytest.mark.parametrize(("ahead", "open_"), [(5, True), (6, False)])
def test_no_grace_for_what_a_clock_that_was_ahead_has_used(ahead: int, open_: bool) -> None:
    assert is_in_grace(0, ahead * SECOND, 10) is open_
