"""The request as it arrives: what is shown as a page, what the app hears, what may wait for a person."""

import json
from typing import Any

import pytest
from django.db.models import Max

from oauth.models import PendingRequest
from tests.conftest import BASE, CHALLENGE, REDIRECT_URI
from tests.fixture_types import MakeClient
from tests.oauth.authorization.authorize_pages import ISSUER, REGISTERED, assert_error_page, code_count, pending_count
from tests.oauth.visitor import Visitor, good_request, redirect_query


@pytest.mark.requirement("E1", "AZ-06")
@pytest.mark.parametrize("client_id", [None, "", "nobody-knows-me", "x" * 5000, "ü\u202e", "' OR 1=1 --"])
def test_a_client_that_nobody_knows_is_told_on_a_page(
    visitor: Visitor, make_client: MakeClient, client_id: str | None
) -> None:
    newest = PendingRequest.objects.aggregate(newest=Max("pk"))["newest"] or 0

    response = visitor.ask(make_client(), client_id=client_id)

    assert_error_page(response)
    assert "This server does not know the app that sent you here." in response.text
    assert '<strong dir="auto">A request</strong>' in response.text
    assert not PendingRequest.objects.filter(pk__gt=newest).exists()


@pytest.mark.requirement("E1")
def test_a_disabled_client_is_not_known_any_more(visitor: Visitor, make_client: MakeClient) -> None:
    client = make_client(enabled=0)

    response = visitor.ask(client)

    assert_error_page(response)
    assert client.name not in response.text
    assert pending_count(client) == 0


@pytest.mark.requirement("E2", "AZ-06")
@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_who_asks_and_where_to_answer_are_said_once(visitor: Visitor, make_client: MakeClient, name: str) -> None:
    client = make_client()

    response = visitor.ask(client, **{name: [good_request(client)[name]] * 2})

    assert_error_page(response)
    assert "contradicts itself" in response.text
    assert pending_count(client) == 0


@pytest.mark.requirement("E3", "AZ-06")
@pytest.mark.parametrize("redirect_uri", [None, ""])
def test_a_missing_redirect_uri_is_not_guessed(
    visitor: Visitor, make_client: MakeClient, redirect_uri: str | None
) -> None:
    client = make_client()

    response = visitor.ask(client, redirect_uri=redirect_uri)

    assert_error_page(response)
    assert "did not say where to send you back" in response.text
    assert pending_count(client) == 0


@pytest.mark.requirement("E35", "AZ-06")
@pytest.mark.parametrize("beside", [{}, {"redirect_uri": None, "response_type": None, "scope": None}])
def test_a_pushed_request_that_nobody_knows_leads_nowhere(
    visitor: Visitor, make_client: MakeClient, beside: dict[str, str | None]
) -> None:
    client = make_client()

    response = visitor.ask(client, request_uri="urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc", **beside)

    assert_error_page(response)
    assert "unknown, used or too old" in response.text
    assert "invalid_request_uri" in response.text
    assert pending_count(client) == 0


DIFFERENT = {
    "case of the path": "https://app.example/CB",
    "case of the host": "https://APP.example/cb",
    "final slash": "https://app.example/cb/",
    "default port": "https://app.example:443/cb",
    "another port": "https://app.example:8443/cb",
    "extra query": "https://app.example/cb?x=1",
    "dots": "https://app.example/a/../cb",
    "encoded dots": "https://app.example/%2e/cb",
    "user info": "https://app.example@evil.example/cb",
    "subdomain": "https://evil.app.example/cb",
    "http for https": "http://app.example/cb",
    "longer host": "https://app.example.evil.example/cb",
    "relative": "/cb",
    "markup": 'https://app.example/cb"><script>alert(1)</script>',
}


@pytest.mark.requirement("E4", "AZ-05", "AZ-06")
@pytest.mark.parametrize("redirect_uri", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_a_redirect_uri_is_the_registered_one_to_the_letter(
    visitor: Visitor, make_client: MakeClient, redirect_uri: str
) -> None:
    client = make_client(redirect_uris=REGISTERED)

    response = visitor.ask(client, redirect_uri=redirect_uri)

    assert_error_page(response)
    assert "an address that is not on its list" in response.text
    assert "<script" not in response.text
    assert pending_count(client) == 0


@pytest.mark.requirement("E5", "AZ-05")
def test_another_clients_redirect_uri_is_as_strange_as_any(visitor: Visitor, make_client: MakeClient) -> None:
    make_client(redirect_uris="https://other.example/cb")
    client = make_client(redirect_uris=REGISTERED)

    response = visitor.ask(client, redirect_uri="https://other.example/cb")

    assert_error_page(response)
    assert pending_count(client) == 0


@pytest.mark.requirement("E6", "AZ-05")
@pytest.mark.parametrize(("kind", "status"), [("native", 303), ("web", 400)])
def test_only_a_native_app_may_come_back_at_another_port_of_loopback(
    visitor: Visitor, make_client: MakeClient, kind: str, status: int
) -> None:
    client = make_client(redirect_uris="http://127.0.0.1:4999/cb", application_type=kind)

    response = visitor.ask(client, redirect_uri="http://127.0.0.1:51234/cb")

    assert response.status_code == status
    assert pending_count(client) == (1 if status == 303 else 0)


@pytest.mark.requirement("E7", "AZ-06")
@pytest.mark.parametrize("uri", ["https://app.example/cb#x", "javascript:alert(1)", "data:text/html,x"])
def test_a_dangerous_redirect_uri_is_refused_even_if_somebody_registered_it(
    visitor: Visitor, make_client: MakeClient, uri: str
) -> None:
    client = make_client(redirect_uris=uri)

    response = visitor.ask(client, redirect_uri=uri)

    assert_error_page(response)
    assert pending_count(client) == 0


REFUSED = [
    pytest.param({"response_type": None}, "invalid_request", id="E8", marks=pytest.mark.requirement("E8", "AZ-01")),
    pytest.param(
        {"response_type": "token"},
        "unsupported_response_type",
        id="E9 token",
        marks=pytest.mark.requirement("E9", "AZ-01"),
    ),
    pytest.param(
        {"response_type": "code id_token"},
        "unsupported_response_type",
        id="E9 hybrid",
        marks=pytest.mark.requirement("E9", "AZ-01"),
    ),
    pytest.param(
        {"response_type": "\u202ecode"},
        "unsupported_response_type",
        id="E9 garbage",
        marks=pytest.mark.requirement("E9", "AZ-01"),
    ),
    pytest.param(
        {"scope": ["patient/Observation.rs", "patient/Condition.rs"]},
        "invalid_request",
        id="E11",
        marks=pytest.mark.requirement("E11"),
    ),
    pytest.param({"scope": None}, "invalid_scope", id="E13 missing", marks=pytest.mark.requirement("E13")),
    pytest.param({"scope": "  "}, "invalid_scope", id="E13 blank", marks=pytest.mark.requirement("E13")),
    pytest.param(
        {"scope": 'patient/Observation.rs "x"'}, "invalid_scope", id="E14", marks=pytest.mark.requirement("E14")
    ),
    pytest.param(
        {"scope": "nonsense user/Observation.rs"}, "invalid_scope", id="E16", marks=pytest.mark.requirement("E16")
    ),
    pytest.param({"scope": "system/Observation.rs"}, "invalid_scope", id="E17", marks=pytest.mark.requirement("E17")),
    pytest.param({"aud": None}, "invalid_request", id="E18", marks=pytest.mark.requirement("E18", "AZ-08")),
    pytest.param(
        {"aud": "https://elsewhere.example/fhir"},
        "invalid_request",
        id="E19",
        marks=pytest.mark.requirement("E19", "AZ-08"),
    ),
    pytest.param(
        {"aud": f"{BASE}/Patient"}, "invalid_request", id="E19 prefix", marks=pytest.mark.requirement("E19", "AZ-08")
    ),
    pytest.param(
        {"resource": "https://elsewhere.example/fhir"},
        "invalid_target",
        id="E20 unknown",
        marks=pytest.mark.requirement("E20"),
    ),
    pytest.param({"code_challenge": None}, "invalid_request", id="E21", marks=pytest.mark.requirement("E21", "AZ-07")),
    pytest.param(
        {"code_challenge_method": "plain"},
        "invalid_request",
        id="E22 plain",
        marks=pytest.mark.requirement("E22", "AZ-07"),
    ),
    pytest.param(
        {"code_challenge_method": None},
        "invalid_request",
        id="E22 missing",
        marks=pytest.mark.requirement("E22", "AZ-07"),
    ),
    pytest.param(
        {"code_challenge_method": "s256"},
        "invalid_request",
        id="E22 lower case",
        marks=pytest.mark.requirement("E22", "AZ-07"),
    ),
    pytest.param(
        {"code_challenge": CHALLENGE[:-1]},
        "invalid_request",
        id="E23 short",
        marks=pytest.mark.requirement("E23", "AZ-07"),
    ),
    pytest.param(
        {"code_challenge": CHALLENGE + "="},
        "invalid_request",
        id="E23 padded",
        marks=pytest.mark.requirement("E23", "AZ-07"),
    ),
    pytest.param(
        {"request": "eyJhbGciOiJub25lIn0.e30."},
        "request_not_supported",
        id="E34 request",
        marks=pytest.mark.requirement("E34"),
    ),
    pytest.param(
        {"request_uri": "urn:x"},
        "request_uri_not_supported",
        id="E34 request_uri",
        marks=pytest.mark.requirement("E34"),
    ),
    pytest.param(
        {"registration": "{}"},
        "registration_not_supported",
        id="E34 registration",
        marks=pytest.mark.requirement("E34"),
    ),
    pytest.param(
        {"response_mode": "fragment"}, "invalid_request", id="E36 fragment", marks=pytest.mark.requirement("E36")
    ),
    pytest.param(
        {"response_mode": "web_message"}, "invalid_request", id="E36 unknown", marks=pytest.mark.requirement("E36")
    ),
]


@pytest.mark.requirement("AZ-06", "AZ-18", "SB-02")
@pytest.mark.parametrize(("changes", "error"), REFUSED)
def test_what_is_wrong_is_told_to_the_app(
    visitor: Visitor, make_client: MakeClient, changes: dict[str, Any], error: str
) -> None:
    client = make_client()

    response = visitor.ask(client, **changes)

    assert response.status_code == 303
    assert response.headers["Location"].startswith(f"{REDIRECT_URI}?")
    assert "#" not in response.headers["Location"]
    told = redirect_query(response)
    assert (told["error"], told["state"], told["iss"]) == (error, "state-of-the-app", ISSUER)
    assert "code" not in told
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert (pending_count(client), code_count(client)) == (0, 0)


@pytest.mark.requirement("E12")
@pytest.mark.parametrize("state", [None, ""])
def test_a_missing_state_is_told_without_one(visitor: Visitor, make_client: MakeClient, state: str | None) -> None:
    client = make_client()

    response = visitor.ask(client, state=state)

    assert redirect_query(response)["error"] == "invalid_request"
    assert "state" not in redirect_query(response)
    assert pending_count(client) == 0


@pytest.mark.requirement("E19", "AZ-08")
def test_a_base_that_this_client_may_not_use_is_as_unknown_as_any(
    visitor: Visitor, make_client: MakeClient, other_fhir_server: Any
) -> None:
    client = make_client()

    response = visitor.ask(client, aud=other_fhir_server.base)

    assert redirect_query(response)["error"] == "invalid_request"
    assert (pending_count(client), code_count(client)) == (0, 0)


@pytest.mark.requirement("E20")
def test_resource_and_aud_must_agree(visitor: Visitor, make_client: MakeClient, other_fhir_server: Any) -> None:
    client = make_client()
    client.fhir_servers.add(other_fhir_server)

    response = visitor.ask(client, resource=other_fhir_server.base)

    assert redirect_query(response)["error"] == "invalid_request"
    assert pending_count(client) == 0


@pytest.mark.requirement("E15", "E17", "WF-09")
@pytest.mark.parametrize(
    "scope",
    [
        "patient/Observation.rs nonsense patient/Condition.rs",
        "patient/Observation.rs system/*.rs patient/Condition.rs",
        "patient/Observation.rs patient/Observation.rs patient/Condition.rs",
    ],
    ids=["unknown", "system", "named twice"],
)
def test_what_cannot_be_granted_is_left_out(visitor: Visitor, make_client: MakeClient, scope: str) -> None:
    client = make_client()

    response = visitor.ask(client, scope=scope)

    assert response.status_code == 303
    assert kept(client)["asked"]["scope"] == "patient/Observation.rs patient/Condition.rs"


@pytest.mark.requirement("E15")
def test_a_strict_client_hears_of_every_scope_that_cannot_be_granted(visitor: Visitor, make_client: MakeClient) -> None:
    client = make_client(refuses_unknown_scopes=1)

    response = visitor.ask(client, scope="patient/Observation.rs nonsense")

    assert redirect_query(response)["error"] == "invalid_scope"
    assert pending_count(client) == 0


@pytest.mark.requirement("WF-09", "AZ-08")
@pytest.mark.parametrize("aud", [BASE, f"{BASE}/", BASE.replace("http://", "HTTP://")])
def test_the_spelling_of_the_same_base_does_not_matter(visitor: Visitor, make_client: MakeClient, aud: str) -> None:
    client = make_client()

    response = visitor.ask(client, aud=aud)

    assert response.status_code == 303
    assert kept(client)["asked"]["aud"] == BASE


def kept(client: Any) -> dict[str, Any]:
    """What waits for a person."""
    found: dict[str, Any] = json.loads(PendingRequest.objects.get(client=client).request)
    return found
