"""Which references of what would be stored some server may read as any patient, and which it cannot."""

from typing import Any

import pytest

from smart.decisions.stored_references import may_name_any_patient

BASE = "https://fhir.example.org/r4"


@pytest.mark.requirement("WR-03", "BT-05")
@pytest.mark.parametrize(
    "reference",
    [
        "Patient?identifier=1", "Practitioner?name=x", f"{BASE}/Patient?identifier=1", "/Patient?identifier=1",
        "https://elsewhere.example.org/fhir/Patient?identifier=1", "urn:x/Patient?identifier=1",
        "urn:uuid:1/Patient?identifier=1", "a:/Patient?identifier=1", "#/Patient?identifier=1", "#x?identifier=1",
        "https://elsewhere.example.org/Patient%3Fidentifier=1", "Patient%3fidentifier=1",
    ],
)  # fmt: skip
def test_a_search_names_the_one_that_a_server_finds_by_it_whatever_stands_before_it(reference: str) -> None:
    """HAPI FHIR cuts off everything before the type, also another host."""
    assert may_name_any_patient({"reference": reference}, BASE)
    assert may_name_any_patient(reference, BASE)


@pytest.mark.requirement("WR-03")
@pytest.mark.parametrize(
    "reference",
    [
        "a:/Patient/B", "a:b/Patient/B", "http:/Patient/B", "http:Patient/B", "http:///Patient/B", "ftp://x/Patient/B",
        "urn:x/Patient/B", "urn:uuid:1/Patient/B", "urn:oid:1.2/Patient/B", "#/Patient/B", "URN:OID:1.2",
        "https://elsewhere.example.org", "https://a@elsewhere.example.org/Patient/B", "https://[::x]/Patient/B",
        "https://elsewhere.example.org/a b", "https://elsewhere.example.org\\@fhir.example.org/r4/Patient/B",
        "https://fhir%2eexample.org/r4/Patient/B", "https://fhir.ex\u1d43mple.org/r4/Patient/B", "https://[1.2]/Patient/B",
    ],
)  # fmt: skip
def test_what_names_no_host_by_http_names_somebody_here(reference: str) -> None:
    """HAPI FHIR reads `a:/Patient/B` as a patient of its own."""
    assert may_name_any_patient({"reference": reference}, BASE)


@pytest.mark.requirement("WR-03")
@pytest.mark.parametrize(
    "reference",
    [
        f"{BASE}", f"{BASE}/Patient/B_1", f"{BASE.upper()}/Patient/B", f"{BASE}//Patient/B", f"{BASE}/x/../Patient/B",
        "https://fhir.example.org/R4/Patient/B", "http://fhir.example.org/r4/Patient/B",
        "https://fhir.example.org:8443/r4/Patient/B", "https://fhir.example.org./r4/Patient/B",
        "https://user@fhir.example.org:443/r4/Patient/B", "https://fhir.example.org//r4/Patient/B",
        "https://fhir.example.org/other/../r4/Patient/B", "https://fhir.example.org/./r4/Patient/B",
        "https://fhir.example.org/%72%34/Patient/B", "https://fhir.example.org/r4;x/Patient/B",
        "https://fhir.example.org/other/..", "https://fhir.example.org/",
    ],
)  # fmt: skip
def test_another_spelling_of_an_address_here_is_one(reference: str) -> None:
    assert may_name_any_patient({"reference": reference}, BASE)


@pytest.mark.requirement("WR-03")
@pytest.mark.parametrize(
    "reference",
    [
        "/Patient/B", "./Patient/B", "Patient/B/", "Patient/B#x", "Patient//B", "Patient/%42", "patient/B", "PATIENT/B",
        " Patient/B", "Patient/B\n", "Patient/B_1", "PATIENT/B_1", "", "B", "//fhir.example.org/r4/Patient/B", "http://[",
        ["Patient/B"], None, 1, "Practitioner/p/x", "Practitioner/../Patient/B", "Practitioner/_history",
    ],
)  # fmt: skip
def test_what_is_no_reference_of_fhir_may_name_anybody(reference: Any) -> None:
    assert may_name_any_patient({"reference": reference}, BASE)


@pytest.mark.requirement("WR-01", "WR-03")
@pytest.mark.parametrize(
    "reference",
    [
        "Patient/A", f"{BASE}/Patient/A/_history/1", "Practitioner/p", f"{BASE}/Practitioner/p", "Practitioner/p_1",
        f"{BASE}/Practitioner/p_1", "#p", "#", "urn:oid:1.2.3", "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7",
        "https://elsewhere.example.org/r4/Patient/B", "http://elsewhere.example.org:8080/Patient/B",
        "https://[2001:db8::1]:8443/r4/Patient/B", "https://elsewhere.example.org/a/../%20/Patient/B",
        "https://fhir.example.org/other/Practitioner/p", "https://fhir.example.org:8443/x/Practitioner/p",
        "https://fhir.example.org/r4b/Practitioner/p", "https://fhir.example.org.elsewhere.org/r4/Patient/B",
        "HTTPS://fhir.example.org/other/.x/Patient/B",
    ],
)  # fmt: skip
def test_what_is_known_here_or_lies_plainly_elsewhere_names_no_other_patient(reference: str) -> None:
    assert not may_name_any_patient({"reference": reference}, BASE)
    assert not may_name_any_patient({"identifier": {"value": "1"}}, BASE)


@pytest.mark.requirement("WR-03")
def test_beside_a_base_that_is_a_whole_host_lies_nothing() -> None:
    for base in ("https://fhir.example.org", "https://fhir.example.org/"):
        assert may_name_any_patient({"reference": "https://fhir.example.org:8443/x/Patient/B"}, base)
        assert not may_name_any_patient({"reference": "https://elsewhere.example.org/Patient/B"}, base)


@pytest.mark.requirement("WR-03")
def test_an_address_is_below_a_base_in_upper_case_too() -> None:
    assert may_name_any_patient({"reference": f"{BASE}/Patient/B"}, "https://fhir.example.org/R4")
