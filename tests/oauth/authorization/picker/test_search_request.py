"""What a FHIR server may send to a search: so much, and for so long."""

import time

import httpx
import pytest

from oauth.authorization.picker.search_request import BODY_LIMIT, SearchFailed, _read_body


def answer(size: int) -> httpx.Response:
    return httpx.Response(200, content=iter([b"x" * size]))


@pytest.mark.requirement("AZ-12", "E42")
def test_an_answer_is_read_up_to_a_megabyte() -> None:
    deadline = time.monotonic() + 60

    assert len(_read_body(answer(BODY_LIMIT), deadline)) == 1_048_576
    with pytest.raises(SearchFailed):
        _read_body(answer(BODY_LIMIT + 1), deadline)


@pytest.mark.requirement("AZ-12", "E42")
def test_an_answer_that_takes_too_long_is_none() -> None:
    with pytest.raises(SearchFailed):
        _read_body(answer(1), time.monotonic() - 1)
