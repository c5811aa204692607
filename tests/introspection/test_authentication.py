"""Who asks at introspection proves itself: whatever is wrong with it, the answer is the same (CL-03)."""

import pytest

from tests.conftest import SECRET, App, basic
from tests.explained import error_of
from tests.fixture_types import MakeClient, MakeResourceServer


@pytest.mark.requirement("IN-07", "CL-03")
def test_who_does_not_prove_itself_hears_the_same_whatever_is_wrong(
    app: App, make_client: MakeClient, make_resource_server: MakeResourceServer
) -> None:
    server, disabled, public = make_resource_server(), make_resource_server(), make_client()
    type(disabled).objects.filter(pk=disabled.pk).disable()

    for client_id, secret in (
        (server.client_id, "x"),
        (disabled.client_id, SECRET),
        (public.client_id, ""),
        ("x", "x"),
    ):
        answer = app.post("/o/introspect", data={"token": "x"}, headers=basic(client_id, secret))
        assert answer.status_code == 401
        assert error_of(answer) == {"error": "invalid_client", "error_description": "client authentication failed"}
