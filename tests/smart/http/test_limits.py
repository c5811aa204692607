"""How long a request may be."""

from http import HTTPStatus

import pytest

from smart.http.limits import AUTHORIZE_BODY, HEADERS, MACHINE_BODY, QUERY, headers_too_long, too_long


@pytest.mark.requirement("SD-20")
def test_headers_are_counted_together_and_as_they_travel() -> None:
    just_fits = [(b"a", b"x" * (HEADERS // 2 - 5))] * 2

    assert not headers_too_long(just_fits)
    assert headers_too_long([*just_fits, (b"", b"")])


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
    assert too_long(query=query, body=body, body_limit=limit) is status


def test_the_promised_lengths_are_accepted() -> None:
    assert QUERY >= 8 * 1024
    assert AUTHORIZE_BODY >= 64 * 1024
