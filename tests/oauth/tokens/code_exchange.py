"""What tests of the token endpoint know of codes and refusals."""

import httpx

from tests.conftest import Granted


def assert_refused(response: httpx.Response, status: int, error: str) -> None:
    """The refusal has the status, the code, and the headers that every answer of the machines' side has."""
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response.json()["error_description"]
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    if status == 401:
        assert response.headers["www-authenticate"] == 'Basic realm="smartauth"'


def token_count(granted: Granted) -> int:
    return int(granted.authorization.access_tokens.count())
