"""For load balancers: does the process run, can it serve."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction
from django.http import HttpResponse
from django.test import RequestFactory

from oauth.models import SigningKey
from operators import health
from tests.conftest import App


def test_a_running_process_says_so(app: App) -> None:
    response = app.get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response.headers["Cache-Control"]


def test_a_server_whose_databases_answer_is_ready(app: App) -> None:
    response = app.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "databases": {"default": "ok", "audit": "ok"},
        "signing_keys": "ok",
    }


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("alias", ["default", "audit"])
def test_a_server_with_a_failing_database_is_not_ready_and_says_which(
    monkeypatch: pytest.MonkeyPatch, alias: str
) -> None:
    for name, value in {"NAME": "/no-such-folder/hidden", "HOST": "127.0.0.1", "PORT": "1"}.items():
        monkeypatch.setitem(connections.settings[alias], name, value)

    with ThreadPoolExecutor(1) as fresh:
        response = fresh.submit(asked_without_a_connection).result()

    other = "audit" if alias == "default" else "default"
    assert response.status_code == 503
    answer = json.loads(response.content)
    assert (answer["status"], answer["databases"]) == ("failed", {alias: "failed", other: "ok"})
    assert b"hidden" not in response.content


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_server_without_an_active_key_is_not_ready(algorithm: str) -> None:
    with transaction.atomic():
        SigningKey.objects.filter(algorithm=algorithm, state="active").update(state="retired")
        response = health.readyz(RequestFactory().get("/readyz"))
        transaction.set_rollback(True)

    assert response.status_code == 503
    assert json.loads(response.content)["signing_keys"] == "failed"


def asked_without_a_connection() -> HttpResponse:
    """The answer in a thread that has no database connection yet, and leaves none."""
    try:
        return health.readyz(RequestFactory().get("/readyz"))
    finally:
        connections.close_all()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_only_reading_is_allowed(app: App, path: str) -> None:
    response = app.post(path)

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"
