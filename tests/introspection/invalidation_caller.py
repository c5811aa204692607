"""Asking for an invalidation, and what comes of it."""

import json
from typing import Any

import httpx
from django.test import Client as Browser

from tests.conftest import SECRET, App, basic
from tests.explained import error_of

NOTHING = {"authorizations": 0, "access_tokens": 0}
ONE = {"authorizations": 1, "access_tokens": 1}


class Asker:
    """A resource server of the R4 base that ends access."""

    def __init__(self, app: App, client: Any) -> None:
        self.app, self.client = app, client

    def post(self, content: Any, **options: Any) -> httpx.Response:
        headers = {"Content-Type": "application/json", **basic(self.client.client_id, SECRET)}
        headers |= options.pop("headers", {})
        sent = content if isinstance(content, bytes) else json.dumps(content)
        return self.app.post("/o/invalidate", content=sent, headers={k: v for k, v in headers.items() if v}, **options)

    def ends(self, **named: Any) -> dict[str, Any]:
        response = self.post(named)
        assert response.status_code == 200, response.text
        assert response.headers["Cache-Control"] == "no-store"
        told: dict[str, Any] = response.json()
        return told


def targets(issued: dict[str, Any], *names: str) -> dict[str, str]:
    """The members that name what was granted there."""
    granted = issued["granted"]
    about = {
        "sub": granted.person.subject,
        "fhirUser": granted.person.identities.get().resource,
        "client_id": granted.client.client_id,
        "patient": granted.authorization.patient,
        "authorization": str(granted.authorization),
        "aud": granted.authorization.fhir_server.base,
    }
    return {name: about[name] for name in names}


def unique(grant_of: Any) -> str:
    """A patient that no other test knows."""
    return f"p-{grant_of.pk}"


BY = {
    "person": ("sub",),
    "person at a base": ("sub", "aud"),
    "fhirUser": ("fhirUser", "aud"),
    "client": ("client_id",),
    "patient": ("patient", "aud"),
    "authorization": ("authorization",),
    "person and client": ("sub", "client_id"),
    "everything at once": ("sub", "client_id", "patient", "authorization", "aud"),
}


# Operators --------------------------------------------------------------------------------------------------------


class Operator:
    """An operator's browser, on a page of ours."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.browser = Browser(enforce_csrf_checks=True)
        self.browser.force_login(user)

    @property
    def csrf(self) -> str:
        page = self.browser.get("/sessions").content.decode()
        return page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]

    def post(self, *, csrf: str | None = None, **asked: Any) -> Any:
        headers = {"X-CSRFToken": self.csrf if csrf is None else csrf}
        return self.browser.post("/o/invalidate", json.dumps(asked), content_type="application/json", headers=headers)


# What is refused --------------------------------------------------------------------------------------------------


def assert_refused(response: httpx.Response, status: int, error: str, description: str) -> None:
    assert response.status_code == status, response.text
    assert error_of(response) == {"error": error, "error_description": description}
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
