"""Which base URLs may be protected."""

import pytest

from smart.fhir.base_urls import base_url_problem


@pytest.mark.parametrize(
    "url",
    [
        "https://fhir.example.org/r4",
        "https://fhir.example.org/r4/",
        "https://fhir.example.org",
        "https://fhir.example.org:8443/a/b-c_d~e.f",
        "HTTPS://FHIR.Example.org/r4",
        "http://127.0.0.1:9000/fhir",
        "http://localhost/fhir",
        "http://[::1]:9000/fhir",
        "https://xn--bcher-kva.example/fhir",
        "https://fhir.example.org/%C3%A4",
        "https://fhir.example.org:1/r4",
        "https://fhir.example.org/" + "a" * 1975,
    ],
)
def test_an_absolute_https_url_or_loopback_is_fit(url: str) -> None:
    assert base_url_problem(url) == ""


@pytest.mark.requirement("DS-24")
@pytest.mark.parametrize("url", ["http://fhir.example.org/r4", "http://127.0.0.1.example.org/", "http://10.0.0.1/fhir"])
def test_http_is_for_loopback_only(url: str) -> None:
    assert "https" in base_url_problem(url)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        pytest.param("https://fhir.example.org/r4?x=1", "a query is not allowed", id="query"),
        pytest.param("https://fhir.example.org/r4?", "a query is not allowed", id="empty query"),
        pytest.param("https://fhir.example.org/r4#x", "a fragment is not allowed", id="fragment"),
        pytest.param("https://me@fhir.example.org/r4", "a user name is not allowed", id="user"),
        pytest.param("https://me:pw@fhir.example.org/r4", "a user name is not allowed", id="user and password"),
        pytest.param("https://@fhir.example.org/r4", "a user name is not allowed", id="empty user"),
        pytest.param("https://fhir.example.org/a//b", "its path has an empty part, . or ..", id="empty part"),
        pytest.param("https://fhir.example.org/r4//", "its path has an empty part, . or ..", id="two slashes"),
        pytest.param("https://fhir.example.org//r4", "its path has an empty part, . or ..", id="empty first part"),
        pytest.param("https://fhir.example.org/a/./b", "its path has an empty part, . or ..", id="dot"),
        pytest.param("https://fhir.example.org:/r4", "it must be https://host/path", id="colon without a port"),
        pytest.param("https://fhir.example.org/a/../b", "its path has an empty part, . or ..", id="dots"),
        pytest.param("https://fhir.example.org/r 4", "it has a character that no URL has", id="space"),
        pytest.param("https://fhir.example.org/r4\n", "it has a character that no URL has", id="line break"),
        pytest.param("https://fhir.example.org\\@evil.example/", "it has a character that no URL has", id="backslash"),
        pytest.param("https://bücher.example/fhir", "it has a character that no URL has", id="not ASCII"),
        pytest.param("https://fhir.example.org/%zz", "it has a character that no URL has", id="broken percent"),
        pytest.param("https://fhir.example.org/*", "it has a character that no URL has", id="wildcard"),
        pytest.param("fhir.example.org/r4", "it must be https://host/path", id="relative"),
        pytest.param("ftp://fhir.example.org/r4", "it must be https://host/path", id="other scheme"),
        pytest.param("https:///r4", "it must be https://host/path", id="no host"),
        pytest.param("https://fhir.example.org:0/r4", "it must be https://host/path", id="port 0"),
        pytest.param("https://fhir.example.org:99999/r4", "it is not a URL", id="port too high"),
        pytest.param("https://[::1/r4", "it is not a URL", id="broken address"),
        pytest.param("", "it has a character that no URL has", id="empty"),
        pytest.param(
            "https://fhir.example.org/" + "a" * 1976,
            "it is longer than 2000 characters",
            id="long",
        ),
    ],
)
def test_what_would_not_be_an_unmistakable_audience_is_unfit(url: str, problem: str) -> None:
    assert base_url_problem(url) == problem
