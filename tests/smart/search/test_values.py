"""The rows of an index: what a resource says for each parameter, value by value."""

from datetime import UTC, datetime
from typing import Any

import pytest

from smart.digests import sha256_hex
from smart.fhir.definitions import Compartment, ResourceDefinition, SearchParameter, definitions
from smart.search.values import DateRow, ReferenceRow, StringRow, TokenRow, index_rows, key, microseconds

LONG = "s" * 201
BASE = "https://fhir.example.org/r4"
OBSERVATION, PATIENT = definitions("r4")["Observation"], definitions("r4")["Patient"]
JUNE, JULY = 1_717_200_000_000_000, 1_719_792_000_000_000
BEGINNING, END = -62_135_596_800_000_000, 253_402_300_799_999_999


def rows(defined: ResourceDefinition, name: str, content: Any) -> list[tuple[Any, ...]]:
    """What follows the name of the parameter in its rows, and in those of its identifiers."""
    return sorted(tuple(row) for row in index_rows(content, defined, BASE) if row[0].partition(":")[0] == name)


def test_each_value_of_each_parameter_has_a_row_of_its_type() -> None:
    found = set(
        index_rows({"id": "o", "status": "final", "subject": {"reference": "Patient/amy"}}, OBSERVATION, BASE)
    ) | set(index_rows({"name": [{"family": "Lee"}], "birthDate": "2024-06"}, PATIENT, BASE))

    assert found == {
        TokenRow("_id", "", "o"),
        TokenRow("status", "", "final"),
        ReferenceRow("subject", "Patient", "amy"),
        ReferenceRow("patient", "Patient", "amy"),
        StringRow("family", b"lee", "lee", "Lee"),
        StringRow("name", b"lee", "lee", "Lee"),
        StringRow("phonetic", b"lee", "lee", "Lee"),
        DateRow("birthdate", JUNE, JULY),
    }


def test_what_is_said_twice_has_one_row() -> None:
    twice = [{"coding": [{"system": "s", "code": "1"}]}, {"coding": [{"system": "s", "code": "1"}]}]

    assert rows(OBSERVATION, "category", {"category": twice}) == [("category", "s", "1")]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ({"coding": [{"system": "s", "code": "1"}, {"code": "2"}]}, [("", "2"), ("s", "1")]),
        ({"coding": []}, [(None, None)]),
        ({"coding": {"system": "s", "code": "1"}}, [("s", "1")]),
        ({"text": "t"}, [("", None)]),
        ("1", [("", "1")]),
        ({"system": "s", "value": "v"}, [("s", "v")]),
        ({"coding": [{"system": 7, "code": 8}]}, [(None, None)]),
        (True, [("", "true")]),
        ({"coding": [{"system": LONG, "code": f"{LONG}c"}]}, [(sha256_hex(LONG) * 4, sha256_hex(f"{LONG}c") * 4)]),
    ],
    ids=str,
)
def test_a_code_has_a_row_in_every_shape(code: Any, found: list[tuple[Any, ...]]) -> None:
    assert rows(OBSERVATION, "code", {"code": code}) == [("code", *each) for each in found]


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("Ärger", (b"arger", "arger", "Ärger")),
        ("x\0y", ("x\ufffdy".encode(), "x\ufffdy", sha256_hex("x\0y") * 4)),
        ("a" * 65, (b"a" * 64, "a" * 65, "a" * 65)),
        ("ab" * 101, (b"ab" * 32, "ab" * 101, sha256_hex("ab" * 101) * 4)),
        (4, (None, "", "")),
    ],
    ids=["accent", "NUL", "long start", "long", "number"],
)
def test_a_text_is_kept_by_its_beginning_folded_and_exactly(name: Any, row: tuple[Any, ...]) -> None:
    assert rows(PATIENT, "family", {"name": [{"family": name}]}) == [("family", *row)]


@pytest.mark.parametrize(
    ("said", "row"),
    [
        ({"effectiveDateTime": "2024-06"}, (JUNE, JULY)),
        ({"effectivePeriod": {"start": "2024-06"}}, (JUNE, END)),
        ({"effectivePeriod": {"end": "2024-06"}}, (BEGINNING, JULY)),
        ({"effectiveDateTime": "soon"}, (None, None)),
    ],
    ids=["date", "open end", "open begin", "no date"],
)
def test_a_date_is_kept_as_its_first_and_last_moment(said: Any, row: tuple[Any, ...]) -> None:
    assert rows(OBSERVATION, "date", said) == [("date", *row)]


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ({"reference": "Patient/amy"}, [("subject", "Patient", "amy")]),
        ({"reference": f"{BASE}/Group/g"}, [("subject", "Group", "g")]),
        ({"reference": "https://other.example.org/Patient/amy"}, [("subject", "", "")]),
        ({"reference": "Practitioner/p"}, [("subject", "", "")]),
        (
            {"reference": "Patient/amy", "identifier": {"system": "urn:mrn", "value": "7"}},
            [("subject", "Patient", "amy"), ("subject:identifier", "urn:mrn", "7")],
        ),
        ({"identifier": []}, [("subject", "", ""), ("subject:identifier", "", None)]),
        ("Patient/amy", [("subject", "Patient", "amy")]),
        ("an identifier", [("subject", "", "")]),
    ],
    ids=str,
)
def test_a_reference_is_kept_where_the_parameter_may_lead_and_with_its_identifier(
    subject: Any, found: list[tuple[Any, ...]]
) -> None:
    assert rows(OBSERVATION, "subject", {"subject": subject}) == found


def test_a_reference_of_a_parameter_without_target_types_is_kept_whatever_its_type() -> None:
    about = SearchParameter("about", "reference", (("about",),), frozenset())
    defined = ResourceDefinition("Any", {"about": about}, Compartment())

    assert rows(defined, "about", {"about": {"reference": "Practitioner/r"}}) == [("about", "Practitioner", "r")]


def test_a_long_text_is_compared_by_its_digest() -> None:
    assert [key(text) for text in ("x" * 200, "x" * 201, "\0")] == [
        "x" * 200, sha256_hex("x" * 201) * 4, sha256_hex("\0") * 4
    ]  # fmt: skip


def test_moments_are_counted_in_microseconds_since_1970() -> None:
    assert microseconds(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC)) == 1_000_005
    assert microseconds(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)) == -1_000_000
