"""Addresses that a server told: nothing is sent to one that leads out of the base."""

import pytest

from smartauth_probe.requests import Presentation
from smartauth_probe.target.client import Client

pytestmark = pytest.mark.one_engine
BASE = "http://h/tenant-a/fhir"


@pytest.mark.requirement("TV-33")
@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://[",
        "http://elsewhere/tenant-a/fhir/Patient",
        "//elsewhere/tenant-a/fhir/Patient",
        "http://h@elsewhere/tenant-a/fhir/Patient",
        "http://h:81/tenant-a/fhir/Patient",
        "https://h/tenant-a/fhir/Patient",
        "/tenant-a/fhirsecret/x",
        "http://h/tenant-a/fhirsecret/x",
        "http://h/tenant-b/fhir/Patient",
        "http://h/tenant-a/fhir/../../tenant-b/fhir/Patient",
        "http://h/tenant-a/fhir/%2e%2E/%2E./tenant-b/fhir/Patient",
        "http://h/tenant-a/fhir/..;/..;x=y/tenant-b/fhir/Patient",
        "http://h/tenant-a/fhir/..%2f..%2ftenant-b/fhir/Patient",
        "http://h/tenant-a/fhir/..\\..\\tenant-b\\fhir\\Patient",
        "http://h/tenant-a/fhir/%252e%252e/Patient",
        "http://h/tenant-a/fhir/./Patient",
        "http://h/tenant-a/fhir/..",
        "../../tenant-b/fhir/Patient",
        "..;/..;/tenant-b/fhir/Patient",
    ],
)
def test_an_address_that_leads_out_of_the_base_is_none(url: str) -> None:
    assert Client(BASE).below_base(url) is None


@pytest.mark.parametrize(
    ("url", "path", "query"),
    [
        (f"{BASE}?_getpages=1&_offset=2", "", "_getpages=1&_offset=2"),
        (f"{BASE}/Patient?page=../..", "Patient", "page=../.."),
        ("Patient/1.2.3", "Patient/1.2.3", ""),
        ("?page=2", "", "page=2"),
        ("/tenant-a/fhir/export/1", "export/1", ""),
    ],
)
def test_one_below_the_base_is_a_request(url: str, path: str, query: str) -> None:
    assert Client(BASE).below_base(url) == Presentation(path, query=query)


def test_a_base_without_a_path_has_everything_of_its_host_below_it() -> None:
    assert Client("http://h").below_base("http://h/Patient/1") == Presentation("Patient/1")
    assert Client("http://h").below_base("http://h/../Patient/1") is None
