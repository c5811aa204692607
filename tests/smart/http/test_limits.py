"""How long a request may be."""

from http import HTTPStatus

import pytest

from smart.http.limits import (
    MAX_AUTHORIZE_BODY,
    MAX_HEADERS,
    MAX_MACHINE_BODY,
    MAX_QUERY,
    has_too_long_headers,
    size_refusal,
)


@pytest.mark.requirement("SD-20")
def test_headers_are_counted_together_and_as_they_travel() -> None:
    just_fits = [(b"a", b"x" * (MAX_HEADERS // 2 - 5))] * 2

    assert not has_too_long_headers(just_fits)
    assert has_too_long_headers([*just_fits, (b"", b"")])


@pytest.mark.requirement("AZ-24", "E39", "SD-20")
@pytest.mark.parametrize(
    ("query", "body", "limit", "status"),
    [
        (MAX_QUERY, MAX_MACHINE_BODY, MAX_MACHINE_BODY, None),
        (MAX_QUERY + 1, 0, MAX_MACHINE_BODY, HTTPStatus.REQUEST_URI_TOO_LONG),
        (0, MAX_MACHINE_BODY + 1, MAX_MACHINE_BODY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        (0, MAX_MACHINE_BODY + 1, MAX_AUTHORIZE_BODY, None),
        (0, MAX_AUTHORIZE_BODY + 1, MAX_AUTHORIZE_BODY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    ],
)
def test_a_long_query_is_414_and_a_long_body_413(query: int, body: int, limit: int, status: HTTPStatus | None) -> None:
    assert size_refusal(query=query, body=body, body_limit=limit) is status


def test_the_promised_lengths_are_accepted() -> None:
    assert MAX_QUERY >= 8 * 1024
    assert MAX_AUTHORIZE_BODY >= 64 * 1024
