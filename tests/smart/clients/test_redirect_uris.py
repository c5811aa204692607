"""Redirect URIs: registration, comparison, the answer appended."""

from urllib.parse import parse_qs, urlsplit

import pytest

from smart.clients.redirect_uris import (
    error_redirect,
    is_registered,
    redirect_uri_problem,
    reserved_parameter_problem,
    success_redirect,
)
from smart.http.errors import InvalidRequest

ISS = "https://auth.example.org"


@pytest.mark.requirement("RG-02")
@pytest.mark.parametrize(
    ("uri", "native"),
    [
        ("https://app.example.org/cb", False),
        ("https://app.example.org:8443/cb?tenant=7", False),
        ("https://app.example.org:1/cb", False),
        ("https://app.example.org:65535/cb", False),
        ("https://app.example.org/" + "a" * 1976, False),
        (f"https://{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 61}/cb", False),
        ("https://app.example.org/cb", True),
        ("http://127.0.0.1/cb", True),
        ("http://127.0.0.1:4999/cb", True),
        ("http://[::1]:4999/cb", True),
        ("http://localhost:4999/cb", True),
        ("org.example.app:/cb", True),
    ],
)
def test_a_fit_redirect_uri_is_registrable(uri: str, native: bool) -> None:
    assert redirect_uri_problem(uri, native) is None


@pytest.mark.requirement("RG-01", "RG-02", "E7")
@pytest.mark.parametrize(
    ("uri", "native"),
    [
        ("https://app.example.org/cb#x", False),
        ("https://app.example.org/cb#", False),
        ("https://*.example.org/cb", False),
        ("https://app.example.org/*", False),
        ("https://user@app.example.org/cb", False),
        ("https://user:pw@app.example.org/cb", False),
        ("https://@app.example.org/cb", False),
        ("http://app.example.org/cb", False),
        ("http://app.example.org/cb", True),
        ("http://127.0.0.1:4999/cb", False),
        ("http://127.0.0.1.evil.example/cb", True),
        ("http://localhost.evil.example/cb", True),
        ("org.example.app:/cb", False),
        ("app:/cb", True),
        ("javascript:alert(1)", True),
        ("JavaScript:alert(1)", True),
        ("data:text/html,x", True),
        ("file:///etc/passwd", True),
        ("vbscript:x", True),
        ("https:///cb", False),
        ("https:cb", False),
        ("https://", False),
        ("https://[::1/cb", False),
        ("https://app.example.org:99999/cb", False),
        ("https://app.example.org/c b", False),
        ("https://app.example.org/cb\n", False),
        ("https://app.example.org\\@evil.example/cb", False),
        ("https://app.example.org/é", False),
        ("https://app.example.org/%zz", False),
        ("/cb", False),
        ("//app.example.org/cb", False),
        ("", False),
        ("https://app.example.org:0/cb", False),
        ("https://app.example.org:/cb", False),
        ("https://app.example.org:65536/cb", False),
        ("https://app.example.org/" + "a" * 1977, False),
        ("https://app,example.org/cb", False),
        (f"https://{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 62}/cb", False),
    ],
    ids=repr,
)
def test_an_unfit_redirect_uri_is_refused_with_a_reason(uri: str, native: bool) -> None:
    assert redirect_uri_problem(uri, native)


@pytest.mark.requirement("RG-02")
@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("https://app.example.org/cb#x", "a fragment is not allowed"),
        ("https://app.example.org/*", "a wildcard is not allowed"),
        ("http://app.example.org/cb", "http is allowed on loopback for native apps only"),
    ],
)
def test_the_reason_names_what_is_wrong(uri: str, reason: str) -> None:
    assert redirect_uri_problem(uri, True) == reason


def test_development_lets_web_clients_use_http_on_loopback_and_nowhere_else() -> None:
    assert redirect_uri_problem("http://127.0.0.1:8000/demo/callback", False, dev=True) is None
    assert redirect_uri_problem("http://app.example.org/cb", False, dev=True)


@pytest.mark.requirement("SB-02")
@pytest.mark.parametrize(
    ("query", "taken"),
    [
        *((f"?{name}=x", name) for name in ("code", "state", "iss", "error", "error_description", "error_uri")),
        ("?iss&own=1&code", "code and iss"),
        ("?state=", "state"),
    ],
)
def test_a_query_that_holds_what_we_append_is_refused(query: str, taken: str) -> None:
    said = f"its query has {taken} already, which we append"

    assert reserved_parameter_problem(f"https://app.example.org/cb{query}") == said


@pytest.mark.parametrize("uri", ["https://app.example.org/code", "https://app.example.org/cb?own=code&Code=1&codes"])
def test_any_other_query_may_stay(uri: str) -> None:
    assert reserved_parameter_problem(uri) is None
    assert reserved_parameter_problem(f"{uri}?launch=1&own=2", ("launch", "own")) is not None


@pytest.mark.requirement("E6", "AZ-05")
@pytest.mark.parametrize(
    ("uri", "known", "expected"),
    [
        ("http://127.0.0.1:51004/cb", "http://127.0.0.1/cb", True),
        ("http://127.0.0.1:51004/cb", "http://127.0.0.1:4999/cb", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:4999/cb", True),
        ("http://[::1]:51004/cb?a=1", "http://[::1]/cb?a=1", True),
        ("http://127.0.0.1:51004", "http://127.0.0.1", True),
        ("http://127.0.0.1:51004/other", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:51004/cb?x=1", "http://127.0.0.1/cb", False),
        ("http://localhost:51004/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:70000/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:0/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1/cb", True),
        ("http://127.0.0.1:65535/cb", "http://127.0.0.1/cb", True),
        ("http://127.0.0.1:65536/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:51004/cb", "org.example.app:/cb", False),
        ("http://127.0.0.1:/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:51004@evil.example/cb", "http://127.0.0.1/cb", False),
        ("https://127.0.0.1:51004/cb", "https://127.0.0.1/cb", False),
        ("https://app.example.org:444/cb", "https://app.example.org/cb", False),
        ("org.example.app:/cb", "org.example.app:/cb", True),
    ],
)
def test_only_the_port_of_a_native_apps_loopback_may_vary(uri: str, known: str, expected: bool) -> None:
    assert is_registered(uri, [known], native=True) is expected


@pytest.mark.requirement("E6")
def test_a_web_app_has_no_free_port() -> None:
    assert not is_registered("http://127.0.0.1:51004/cb", ["http://127.0.0.1/cb"], native=False)


@pytest.mark.requirement("AZ-16", "SB-02")
@pytest.mark.parametrize("state", ["plain", "a b+c%20&d=e#f", "é\u4e2d/\\\"'", "x" * 2000], ids=ascii)
@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.org/cb",
        "https://app.example.org/cb?own=1%2B1",
        "https://a.example/cb?x=X",
        "org.example.app:/cb?",
    ],
)
def test_the_answer_keeps_the_uris_own_query_and_the_exact_state(uri: str, state: str) -> None:
    location = success_redirect(uri, "c0de_-~", state, ISS)

    answer = parse_qs(urlsplit(location).query, strict_parsing=True)
    assert location.startswith(uri)
    assert answer["code"] == ["c0de_-~"]
    assert answer["state"] == [state]
    assert answer["iss"] == [ISS]
    assert answer.get("own", ["1+1"]) == ["1+1"]
    assert location.isascii()
    assert location.endswith("iss=https%3A%2F%2Fauth.example.org")
    assert "#" not in location


@pytest.mark.requirement("AZ-06", "SB-02", "E12")
def test_an_error_carries_code_description_state_and_issuer() -> None:
    error = InvalidRequest("aud is missing")

    answer = parse_qs(urlsplit(error_redirect("https://app.example.org/cb", error, "s1", ISS)).query)

    assert answer == {
        "error": ["invalid_request"], "error_description": ["aud is missing"], "state": ["s1"], "iss": [ISS]
    }  # fmt: skip


def test_an_error_without_state_names_none_and_with_an_explanation_says_where() -> None:
    location = error_redirect(
        "https://app.example.org/cb", InvalidRequest("state is missing"), "", ISS, f"{ISS}/explain/7"
    )

    answer = parse_qs(urlsplit(location).query, keep_blank_values=True)
    assert "state" not in answer
    assert answer["error_uri"] == [f"{ISS}/explain/7"]
