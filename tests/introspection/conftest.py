"""Callers of the invalidation endpoint, and a resource server that tells addresses."""

from typing import Any

import pytest

from oauth.models import ResourceServerRole
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Issue, MakeClient, MakePerson, MakeResourceServer
from tests.introspection.addresses import OFFLINE, Told, Under
from tests.introspection.invalidation_caller import Asker, Operator, unique


@pytest.fixture
def asker(app: App, make_resource_server: MakeResourceServer) -> Asker:
    return Asker(app, make_resource_server())


@pytest.fixture
def issued(issue: Issue, make_client: MakeClient, make_person: MakePerson) -> dict[str, Any]:
    """A live token about a patient, of a person and a client that no other test knows."""
    client = make_client()
    patient = unique(client)
    return issue(client, make_person(patient), patient=patient)


@pytest.fixture
def operator(make_person: MakePerson) -> Operator:
    user = make_person()
    user.is_staff = user.is_superuser = True
    user.save()
    return Operator(user)


@pytest.fixture
def trusted(make_resource_server: MakeResourceServer) -> Any:
    """A resource server whose word about addresses is taken."""
    client = make_resource_server()
    ResourceServerRole.objects.filter(client=client).update(tells_addresses=1)
    return client


@pytest.fixture
def told(app: App, trusted: Any) -> Told:
    """What that resource server hears when it tells this address."""

    def ask(token: str, address: str | None, caller: Any = None) -> dict[str, Any]:
        form = {"token": token, **({} if address is None else {"__client_ip": address})}
        headers = basic((caller or trusted).client_id, SECRET)
        response = app.post("/o/introspect", data=form, headers=headers)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    return ask


@pytest.fixture
def under(issue: Issue, make_client: MakeClient) -> Under:
    """A token answer of a client with this address policy."""

    def make(policy: str, **options: Any) -> dict[str, Any]:
        client = make_client(address_policy=policy, grants="authorization_code refresh_token", scope=OFFLINE)
        return issue(client, **options)

    return make
