"""What tests of the authorization endpoint know of requests and their pages."""

import re
from typing import Any

from audit.models import OutboxEvent
from oauth.models import Code, PendingRequest

ISSUER = "http://127.0.0.1:8000"
REGISTERED = "https://app.example/cb"


def pending_count(client: Any) -> int:
    return PendingRequest.objects.filter(client=client).count()


def code_count(client: Any) -> int:
    return Code.objects.filter(authorization__client=client).count()


def assert_error_page(response: Any, status: int = 400) -> None:
    """An error page: no redirect, never stored, no stack trace."""
    assert response.status_code == status, response.text
    assert "Location" not in response.headers
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert "Traceback" not in response.text
    assert "<h1>We stopped this request</h1>" in response.text


def page_reference(response: Any) -> str:
    """What an error page tells to read out on the telephone."""
    found = re.search(r"<dt>Error reference</dt><dd>([0-9A-Z]{4}-[0-9A-Z]{4})</dd>", response.text)
    assert found, response.text
    return found[1]


def events_of(reference: str) -> list[OutboxEvent]:
    return list(OutboxEvent.objects.filter(reference=reference))
