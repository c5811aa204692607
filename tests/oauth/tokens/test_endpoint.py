"""The token endpoint by the lines E44 to E85 of bad input."""

import base64
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from accounts import clock
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.tokens import endpoint
from tests.conftest import BASE, SECRET, App, basic
from tests.fixture_types import Events, Grant, Issue, MakeClient
from tests.oauth.tokens.code_exchange import assert_refused, token_count


@pytest.mark.requirement("TK-02", "TK-03", "CG-01", "CG-06", "WF-16", "LC-01", "LC-02")
@pytest.mark.parametrize("authentication", ["none", "secret"])
def test_a_code_buys_a_token_with_patient_scope_and_lifetime(
    app: App, grant: Grant, make_client: MakeClient, authentication: str
) -> None:
    granted = grant(make_client(authentication))
    headers = basic(granted.client.client_id, SECRET) if authentication == "secret" else {}

    response = app.post("/o/token", data=granted.exchange(), headers=headers)

    answer = response.json()
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert (response.headers["cache-control"], response.headers["pragma"]) == ("no-store", "no-cache")
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 300)
    assert (answer["scope"], answer["patient"]) == ("launch/patient patient/*.rs", "amy")
    assert set(answer) == {"access_token", "token_type", "expires_in", "scope", "patient"}


@pytest.mark.requirement("AT-02", "AT-03", "TK-06", "TK-07")
def test_the_token_is_a_jwt_of_rfc_9068_for_one_fhir_base(issue: Issue, app: App) -> None:
    from joserfc import jwt

    from oauth.keys import signing_keys

    answer = issue()

    published = signing_keys.verification_keys(now=clock.now())
    token = jwt.decode(answer["access_token"], published, algorithms=["ES256"])
    granted = answer["granted"]
    assert token.header["typ"] == "at+jwt"
    assert token.header["alg"] == "ES256"
    assert token.claims["aud"] == BASE
    assert token.claims["iss"] == "http://127.0.0.1:8000"
    assert token.claims["sub"] == granted.person.subject
    assert token.claims["client_id"] == granted.client.client_id
    assert token.claims["exp"] - token.claims["iat"] == 300
    assert (token.claims["patient"], token.claims["scope"]) == ("amy", "launch/patient patient/*.rs")
    moment, _, drawn = token.claims["jti"].partition(".")
    assert int(moment, 16) == token.claims["iat"]
    assert len(drawn) == 22


@pytest.mark.requirement("TK-05", "AZ-17", "SB-04")
def test_no_code_and_no_token_lies_in_the_database(issue: Issue) -> None:
    from django.apps import apps

    answer = issue()

    kept = [
        str(value)
        for model in apps.get_app_config("oauth").get_models()
        for row in model._default_manager.values_list()
        for value in row
    ]
    for secret in (answer["access_token"], answer["granted"].code, answer["access_token"].rpartition(".")[2]):
        assert not [value for value in kept if secret in value]


@pytest.mark.requirement("E44", "TK-01")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_than_post_are_405(app: App, grant: Grant, method: str) -> None:
    granted = grant()

    response = app.request(method, "/o/token", params=granted.exchange())

    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert token_count(granted) == 0


@pytest.mark.requirement("E45", "TK-01")
@pytest.mark.parametrize(
    "options",
    [
        pytest.param(lambda form: {"json": form}, id="json"),
        pytest.param(lambda form: {"params": form}, id="query only"),
        pytest.param(lambda form: {"files": {k: (None, v) for k, v in form.items()}}, id="multipart"),
        pytest.param(lambda form: {"content": urlencode(form).encode()}, id="no content type"),
        pytest.param(lambda form: {"data": form, "params": {"code": form["code"]}}, id="code in the query too"),
        pytest.param(lambda form: {"data": form, "params": {"client_secret": "x"}}, id="a secret in the query"),
        pytest.param(lambda form: {"data": form, "params": {"client_assertion": "x"}}, id="an assertion in the query"),
    ],
)
def test_parameters_belong_in_a_form_body(app: App, grant: Grant, options: Callable[[dict[str, str]], Any]) -> None:
    granted = grant()

    response = app.post("/o/token", **options(granted.exchange()))

    assert_refused(response, 400, "invalid_request")
    assert token_count(granted) == 0


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        pytest.param({"grant_type": None}, 400, "invalid_request", marks=pytest.mark.requirement("E46"), id="missing"),
        *(
            pytest.param(
                {"grant_type": value},
                400,
                "unsupported_grant_type",
                marks=pytest.mark.requirement("E47"),
                id=value,
            )
            for value in (
                "password",
                "implicit",
                "urn:ietf:params:oauth:grant-type:device_code",
                "x",
                "Authorization_code",
            )
        ),
    ],
)
def test_only_grant_types_that_exist_are_served(
    app: App, grant: Grant, changes: dict[str, str], status: int, error: str
) -> None:
    granted = grant()

    response = app.post("/o/token", data=granted.exchange(**changes))

    assert_refused(response, status, error)
    assert token_count(granted) == 0


@pytest.mark.requirement("E48")
def test_a_grant_the_client_may_not_use_is_unauthorized_client(app: App, grant: Grant, make_client: MakeClient) -> None:
    granted = grant(make_client(grants="client_credentials"))

    response = app.post("/o/token", data=granted.exchange())

    assert_refused(response, 400, "unauthorized_client")
    assert token_count(granted) == 0


@pytest.mark.requirement("E49", "TK-08")
@pytest.mark.parametrize("name", ["code", "client_id", "grant_type", "unknown"])
def test_a_parameter_sent_twice_is_refused(app: App, grant: Grant, name: str) -> None:
    granted = grant()
    form = [*granted.exchange(unknown="1").items(), (name, "again")]

    response = app.post(
        "/o/token",
        content=urlencode(form).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert_refused(response, 400, "invalid_request")
    assert token_count(granted) == 0


def test_unknown_parameters_are_ignored(app: App, grant: Grant) -> None:
    response = app.post("/o/token", data=grant().exchange(state="stray", audience="x"))

    assert response.status_code == 200


def header(value: str) -> dict[str, str]:
    return {"Authorization": value}


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("headers", "changes", "status", "error"),
    [
        pytest.param({}, {}, 401, "invalid_client", marks=pytest.mark.requirement("E50"), id="confidential by id only"),
        pytest.param(
            {},
            {"client_id": "nobody"},
            401,
            "invalid_client",
            marks=pytest.mark.requirement("E51"),
            id="unknown client_id",
        ),
        pytest.param(
            {}, {"client_id": None}, 401, "invalid_client", marks=pytest.mark.requirement("E50"), id="nothing at all"
        ),
        pytest.param(
            "ID:wrong", {}, 401, "invalid_client", marks=pytest.mark.requirement("E52"), id="wrong secret in Basic"
        ),
        pytest.param("ID:", {}, 401, "invalid_client", marks=pytest.mark.requirement("WF-04"), id="empty secret"),
        *(
            pytest.param(header(value), {}, 401, "invalid_client", marks=pytest.mark.requirement("E53"), id=name)
            for name, value in [
                ("not base64", "Basic %%%"),
                ("no colon", f"Basic {b64('nocolon')}"),
                ("empty", "Basic "),
                ("no id", f"Basic {b64(':secret')}"),
                ("not utf-8", "Basic " + base64.b64encode(b"\xff\xfe:x").decode()),
                ("a NUL", f"Basic {b64('a%00b:x')}"),
                ("Bearer", "Bearer abc"),
            ]
        ),
        pytest.param(
            f"ID:{SECRET}",
            {"client_secret": SECRET},
            400,
            "invalid_request",
            marks=pytest.mark.requirement("E54", "CL-01"),
            id="Basic and body secret",
        ),
        pytest.param(
            f"ID:{SECRET}",
            {"client_assertion": "eyJ", "client_assertion_type": "x"},
            400,
            "invalid_request",
            marks=pytest.mark.requirement("E54"),
            id="Basic and assertion",
        ),
        pytest.param(
            f"ID:{SECRET}",
            {"client_id": "somebody-else"},
            400,
            "invalid_request",
            marks=pytest.mark.requirement("E55"),
            id="Basic user differs from client_id",
        ),
        pytest.param(
            {},
            {"client_assertion": "eyJ", "client_assertion_type": "x"},
            401,
            "invalid_client",
            marks=pytest.mark.requirement("E56"),
            id="secret client sends an assertion",
        ),
    ],
)
def test_a_client_that_does_not_prove_itself_gets_nothing_and_keeps_its_code(
    app: App, grant: Grant, make_client: MakeClient, headers: Any, changes: Any, status: int, error: str
) -> None:
    granted = grant(make_client("secret"))
    client_id = granted.client.client_id
    if isinstance(headers, str):
        headers = header("Basic " + b64(headers.replace("ID", client_id)))
    form = granted.exchange(**{"client_id": client_id, **changes})

    response = app.post("/o/token", data=form, headers=headers)

    assert_refused(response, status, error)
    again = app.post("/o/token", data=granted.exchange(), headers=basic(client_id, SECRET))
    assert again.status_code == 200


@pytest.mark.requirement("E53", "CL-15")
def test_a_token_in_place_of_a_secret_is_recorded_as_what_it_is(
    app: App, grant: Grant, events: Events, settings: Any
) -> None:
    settings.SMARTAUTH_TRUSTED_PROXIES = 1
    address = f"2001:db8:{secrets.randbelow(65536):x}:{secrets.randbelow(65536):x}::1"

    app.post("/o/token", data=grant().exchange(), headers={"Authorization": "Bearer abc", "X-Forwarded-For": address})

    (event,) = events("client-authentication-failed", address=address)
    assert event.reason == "the Authorization header is not Basic"


@pytest.mark.requirement("E56")
def test_a_public_client_that_sends_a_secret_is_refused(app: App, grant: Grant) -> None:
    granted = grant()

    response = app.post("/o/token", data=granted.exchange(client_secret="anything"))

    assert_refused(response, 401, "invalid_client")
    assert token_count(granted) == 0


@pytest.mark.requirement("CL-03", "TK-04")
def test_an_unknown_client_reads_like_a_wrong_secret(
    app: App, grant: Grant, make_client: MakeClient, settings: Any
) -> None:
    settings.SMARTAUTH_DEV = False  # a developer is told which of the two it is
    granted = grant(make_client("secret"))

    wrong = app.post("/o/token", data=granted.exchange(), headers=basic(granted.client.client_id, "wrong"))
    unknown = app.post("/o/token", data=granted.exchange(), headers=basic("nobody-of-that-name", "wrong"))

    assert wrong.content == unknown.content
    assert wrong.status_code == unknown.status_code
    assert {k: v for k, v in wrong.headers.items() if k != "x-request-id"} == {
        k: v for k, v in unknown.headers.items() if k != "x-request-id"
    }


@pytest.mark.requirement("E57")
@pytest.mark.parametrize("state", ["rotated out", "disabled"])
def test_an_old_secret_and_a_disabled_client_are_refused(
    app: App, grant: Grant, make_client: MakeClient, state: str
) -> None:
    from oauth.models import Client

    granted = grant(make_client("secret"))
    client = Client.objects.filter(pk=granted.client.pk)
    if state == "disabled":
        client.disable()
    else:
        client.update(
            secret_digest="another", old_secret_digest=granted.client.secret_digest, old_secret_until=clock.now() - 1
        )

    response = app.post("/o/token", data=granted.exchange(), headers=basic(granted.client.client_id, SECRET))

    assert_refused(response, 401, "invalid_client")
    assert token_count(granted) == 0


@pytest.mark.requirement("RG-08")
def test_the_old_secret_works_until_its_overlap_ends(app: App, grant: Grant, make_client: MakeClient) -> None:
    granted = grant(make_client("secret"))
    granted.client.old_secret_digest, granted.client.secret_digest = granted.client.secret_digest, "another"
    granted.client.old_secret_until = clock.now() + 60_000_000
    granted.client.save()

    response = app.post("/o/token", data=granted.exchange(), headers=basic(granted.client.client_id, SECRET))

    assert response.status_code == 200


@pytest.mark.requirement("E58", "TK-10")
def test_too_many_failures_from_one_address_are_429_and_lock_nobody_else(
    app: App, grant: Grant, make_client: MakeClient
) -> None:
    granted = grant(make_client("secret"))
    client_id = granted.client.client_id

    answers = [app.post("/o/token", data=granted.exchange(), headers=basic(client_id, "guess")) for _ in range(10)]

    assert [answer.status_code for answer in answers] == [401] * 9 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 900
    assert answers[-1].headers["cache-control"] == "no-store"
    assert app.post("/o/token", data=granted.exchange(), headers=basic(client_id, SECRET)).status_code == 200


@pytest.mark.requirement("WF-02", "CL-01")
def test_basic_is_read_raw_and_percent_encoded(app: App, grant: Grant, make_client: MakeClient) -> None:
    first, second = grant(make_client("secret")), grant(make_client("secret"))
    encoded = "".join(f"%{ord(c):02X}" if not c.isalnum() else c for c in f"{second.client.client_id}")
    encoded_secret = "".join(f"%{ord(c):02X}" if not c.isalnum() else c for c in SECRET)

    raw = app.post("/o/token", data=first.exchange(), headers=basic(first.client.client_id, SECRET))
    percent = app.post("/o/token", data=second.exchange(), headers=basic(encoded, encoded_secret))

    assert (raw.status_code, percent.status_code) == (200, 200)


@pytest.mark.requirement("WF-03")
def test_basic_with_the_same_client_id_in_the_body_and_a_stray_state_is_accepted(
    app: App, grant: Grant, make_client: MakeClient
) -> None:
    granted = grant(make_client("secret"))
    client_id = granted.client.client_id

    response = app.post(
        "/o/token", data=granted.exchange(client_id=client_id, state="s"), headers=basic(client_id, SECRET)
    )

    assert response.status_code == 200


@pytest.mark.requirement("CL-02")
def test_the_secret_in_the_body_works_here_only_where_it_is_switched_on(
    app: App, grant: Grant, make_client: MakeClient, settings: Any, events: Events
) -> None:
    granted = grant(make_client("secret"))
    form = granted.exchange(client_id=granted.client.client_id, client_secret=SECRET)

    strict = app.post("/o/token", data=form)
    by_basic = app.post("/o/token", data=granted.exchange(), headers=basic(granted.client.client_id, "wrong"))
    settings.SMARTAUTH_TOKEN_SECRET_IN_BODY = True
    wrong = app.post("/o/token", data={**form, "client_secret": "wrong"})
    loose = app.post("/o/token", data=form)

    assert_refused(strict, 401, "invalid_client")
    told = strict.json()["error_description"]
    assert told.endswith("here a secret is taken by HTTP Basic (client_secret_basic), not in the body")
    others = [answer.json()["error_description"] for answer in (by_basic, wrong)]
    assert others == ["client authentication failed"] * 2
    assert loose.status_code == 200
    reasons = [event.reason for event in events("client-authentication-failed", client=granted.client.client_id)]
    assert "client_secret in the body is switched off" in reasons[0]


@pytest.mark.requirement("CL-03")
def test_a_secret_in_the_body_hears_the_same_whether_it_is_right_wrong_or_nobodys(
    app: App, grant: Grant, make_client: MakeClient
) -> None:
    granted = grant(make_client("secret"))
    tries = [(granted.client.client_id, SECRET), (granted.client.client_id, "wrong"), ("nobody-knows-me", SECRET)]

    answers = [
        app.post("/o/token", data=granted.exchange(client_id=client_id, client_secret=secret))
        for client_id, secret in tries
    ]

    assert {answer.status_code for answer in answers} == {401}
    told = [{name: value for name, value in answer.json().items() if name != "error_uri"} for answer in answers]
    assert told[0] == told[1] == told[2]  # in development each has a page of its own


@pytest.mark.parametrize(("grant_type", "is_answered"), [("client_credentials", True), ("refresh_token", False)])
def test_what_a_batch_has_answered_is_not_asked_again_alone(
    app: App, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, grant_type: str, is_answered: bool
) -> None:
    async def together(_: MachineRequest) -> MachineResponse:
        return MachineResponse(200, b'{"answered": "together"}')

    monkeypatch.setitem(endpoint.GATHERED, "client_credentials", together)
    form = {"grant_type": grant_type, "client_id": make_client().client_id}

    assert ("answered" in app.post("/o/token", data=form).json()) is is_answered
