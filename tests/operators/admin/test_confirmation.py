"""The page between an action and its doing: it names what it is about, and its button does just that."""

import re
from html import unescape

import pytest

from oauth.models import public_reference
from tests.fixture_types import MakeToken
from tests.operators.admin.conftest import Operator

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


@pytest.mark.requirement("RV-08")
def test_the_button_of_the_page_does_what_was_asked_to_the_rows_that_it_names(
    operator: Operator, make_token: MakeToken
) -> None:
    tokens, other = [make_token() for _ in range(2)], make_token()

    asked = operator.act("oauth/accesstoken", "end", *tokens)
    page = asked.content.decode()
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    operator.post(
        "oauth/accesstoken/", {name: [unescape(one) for each, one in fields if each == name] for name, _ in fields}
    )

    assert "<title>End these tokens? - " in page
    assert 'value="End these tokens"' in page
    assert asked.context["lead"] == ""
    assert all(f"<li>{public_reference(token.pk)}</li>" in page for token in tokens)
    for token in (*tokens, other):
        token.refresh_from_db()
    assert [token.revoked_for for token in (*tokens, other)] == ["operator", "operator", ""]
