"""Refreshing as an app does it, and what the tests know of such apps."""

from typing import Any, Protocol

import httpx

from accounts import clock
from oauth.models import Authorization, RefreshToken
from smart.digests import sha256_hex
from tests.conftest import Granted

SCOPE = "launch/patient offline_access patient/*.rs"
DAY = 86_400_000_000
SECOND = 1_000_000


class Refresh(Protocol):
    def __call__(self, answer: dict[str, Any], **changes: str | None) -> httpx.Response: ...


def tokens_of_refresh(answer: dict[str, Any], response: httpx.Response) -> dict[str, Any]:
    """The answer of a refresh that succeeded, to go on with."""
    assert response.status_code == 200, response.text
    return {**response.json(), "granted": answer["granted"]}


def as_issued_before(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with a refresh token that tells no day of its end, as none did before 0021."""
    drawn, _, _ = answer["refresh_token"].partition(".")
    found = RefreshToken.objects.filter(digest=sha256_hex(answer["refresh_token"]))
    assert found.update(digest=sha256_hex(drawn)) == 1
    return {**answer, "refresh_token": drawn}


def assert_refused(response: httpx.Response, status: int = 400, error: str = "invalid_grant") -> None:
    """The refusal has the status, the code, and the headers that every answer of the machines' side has."""
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response.json()["error_description"]
    assert "refresh_token" not in response.json()
    assert response.headers["content-type"] == "application/json"
    assert (response.headers["cache-control"], response.headers["pragma"]) == ("no-store", "no-cache")
    assert response.headers.get("www-authenticate") == ('Basic realm="smartauth"' if status == 401 else None)


def state(granted: Granted) -> tuple[Any, ...]:
    """Everything about this authorization that a refused refresh must leave as it was."""
    authorization = Authorization.objects.get(pk=granted.authorization.pk)
    return (
        authorization.epoch,
        authorization.ended_at,
        sorted(authorization.access_tokens.values_list("pk", "revoked_at")),
        sorted(authorization.refresh_tokens.values_list("pk", "consumed_at", "expires_at")),
    )


def revoke(answer: dict[str, Any]) -> None:
    Authorization.objects.filter(pk=answer["granted"].authorization.pk).end("revoked", now=clock.now())
