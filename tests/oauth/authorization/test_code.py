"""What a person has allowed becomes an authorization and a code."""

from typing import Any

import pytest
from django.test import RequestFactory

from accounts.models import User
from accounts.session_store import SessionStore
from oauth.authorization.code import issue_code_redirect
from oauth.authorization.pending_request import Pending
from oauth.models import Authorization, Client, PendingRequest
from oauth.tokens.authorization_state import AuthorizationState
from tests.fixture_types import MakeClient, MakePerson
from tests.oauth.visitor import Visitor


@pytest.mark.requirement("AZ-17", "E85")
@pytest.mark.parametrize("ended", [Client, User], ids=["the client's", "the person's"])
def test_access_that_is_ended_while_the_answer_is_under_way_is_not_given(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, ended: Any
) -> None:
    client, person = make_client(), make_person("amy")
    visitor.reach_consent(client, person)
    pending = Pending.of(PendingRequest.objects.select_related("client", "fhir_server").get(client=client), "handle")
    ended.objects.get_queryset().filter(pk__in=[client.pk if ended is Client else person.pk]).advance_epoch()
    request = RequestFactory().post("/")
    request.session = SessionStore()

    issue_code_redirect(request, pending, person, "patient/Observation.rs")

    assert AuthorizationState.of(Authorization.objects.get(client=client).pk).unusable_reason
