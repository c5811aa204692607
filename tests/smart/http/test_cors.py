"""Which origins may read an answer."""

import pytest

from smart.http.cors import FHIR_METHODS, Cors, cors_headers, is_preflight, origin_of, origins

APP = "https://app.example.org"
REGISTERED = frozenset({APP})


@pytest.mark.requirement("CO-01", "DS-03")
@pytest.mark.parametrize("origin", ["", APP, "https://evil.example", "null"])
def test_a_public_document_is_for_any_origin(origin: str) -> None:
    answer = cors_headers(Cors.ANY, origin, methods=("GET",))
    preflight = cors_headers(Cors.ANY, origin, methods=("GET",), preflight=True)

    assert answer["Access-Control-Allow-Origin"] == preflight["Access-Control-Allow-Origin"] == "*"
    assert (preflight["Access-Control-Allow-Methods"], preflight["Access-Control-Max-Age"]) == ("GET", "600")


@pytest.mark.requirement("CO-02", "CO-04", "CO-05")
def test_a_registered_origin_may_read_answers_and_what_they_expose() -> None:
    answer = cors_headers(Cors.REGISTERED, APP, REGISTERED)

    assert answer["Access-Control-Allow-Origin"] == APP
    assert answer["Vary"] == "Origin"
    assert {"WWW-Authenticate", "Retry-After", "ETag", "Location", "X-Request-Id"} <= set(
        answer["Access-Control-Expose-Headers"].split(", ")
    )


@pytest.mark.requirement("CO-03")
def test_a_preflight_names_the_methods_and_headers_that_are_used() -> None:
    answer = cors_headers(Cors.REGISTERED, APP, REGISTERED, methods=FHIR_METHODS, preflight=True)

    assert answer["Access-Control-Allow-Methods"] == "GET, POST, PUT, PATCH, DELETE"
    assert {"Authorization", "Content-Type", "If-Match", "X-Request-Id"} <= set(
        answer["Access-Control-Allow-Headers"].split(", ")
    )


@pytest.mark.requirement("CO-02", "CO-07")
@pytest.mark.parametrize("preflight", [True, False])
@pytest.mark.parametrize(
    "origin", ["", "null", "https://evil.example", "http://app.example.org", APP + ":8443", APP + "/", "*", APP.upper()]
)
def test_another_origin_may_not_read(origin: str, preflight: bool) -> None:
    answer = cors_headers(Cors.REGISTERED, origin, REGISTERED, preflight=preflight)

    assert answer == {"Vary": "Origin"}


@pytest.mark.requirement("CO-02")
def test_no_origin_is_nobodys_whatever_is_registered() -> None:
    assert cors_headers(Cors.REGISTERED, "", {"", APP}) == {"Vary": "Origin"}


@pytest.mark.requirement("CO-06", "CO-08")
def test_a_page_is_for_no_origin() -> None:
    assert cors_headers(Cors.NONE, APP, REGISTERED, preflight=True) == {}


@pytest.mark.requirement("CO-07")
@pytest.mark.parametrize("rule", list(Cors))
@pytest.mark.parametrize("preflight", [True, False])
def test_credentials_are_never_allowed(rule: Cors, preflight: bool) -> None:
    assert "Access-Control-Allow-Credentials" not in cors_headers(rule, APP, REGISTERED, preflight=preflight)


@pytest.mark.requirement("CO-02")
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://App.example.org/cb?x=1", "https://app.example.org"),
        ("https://app.example.org:443/cb", "https://app.example.org"),
        ("https://app.example.org:8443/cb", "https://app.example.org:8443"),
        ("http://127.0.0.1:4999/cb", "http://127.0.0.1:4999"),
        ("http://[::1]:4999/cb", "http://[::1]:4999"),
        ("org.example.app:/cb", ""),
        ("javascript:x", ""),
        ("https://[", ""),
        ("https://h:99999/", ""),
        ("https:///cb", ""),
        ("ftp://app.example.org/cb", ""),
        ("", ""),
    ],
)
def test_the_origin_of_a_redirect_uri(url: str, expected: str) -> None:
    assert origin_of(url) == expected


def test_own_schemes_have_no_origin_to_allow() -> None:
    assert (
        origins(["https://app.example.org/cb", "org.example.app:/cb", "https://app.example.org/launch"]) == REGISTERED
    )


def test_a_preflight_is_told_from_a_plain_options() -> None:
    assert is_preflight("OPTIONS", APP, "POST")
    assert not is_preflight("OPTIONS", APP, "")
    assert not is_preflight("OPTIONS", "", "POST")
    assert not is_preflight("POST", APP, "POST")
