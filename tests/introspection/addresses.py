"""Tokens under an address policy, and the addresses from which they are used."""

from typing import Any, Protocol

from oauth.models import Authorization
from tests.fixture_types import Events

HOME, ELSEWHERE = "203.0.113.5", "198.51.100.9"
OFFLINE = "launch/patient patient/*.rs offline_access"


class Told(Protocol):
    def __call__(self, token: str, address: str | None, caller: Any = None) -> dict[str, Any]: ...


class Under(Protocol):
    def __call__(self, policy: str, **options: Any) -> dict[str, Any]: ...


def row(answer: dict[str, Any]) -> Authorization:
    return Authorization.objects.get(pk=answer["granted"].authorization.pk)


def changes(events: Events, answer: dict[str, Any]) -> list[Any]:
    found: list[Any] = events("address-changed", client=answer["granted"].client.client_id)
    return found
