"""What a server told, in the path of a request: one segment, and none that leads up."""

import pytest

from smartauth_probe.segments import leads_up, segment

pytestmark = pytest.mark.one_engine


@pytest.mark.parametrize("key", ["amy-1", "1.2.3", "A" * 64, "never_mind~"])
def test_an_id_stays_as_it_is(key: str) -> None:
    assert segment(key) == key


@pytest.mark.parametrize(
    ("key", "quoted"),
    [
        ("../../admin/users/1", "..%2F..%2Fadmin%2Fusers%2F1"),
        ("ben?_cascade=delete", "ben%3F_cascade%3Ddelete"),
        ("ben/$expunge", "ben%2F%24expunge"),
        ("a b\r\n#;", "a%20b%0D%0A%23%3B"),
        ("\ud800", "%3F"),
    ],
)
def test_whatever_else_it_is_it_is_one_segment(key: str, quoted: str) -> None:
    assert segment(key) == quoted


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "Patient/.",
        "Patient/../x",
        "Patient/%2e%2E/x",
        "Patient/.%2e/x",
        "Patient/..;/x",
        "Patient/..;a=b/x",
        "Patient/%2e%2e%3b/x",
        "Patient/..%2f..%2fx",
        "Patient\\..\\x",
        "Patient/..%5cx",
        "Patient/%252e%252e/x",
        "Patient/..%09/x",
        segment("../../admin"),
    ],
)
def test_a_dot_segment_is_seen_however_it_is_written(path: str) -> None:
    assert leads_up(path)


@pytest.mark.parametrize(
    "path", ["", "Patient/1.2.3", "Patient/..a", "Patient/a..", "$export-poll", "Patient/%00", "..."]
)
def test_dots_in_an_id_lead_nowhere(path: str) -> None:
    assert not leads_up(path)
