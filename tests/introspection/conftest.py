"""Callers of the invalidation endpoint."""

from typing import Any

import pytest

from tests.conftest import App
from tests.fixture_types import Issue, MakeClient, MakePerson, MakeResourceServer
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
