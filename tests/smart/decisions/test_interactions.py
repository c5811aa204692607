"""What lies at a path below a base, and what each method asks for there."""

import pytest

from smart.decisions.interactions import CAPABILITIES, EVERYTHING, ID, PATHS, TYPE, RequestPath, parse_path

OF_TYPE = {"GET": "search-type"}
WHOLE = {"GET": EVERYTHING, "POST": EVERYTHING}


@pytest.mark.requirement("SD-23")
@pytest.mark.parametrize(
    ("segments", "found"),
    [
        (["metadata"], RequestPath({"GET": CAPABILITIES}, below="metadata")),
        (["Observation"], RequestPath(PATHS[(TYPE,)], "Observation", below="Observation")),
        (["Observation", "_search"], RequestPath(PATHS[(TYPE, "_search")], "Observation", below="Observation")),
        (["Observation", "o"], RequestPath(PATHS[(TYPE, ID)], "Observation", "o", below="Observation/o")),
        (["Observation", "o", "$lastn"], RequestPath({}, "Observation")),
        ([], RequestPath({})),
        ([""], RequestPath(PATHS["",], "*")),
        (["_history"], RequestPath(PATHS["_history",], "*", below="_history")),
        (
            ["Patient", "a", "Observation"],
            RequestPath(OF_TYPE, "Observation", compartment="a", below="Patient/a/Observation"),
        ),
        (["Patient", "a", "*"], RequestPath({"GET": "search-compartment"}, "*", compartment="a", below="Patient/a/*")),
        (["Patient", "a", "$everything"], RequestPath(WHOLE, "*", compartment="a", below="Patient/a/$everything")),
        (["Patient", "$everything"], RequestPath(WHOLE, "*", below="Patient/$everything")),
        (
            ["Patient", "a", "_history"],
            RequestPath(PATHS[TYPE, ID, "_history"], "Patient", "a", below="Patient/a/_history"),
        ),
        (["Patient", "..", "Observation"], RequestPath({}, "Patient")),
        (["Patient", "a", "$lastn"], RequestPath({}, "Patient")),
        (["Patient", "a", "_search"], RequestPath({}, "Patient")),
        (["Encounter", "e", "Observation"], RequestPath({}, "Encounter")),
        (["Encounter", "e", "$everything"], RequestPath({}, "Encounter")),
    ],
)
def test_a_path_is_a_type_and_an_id_as_far_as_it_names_them(segments: list[str], found: RequestPath) -> None:
    assert parse_path(segments) == found


@pytest.mark.requirement("SD-23")
def test_what_is_not_known_at_a_path_has_no_interaction() -> None:
    path = parse_path(["Observation", "o"])

    assert [path.interaction(method) for method in ("GET", "HEAD", "PURGE", "POST")] == ["read", "read", "", ""]


def test_a_type_in_a_compartment_is_a_word_of_ascii_letters() -> None:
    assert parse_path(["Patient", "A", "Observation"]).interaction("GET") == "search-type"
    for other in ("\u00dcbung", "$lastn", "_other", "Observation1"):
        assert parse_path(["Patient", "A", other]).interactions == {}
