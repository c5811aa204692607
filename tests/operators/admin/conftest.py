"""What tests of the admin may ask for: an operator with a browser, and the answers to confirming pages."""

import re
import secrets
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.db.models import Max
from django.test import Client as Browser
from django.test.client import ClientHandler

from tests.conftest import _argon2
from tests.fixture_types import Grant, MakeToken
from tests.operators.admin.jwks_server import JwksServer

MIDDLEWARE = ClientHandler(enforce_csrf_checks=False)  # loaded once: WhiteNoise looks at every file of the admin


class Operator:
    """An operator in the admin, through Django's test client and the whole middleware."""

    def __init__(self) -> None:
        from accounts.models import User
        from oauth.models import Client, FhirServer

        self.user = User(username=f"operator-{secrets.token_hex(6)}", is_staff=True, is_superuser=True)
        self.user.password = _argon2()
        self.user.save()
        self.browser = Browser()
        self.browser.handler = MIDDLEWARE
        self.browser.force_login(self.user)
        self._before = {model: model.objects.aggregate(Max("pk"))["pk__max"] or 0 for model in (Client, FhirServer)}

    def made(self, model: type[Any]) -> Any:
        """The rows of clients or FHIR servers that are newer than this operator."""
        return model.objects.filter(pk__gt=self._before[model]).order_by("pk")

    def get(self, path: str, **query: str) -> Any:
        return self.browser.get(f"/admin/{path}", query)

    def page(self, path: str, **query: str) -> str:
        """What the page holds, which must be shown: a 404 hides everything too."""
        response = self.get(path, **query)
        assert response.status_code == 200, (path, response.status_code)
        return str(response.content.decode())

    def post(self, path: str, form: dict[str, Any]) -> Any:
        return self.browser.post(f"/admin/{path}", form)

    def act(self, table: str, action: str, *rows: Any, **more: str) -> Any:
        """The first click on an action: the confirming page."""
        return self.post(f"{table}/", {"action": action, "_selected_action": [row.pk for row in rows], **more})

    def confirm(self, table: str, action: str, *rows: Any, **more: str) -> Any:
        """The button of the confirming page."""
        return self.act(table, action, *rows, confirmed="yes", **more)


def hidden(page: Any, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.content.decode())
    assert found, f"no field {name}"
    return unescape(found[1])


def secret_on(page: Any) -> str:
    """The secret that a page shows, "" if none."""
    found = re.search(r"<output>([^<]*)</output>", page.content.decode())
    return found[1] if found else ""


@pytest.fixture
def operator(committed: None) -> Operator:
    return Operator()


@pytest.fixture
def make_token(grant: Grant) -> MakeToken:
    """An access token as the token endpoint writes it, but without signing one."""

    def make(granted: Any = None, *, life: int = 300_000_000, **fields: Any) -> Any:
        from accounts import clock
        from oauth.models import AccessToken, Seat

        granted = granted or grant()
        now = clock.now()
        seat, _ = Seat.objects.get_or_create(key=f"test|{granted.authorization.pk}", defaults={"latest_number": 0})
        seat.latest_number += 1
        seat.save()
        known = {
            "digest": secrets.token_hex(32), "jti": secrets.token_urlsafe(16), "authorization": granted.authorization,
            "authorization_epoch": granted.authorization.epoch, "seat": seat, "seat_number": seat.latest_number,
            "scope": "patient/*.rs", "claims": "{}", "issued_at": now, "expires_at": now + life, "address": "192.0.2.7",
        }  # fmt: skip
        return AccessToken.objects.create(**{**known, **fields})

    return make


@pytest.fixture
def jwks_server() -> Iterator[JwksServer]:
    """A client's own server."""
    made = JwksServer()
    yield made
    made.stop()
