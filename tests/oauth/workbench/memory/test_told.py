"""What a FHIR server heard here: a token is good, is not active, or opens some records alone."""

import secrets
from typing import Any

import pytest

from oauth.workbench.memory.told import ANY_BASE, Topic, told
from tests.conftest import SECRET, App, basic
from tests.fixture_types import MakeResourceServer
from tests.oauth.workbench.conftest import Asker

pytestmark = pytest.mark.one_engine


class Heard:
    """One FHIR server's client that asks about tokens, and what it heard of which topic."""

    def __init__(self, app: App, caller: Any, base: str) -> None:
        self.app, self.name, self.base = app, caller.client_id, base
        self.own = basic(caller.client_id, SECRET)

    def of(self, base: str | None = None) -> dict[str, tuple[str, int]]:
        every = {topic.value: told(self.name, self.base if base is None else base, topic) for topic in Topic}
        return {topic: (found.kind, found.number) for topic, found in every.items() if found}

    def introspect(self, token: str) -> None:
        assert self.app.post("/o/introspect", data={"token": token}, headers=self.own).status_code == 200

    def decide(self, token: str, url: str) -> None:
        context = {"base": self.base, "http": {"method": "GET", "url": url}, "understands": ["fhir-view/1"]}
        body = {"subject": {"type": "access_token", "id": token}, "context": context}
        assert self.app.post("/access/v1/evaluation", json=body, headers=self.own).status_code == 200

    def ask_as_gateway(self, token: str, path: str, understands: str = "patient") -> int:
        below = self.base.partition("//")[2].partition("/")[2]
        headers = {
            "x-smartauth-authorization": self.own["Authorization"],
            "x-smartauth-base": self.base,
            "x-smartauth-understands": understands,
            "x-original-method": "GET",
            "x-original-uri": f"/{below}/{path}",
            "authorization": f"Bearer {token}",
        }
        return self.app.post("/access/v1/gateway", headers=headers).status_code


@pytest.fixture
def heard(asker: Asker, app: App, make_resource_server: MakeResourceServer) -> Heard:
    server = asker.client.fhir_servers.get()
    return Heard(app, make_resource_server(server), server.base)


def test_introspection_tells_which_tokens_are_good_and_which_are_not_active(heard: Heard, asker: Asker) -> None:
    heard.introspect(asker.get()["access_token"])
    assert heard.of() == {"good": ("", 1)}

    heard.introspect(asker.get(bad="expired")["access_token"])
    heard.introspect(asker.get(bad="expired")["access_token"])

    assert heard.of() == {"good": ("", 1), "not_active": ("expired", 2)}


def test_a_token_that_nobody_knows_is_of_no_base(heard: Heard) -> None:
    heard.introspect(secrets.token_urlsafe(16))

    assert heard.of() == {}
    assert heard.of(ANY_BASE) == {"not_active": ("", 1)}


def test_a_bad_token_that_introspection_calls_active_is_no_good_one(heard: Heard, asker: Asker) -> None:
    heard.introspect(asker.get(bad="aud-longer")["access_token"])

    assert heard.of() == heard.of(ANY_BASE) == {}


def test_a_decision_tells_which_records_may_be_shown(heard: Heard, asker: Asker) -> None:
    heard.decide(asker.get(bad="expired")["access_token"], "Patient/amy")
    assert heard.of() == {"not_active": ("expired", 1)}

    heard.decide(asker.get()["access_token"], "Observation")

    assert heard.of() == {"not_active": ("expired", 1), "good": ("", 1), "some_records": ("", 1)}


@pytest.mark.parametrize(
    ("bad", "path", "status", "topics"),
    [
        pytest.param("expired", "Patient/amy", 401, {"not_active"}, id="bad token"),
        pytest.param(None, "Patient/amy", 200, {"good"}, id="own record"),
        pytest.param(None, "Patient/ben", 403, {"some_records"}, id="hidden record"),
        pytest.param(None, "Observation?code=1", 200, {"good", "some_records"}, id="search that is limited"),
        pytest.param(None, "Nothing/1", 403, set(), id="no type of FHIR"),
    ],
)
def test_a_gateway_hears_the_same(
    heard: Heard, asker: Asker, bad: str | None, path: str, status: int, topics: set[str]
) -> None:
    assert heard.ask_as_gateway(asker.get(bad=bad)["access_token"], path) == status

    assert set(heard.of()) == topics


def test_who_proves_nothing_has_heard_nothing(heard: Heard, asker: Asker, app: App) -> None:
    wrong = basic(heard.name, "wrong")
    app.post("/o/introspect", data={"token": asker.get()["access_token"]}, headers=wrong)

    assert heard.of() == heard.of(ANY_BASE) == {}
