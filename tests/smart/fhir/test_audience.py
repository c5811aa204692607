"""Which FHIR base is meant."""

import pytest

from smart.fhir.audience import canonical_url, is_same_audience, requested_base
from smart.http.errors import InvalidRequest, InvalidTarget, OAuthError

BASE = "https://auth.example.org/fhir/r4"


@pytest.mark.requirement("AZ-08", "TV-23", "WF-09")
@pytest.mark.parametrize(
    "url", [BASE, BASE + "/", "HTTPS://auth.example.org/fhir/r4", "https://AUTH.Example.ORG/fhir/r4/"]
)
def test_case_of_scheme_and_host_and_one_final_slash_do_not_count(url: str) -> None:
    assert is_same_audience(url, BASE)
    assert canonical_url(url) == BASE


@pytest.mark.requirement("AZ-08", "TV-23", "E19")
@pytest.mark.parametrize(
    "url",
    [
        BASE + "//",
        BASE + "-other",
        BASE + "/Patient",
        "https://auth.example.org/fhir",
        "https://auth.example.org/FHIR/r4",
        "http://auth.example.org/fhir/r4",
        "https://auth.example.org:443/fhir/r4",
        "https://auth.example.org.evil/fhir/r4",
        BASE + "?x=1",
        BASE + "#",
        " " + BASE,
        BASE + "\n",
        "https://a@auth.example.org/fhir/r4",
        "//auth.example.org/fhir/r4",
        "https:/auth.example.org/fhir/r4",
        "https://auth.example.org/fhir/%72%34",
        "https://[",
        "",
        "/",
    ],
    ids=repr,
)
def test_everything_else_counts(url: str) -> None:
    assert not is_same_audience(url, BASE)


def test_a_base_without_a_path_is_a_base() -> None:
    assert is_same_audience("https://fhir.example.org/", "https://FHIR.example.org")


BASES = {"https://fhir.example/r4", "https://fhir.example/stu3"}


@pytest.mark.requirement("AZ-08", "AZ-09")
@pytest.mark.parametrize(
    ("aud", "resource", "base"),
    [
        ("", "", ""),
        ("https://FHIR.example/r4/", "", "https://fhir.example/r4"),
        ("", "https://fhir.example/stu3", "https://fhir.example/stu3"),
        ("https://fhir.example/r4", "https://fhir.example/r4/", "https://fhir.example/r4"),
    ],
)
def test_aud_and_resource_name_one_base_in_reach(aud: str, resource: str, base: str) -> None:
    assert requested_base(aud, resource, BASES) == base


@pytest.mark.requirement("AZ-08", "AZ-09")
@pytest.mark.parametrize(
    ("aud", "resource", "error", "description"),
    [
        ("https://evil.example/r4", "", InvalidRequest, "aud is not"),
        ("https://fhir.example/r4", "https://evil.example/r4", InvalidTarget, "resource is not"),
        ("https://evil.example/r4", "https://fhir.example/r4", InvalidRequest, "aud is not"),
        ("https://fhir.example/r4", "https://fhir.example/stu3", InvalidRequest, "must agree"),
    ],
)
def test_a_base_out_of_reach_or_two_bases_are_refused(
    aud: str, resource: str, error: type[OAuthError], description: str
) -> None:
    with pytest.raises(error, match=description):
        requested_base(aud, resource, BASES)
