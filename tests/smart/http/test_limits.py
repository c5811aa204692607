"""How long a request may be."""

from http import HTTPStatus

import pytest

from smart.http import limits
from smart.http.limits import has_too_long_headers, size_refusal

QUERY, MACHINE_BODY, AUTHORIZE_BODY = 8192, 65_536, 131_072


@pytest.mark.requirement("SD-20")
def test_headers_are_counted_together_and_as_they_travel() -> None:
    just_fits = [(b"a", b"x" * (16_384 - 5))] * 2

    assert not has_too_long_headers(just_fits)
    assert has_too_long_headers([*just_fits, (b"", b"")])


@pytest.mark.requirement("SD-20")
@pytest.mark.parametrize(("name", "limit"), [(b"content-type", 256), (b"accept", 1024), (b"cookie", 4096)])
def test_a_header_that_costs_more_than_its_length_has_a_limit_of_its_own(name: bytes, limit: int) -> None:
    half = [(name, b";" * (limit // 2))] * 2

    assert not has_too_long_headers([*half, (b"x-other", b";" * 5000)])
    assert has_too_long_headers([*half, (name, b";")])


@pytest.mark.requirement("AZ-24", "E39", "SD-20")
@pytest.mark.parametrize(
    ("query", "body", "limit", "status"),
    [
        (QUERY, MACHINE_BODY, MACHINE_BODY, None),
        (QUERY + 1, 0, MACHINE_BODY, HTTPStatus.REQUEST_URI_TOO_LONG),
        (0, MACHINE_BODY + 1, MACHINE_BODY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        (0, MACHINE_BODY + 1, AUTHORIZE_BODY, None),
        (0, AUTHORIZE_BODY + 1, AUTHORIZE_BODY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    ],
)
def test_a_long_query_is_414_and_a_long_body_413(query: int, body: int, limit: int, status: HTTPStatus | None) -> None:
    assert size_refusal(query=query, body=body, body_limit=limit) is status


@pytest.mark.requirement("AZ-24")
def test_the_bounds_are_what_the_docs_promise() -> None:
    assert (limits.MAX_QUERY, limits.MAX_HEADERS) == (8192, 32_768)
    assert (limits.MAX_MACHINE_BODY, limits.MAX_AUTHORIZE_BODY) == (MACHINE_BODY, AUTHORIZE_BODY)
