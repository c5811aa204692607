"""A backend service as it asks for its tokens, and what the tests look at."""

from typing import Any, Protocol

import httpx

SCOPE = "system/Observation.rs system/Patient.r"


class Ask(Protocol):
    def __call__(
        self, client: Any, scope: str | None = "system/Patient.r", **changes: str | None
    ) -> httpx.Response: ...


def standing(client: Any) -> list[Any]:
    return list(client.authorizations.order_by("pk"))
