"""OpenID Connect RP-Initiated Logout §2 and §3, without a server."""

from urllib.parse import urlencode

import pytest

from smart.http.parameters import Parameters
from smart.openid.logout import LogoutRequest, RegisteredApp, requesting_client_id, validate_logout
from smart.openid.standard_claims import IdTokenHint

BACK = "https://app.example/left"
APP = RegisteredApp("growth", trusted=True, post_logout_redirect_uris=(BACK, f"{BACK}?from=us"))
HINT = IdTokenHint("u-51c9", "growth")

NO_APP = "post_logout_redirect_uri needs client_id or id_token_hint: whose it is cannot be told"


def asked(extra: str = "", **parameters: str) -> Parameters:
    return Parameters.parse((urlencode(parameters) + extra).encode())


@pytest.mark.requirement("ID-06")
@pytest.mark.parametrize(
    ("parameters", "hint", "leads_to"),
    [
        ({"client_id": "growth", "post_logout_redirect_uri": BACK}, None, BACK),
        ({"id_token_hint": "x", "post_logout_redirect_uri": BACK}, HINT, BACK),
        ({"id_token_hint": "x", "post_logout_redirect_uri": BACK, "state": "a b&c"}, HINT, f"{BACK}?state=a%20b%26c"),
        ({"client_id": "growth", "post_logout_redirect_uri": f"{BACK}?from=us", "state": "s"}, None,
         f"{BACK}?from=us&state=s"),
        ({"id_token_hint": "x", "state": "s"}, HINT, ""),
        ({"client_id": "growth"}, None, ""),
    ],
    ids=str,
)  # fmt: skip
def test_who_asks_well_is_led_back(parameters: dict[str, str], hint: IdTokenHint | None, leads_to: str) -> None:
    ending = validate_logout(asked(**parameters), hint, APP)

    assert ending == LogoutRequest("growth", hint.subject if hint else "", leads_to)


@pytest.mark.requirement("E129", "SB-01")
@pytest.mark.parametrize(
    "address",
    [f"{BACK}/", BACK.upper(), f"{BACK}?x=1", "https://app.example", "https://evil.example/left", "//app.example/left",
     "http://app.example/left", f"{BACK}#", "javascript:alert(1)", "/apps"],
)  # fmt: skip
def test_an_address_that_is_not_exactly_the_apps_own_leads_nowhere(address: str) -> None:
    ending = validate_logout(asked(client_id="growth", post_logout_redirect_uri=address), HINT, APP)

    assert ending == LogoutRequest(why="post_logout_redirect_uri is not one of those registered")


@pytest.mark.requirement("E129")
@pytest.mark.parametrize(
    ("parameters", "hint", "app", "why"),
    [
        ({"id_token_hint": "forged"}, None, APP, "id_token_hint is no ID token of this server"),
        ({"id_token_hint": "x", "client_id": "other"}, HINT, APP, "client_id is not that of the ID token"),
        ({"client_id": "growth"}, None, RegisteredApp(), "client_id is unknown, disabled or not approved"),
        (
            {"id_token_hint": "x"},
            HINT,
            RegisteredApp("growth", False, (BACK,)),
            "client_id is unknown, disabled or not approved",
        ),
        ({}, None, RegisteredApp(), NO_APP),
    ],
    ids=str,
)
def test_what_is_wrong_leads_nowhere(
    parameters: dict[str, str], hint: IdTokenHint | None, app: RegisteredApp, why: str
) -> None:
    assert validate_logout(asked(**parameters, post_logout_redirect_uri=BACK), hint, app) == LogoutRequest(why=why)


@pytest.mark.requirement("E129")
def test_a_parameter_twice_leads_nowhere() -> None:
    ending = validate_logout(asked("&state=b", client_id="growth", post_logout_redirect_uri=BACK, state="a"), None, APP)

    assert ending == LogoutRequest(why="a parameter was sent twice")


def test_the_client_is_named_by_itself_or_by_its_id_token() -> None:
    assert requesting_client_id(asked(client_id="growth"), None) == "growth"
    assert requesting_client_id(asked(), HINT) == "growth"
    assert requesting_client_id(asked(), None) == ""


def test_who_asks_for_nothing_is_asked_about_nothing() -> None:
    assert validate_logout(asked(), None, RegisteredApp()) == LogoutRequest()
