"""The page for another user than the launch, or the app, is meant for; tests/oauth/ehr_launch has the launches."""

import pytest

from tests.fixture_types import MakeClient, MakePerson
from tests.oauth.visitor import Visitor


@pytest.mark.requirement("AZ-21")
def test_the_page_leads_on_where_nobody_is_signed_in_or_who_is_meant(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    waiting = visitor.ask(client).headers["Location"]

    nobody = visitor.request("GET", f"{waiting}/another-user")
    visitor.sign_in(visitor.follow(nobody), make_person("amy"))
    meant = visitor.request("GET", f"{waiting}/another-user")

    assert [(each.status_code, each.headers["Location"]) for each in (nobody, meant)] == [(303, waiting)] * 2
