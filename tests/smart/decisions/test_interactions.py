"""What lies at a path below a base, and what each method asks for there."""

import pytest

from smart.decisions.interactions import CAPABILITIES, ID, PATHS, TYPE, RequestPath, parse_path


@pytest.mark.requirement("SD-23")
@pytest.mark.parametrize(
    ("segments", "found"),
    [
        (["metadata"], RequestPath({"GET": CAPABILITIES}, "", "")),
        (["Observation"], RequestPath(PATHS[(TYPE,)], "Observation", "")),
        (["Observation", "o"], RequestPath(PATHS[(TYPE, ID)], "Observation", "o")),
        (["Observation", "o", "$lastn"], RequestPath({}, "Observation", "")),
        ([], RequestPath({}, "", "")),
    ],
)
def test_a_path_is_a_type_and_an_id_as_far_as_it_names_them(segments: list[str], found: RequestPath) -> None:
    assert parse_path(segments) == found


@pytest.mark.requirement("SD-23")
def test_what_is_not_known_at_a_path_has_no_interaction() -> None:
    path = parse_path(["Observation", "o"])

    assert [path.interaction(method) for method in ("GET", "HEAD", "PURGE", "POST")] == ["read", "read", "", ""]
