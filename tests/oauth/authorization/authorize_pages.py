"""What tests of the authorization endpoint know of requests and their pages."""

from typing import Any

from oauth.models import Code, PendingRequest

ISSUER = "http://127.0.0.1:8000"


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


REGISTERED = "https://app.example/cb"
