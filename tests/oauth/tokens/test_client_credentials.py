"""client_credentials: a backend service asks for itself (SMART Backend Services, E95 to E98)."""

import json
from base64 import urlsafe_b64decode
from typing import Any

import httpx
import pytest

from accounts import clock
from oauth.models import AccessToken
from oauth.tokens.client_credentials import BackendRow, authorize_client, is_current
from smart.http.errors import TemporarilyUnavailable
from smart.http.parameters import Parameters
from smart.tokens.client_credentials import BackendGrant
from tests.conftest import BASE, SECRET, App, basic
from tests.explained import error_of
from tests.fixture_types import Events, Introspect, Issue, MakeClient, MakeResourceServer
from tests.oauth.tokens.service_client import SCOPE, Ask, standing
from tests.signing import Pair, assertion_form, jwks, new_pair, pair

OTHER = "https://other.example.org/fhir"

EC, RSA = pair("ES384"), pair("RS384")


def claims(token: str) -> dict[str, Any]:
    """What stands in the middle of a JWT."""
    found: dict[str, Any] = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    return found


@pytest.mark.requirement("BK-04", "BK-05", "TK-03")
@pytest.mark.requirement("TK-06", "TK-02")
def test_a_service_gets_a_short_token_and_nothing_else(make_service: MakeClient, ask: Ask) -> None:
    response = ask(make_service())

    answer = response.json()
    token = answer.pop("access_token")
    assert response.status_code == 200
    assert answer == {"token_type": "Bearer", "expires_in": 300, "scope": "system/Patient.r"}
    assert claims(token)["exp"] - claims(token)["iat"] == 300
    assert (response.headers["Cache-Control"], response.headers["Pragma"]) == ("no-store", "no-cache")


@pytest.mark.requirement("BK-01", "CL-05", "RG-03")
@pytest.mark.parametrize("key", [EC, RSA], ids=["ES384", "RS384"])
def test_a_service_proves_itself_by_its_keys(
    make_service: MakeClient, app: App, introspect: Introspect, key: Pair
) -> None:
    service = make_service("keys", backend_by_secret=0, jwks=jwks(EC, RSA))
    form = {"grant_type": "client_credentials", "scope": SCOPE, **assertion_form(key.assertion(service.client_id))}

    response = app.post("/o/token", data=form)
    again = app.post("/o/token", data=form)

    assert response.status_code == 200
    assert (response.json()["scope"], response.json()["expires_in"]) == (SCOPE, 300)
    assert_refused(again, 401, "invalid_client")
    assert introspect(response.json()["access_token"])["sub"] == service.client_id


@pytest.mark.requirement("BK-01", "CL-09")
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"client_assertion": None}, id="no assertion"),
        pytest.param({"client_assertion_type": None}, id="no assertion type"),
        pytest.param({"client_assertion_type": "urn:else"}, id="another assertion type"),
        pytest.param({"client_assertion": new_pair("ES384", EC.kid).assertion("other")}, id="signed by nobody we know"),
        pytest.param({"client_assertion": "no.jwt"}, id="no JWT"),
    ],
)
def test_a_service_that_does_not_prove_itself_gets_nothing(
    make_service: MakeClient, app: App, changes: dict[str, str | None]
) -> None:
    service = make_service("keys", jwks=jwks(EC))
    proof = {**assertion_form(EC.assertion(service.client_id)), "client_id": service.client_id, **changes}
    form = {"grant_type": "client_credentials", "scope": SCOPE, **proof}

    response = app.post("/o/token", data={name: value for name, value in form.items() if value is not None})

    assert_refused(response, 401, "invalid_client")
    assert standing(service) == []


@pytest.mark.requirement("E95", "CL-01")
def test_a_service_with_keys_has_no_secret_to_ask_by(make_service: MakeClient, app: App) -> None:
    service = make_service("keys", jwks=jwks(EC))

    form = {"grant_type": "client_credentials", "scope": SCOPE}
    response = app.post("/o/token", data=form, headers=basic(service.client_id, SECRET))

    assert_refused(response, 401, "invalid_client")


@pytest.mark.requirement("TK-06", "BK-04")
@pytest.mark.parametrize(
    ("server", "client", "default", "seconds"),
    [(0, 0, 300, 300), (0, 3600, 3600, 300), (3600, 0, 300, 300), (0, 60, 300, 60), (120, 0, 300, 120), (0, 0, 90, 90)],
)
def test_it_lives_five_minutes_at_most_whatever_is_configured(
    make_service: MakeClient,
    ask: Ask,
    other_fhir_server: Any,
    settings: Any,
    server: int,
    client: int,
    default: int,
    seconds: int,
) -> None:
    settings.SMARTAUTH_ACCESS_TOKEN_SECONDS = default
    service = make_service(access_token_seconds=client)
    service.fhir_servers.set([other_fhir_server])
    type(other_fhir_server).objects.filter(pk=other_fhir_server.pk).update(access_token_seconds=server)

    answer = ask(service).json()

    type(other_fhir_server).objects.filter(pk=other_fhir_server.pk).update(access_token_seconds=0)
    assert answer["expires_in"] == seconds


@pytest.mark.requirement("BK-06", "IN-02", "IN-05")
def test_its_subject_is_the_client_and_no_person(make_service: MakeClient, ask: Ask, introspect: Introspect) -> None:
    service = make_service()

    token = ask(service).json()["access_token"]

    told, written = introspect(token), claims(token)
    assert told["active"] is True
    assert told["sub"] == told["client_id"] == written["sub"] == written["client_id"] == service.client_id
    assert (told["scope"], told["aud"], told["exp"]) == ("system/Patient.r", BASE, written["exp"])
    assert {"fhirUser", "username", "patient", "jti"}.isdisjoint(told)
    assert {"fhirUser", "patient"}.isdisjoint(written)


@pytest.mark.requirement("E95", "E48", "BK-01")
@pytest.mark.parametrize(
    ("authentication", "fields"),
    [
        pytest.param("none", {}, id="public"),
        pytest.param("secret", {"backend_by_secret": 0}, id="a secret, which is not switched on"),
        pytest.param("secret", {"grants": "authorization_code"}, id="a client of another grant"),
        pytest.param("secret", {"profile": "openid"}, id="an app that is not SMART"),
    ],
)
def test_who_may_not_ask_for_itself(
    make_service: MakeClient, ask: Ask, events: Events, authentication: str, fields: dict[str, Any]
) -> None:
    client = make_service(authentication, **fields)

    assert_refused(ask(client), 400, "unauthorized_client")
    assert standing(client) == []
    assert events("issued", client=client.client_id) == []


@pytest.mark.requirement("E97", "BK-02", "SCP-06")
def test_what_is_not_registered_is_left_out_and_the_answer_tells(
    make_service: MakeClient, ask: Ask, introspect: Introspect
) -> None:
    answer = ask(make_service(), "system/Patient.rs system/Condition.rs openid").json()

    assert answer["scope"] == introspect(answer["access_token"])["scope"] == "system/Patient.r"


@pytest.mark.requirement("E96", "E98", "SCP-19")
@pytest.mark.parametrize(
    "scope",
    [
        pytest.param(None, id="missing"),
        pytest.param("", id="empty"),
        pytest.param(" ", id="blank"),
        pytest.param("system/Encounter.rs", id="outside"),
        pytest.param("system/Patient", id="malformed"),
        pytest.param('system/Patient.r "', id="a character that is not allowed"),
        pytest.param("patient/Patient.r", id="patient without a binding"),
        pytest.param("user/Patient.r", id="user"),
        pytest.param("openid", id="openid"),
        pytest.param("fhirUser", id="fhirUser"),
        pytest.param("launch", id="launch"),
        pytest.param("offline_access", id="offline_access"),
        pytest.param("online_access", id="online_access"),
    ],
)
def test_a_scope_of_which_nothing_is_left(
    make_service: MakeClient, ask: Ask, introspect: Introspect, scope: str | None
) -> None:
    own = "openid fhirUser launch offline_access online_access user/*.rs patient/*.rs"
    service = make_service(scope=f"{SCOPE} {own}")
    alive = ask(service).json()["access_token"]

    response = ask(service, scope=scope)

    assert_refused(response, 400, "invalid_scope")
    assert introspect(alive)["active"] is True


@pytest.mark.requirement("BK-03", "RG-09", "LC-02")
@pytest.mark.requirement("IN-03")
def test_a_bound_service_is_told_its_patient(make_service: MakeClient, ask: Ask, introspect: Introspect) -> None:
    service = make_service(scope=f"{SCOPE} patient/*.rs", backend_patient="amy")

    answer = ask(service, "patient/Observation.rs user/*.rs").json()

    told = introspect(answer["access_token"])
    assert (answer["scope"], answer["patient"]) == ("patient/Observation.rs", "amy")
    assert (told["scope"], told["patient"], told["sub"]) == ("patient/Observation.rs", "amy", service.client_id)
    assert claims(answer["access_token"])["patient"] == "amy"
    assert [(row.patient, row.user) for row in standing(service)] == [("amy", None)]


@pytest.mark.requirement("IN-07", "SCP-18")
def test_the_scope_to_introspect_is_for_who_is_registered_for_it(make_service: MakeClient, ask: Ask) -> None:
    registered, other = make_service(scope=f"{SCOPE} __smartauth.introspect"), make_service()

    assert ask(registered, "__smartauth.introspect").json()["scope"] == "__smartauth.introspect"
    assert_refused(ask(other, "__smartauth.introspect"), 400, "invalid_scope")


@pytest.mark.requirement("E19", "E20")
@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        pytest.param({}, "invalid_request", id="two bases, none named"),
        pytest.param({"aud": "https://nobody.example.org/fhir"}, "invalid_request", id="unknown aud"),
        pytest.param({"resource": "https://nobody.example.org/fhir"}, "invalid_target", id="unknown resource"),
        pytest.param({"aud": BASE, "resource": OTHER}, "invalid_request", id="aud and resource differ"),
    ],
)
def test_the_base_must_be_clear(
    make_service: MakeClient, ask: Ask, other_fhir_server: Any, parameters: dict[str, str], error: str
) -> None:
    service = make_service()
    service.fhir_servers.add(other_fhir_server)

    assert_refused(ask(service, **parameters), 400, error)
    assert standing(service) == []


def test_a_service_of_several_bases_names_the_one_it_means(
    make_service: MakeClient,
    ask: Ask,
    introspect: Introspect,
    other_fhir_server: Any,
    make_resource_server: MakeResourceServer,
    app: App,
) -> None:
    service, caller = make_service(), make_resource_server(other_fhir_server)
    service.fhir_servers.add(other_fhir_server)

    here, there = ask(service, aud=f"{BASE}/").json(), ask(service, resource=OTHER).json()

    asked = {"token": there["access_token"]}
    assert app.post("/o/introspect", data=asked, headers=basic(caller.client_id, SECRET)).json()["aud"] == OTHER
    assert introspect(there["access_token"]) == {"active": False}
    assert introspect(here["access_token"])["aud"] == BASE


@pytest.mark.requirement("BK-07", "PR-01")
@pytest.mark.parametrize(("supersede", "keep", "alive"), [
    ("default", 1, 1), ("default", 3, 3), ("client", 1, 1), ("user-client", 2, 2), ("off", 1, 5),
])  # fmt: skip
def test_so_many_tokens_live_as_the_client_keeps(
    make_service: MakeClient, ask: Ask, introspect: Introspect, supersede: str, keep: int, alive: int
) -> None:
    service = make_service(supersede=supersede, tokens_to_keep=keep)

    tokens = [ask(service).json()["access_token"] for _ in range(5)]

    assert [introspect(token)["active"] for token in tokens] == [False] * (5 - alive) + [True] * alive


@pytest.mark.requirement("BK-07")
def test_the_key_is_client_and_base(
    make_service: MakeClient, ask: Ask, introspect: Introspect, other_fhir_server: Any
) -> None:
    service, another = make_service(backend_patient="amy", scope="system/*.rs patient/*.rs"), make_service()
    service.fhir_servers.add(other_fhir_server)
    first = ask(service, aud=BASE).json()["access_token"]

    ask(another)
    ask(service, aud=OTHER)
    assert introspect(first)["active"] is True
    ask(service, "patient/*.rs", aud=BASE)
    assert introspect(first) == {"active": False}


def test_a_disabled_service_is_refused_and_its_tokens_are_dead(
    make_service: MakeClient, ask: Ask, introspect: Introspect
) -> None:
    service = make_service()
    first = ask(service).json()["access_token"]

    type(service).objects.filter(pk=service.pk).disable()

    assert introspect(first) == {"active": False}
    assert_refused(ask(service), 401, "invalid_client")
    assert ask(service).headers["WWW-Authenticate"].startswith("Basic")


def test_a_service_may_give_its_token_back(
    make_service: MakeClient, ask: Ask, introspect: Introspect, app: App
) -> None:
    service = make_service()
    token = ask(service).json()["access_token"]

    response = app.post("/o/revoke", data={"token": token}, headers=basic(service.client_id, SECRET))

    assert (response.status_code, introspect(token)) == (200, {"active": False})
    assert ask(service).status_code == 200


def test_it_is_recorded_without_a_person(make_service: MakeClient, ask: Ask, events: Events) -> None:
    service = make_service()

    ask(service)
    ask(service)

    assert [event.person for event in events("issued", client=service.client_id)] == ["", ""]
    (event,) = events("superseded", client=service.client_id)
    assert (event.fhir_server, event.person, event.patient) == (BASE, "", "")


@pytest.mark.requirement("PR-04", "PR-03")
def test_a_service_that_has_moved_proves_itself_and_goes_on_from_there(
    make_service: MakeClient, ask: Ask, app: App, make_resource_server: MakeResourceServer
) -> None:
    service, caller = make_service(address_policy="block"), make_resource_server()
    caller.protects.update(tells_addresses=1)

    def active(token: str, address: str) -> bool:
        form = {"token": token, "__client_ip": address}
        found = app.post("/o/introspect", data=form, headers=basic(caller.client_id, SECRET)).json()
        return bool(found["active"])

    first = ask(service).json()["access_token"]
    seen = [active(first, "203.0.113.5"), active(first, "198.51.100.9")]
    second = ask(service).json()["access_token"]

    assert seen == [True, False]
    assert [active(second, "198.51.100.9"), active(second, "203.0.113.5")] == [True, False]
    assert len(standing(service)) == 1


@pytest.mark.requirement("BK-05", "SCP-19")
def test_an_app_of_people_that_may_ask_for_itself_gets_nothing_of_theirs(
    make_service: MakeClient, ask: Ask, introspect: Introspect, issue: Issue
) -> None:
    both = make_service(
        grants="authorization_code refresh_token client_credentials", redirect_uris="https://app.example.org/cb",
        scope=f"{SCOPE} patient/*.rs offline_access openid fhirUser",
    )  # fmt: skip
    person = issue(both, scope="patient/*.rs")["access_token"]

    answer = ask(both, "system/Patient.r offline_access openid fhirUser").json()

    assert answer.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert answer["scope"] == "system/Patient.r"
    assert introspect(person)["active"] is True


@pytest.mark.requirement("AT-01")
def test_at_a_base_of_opaque_tokens_it_is_opaque(
    make_service: MakeClient, ask: Ask, introspect: Introspect, fhir_server: Any
) -> None:
    table = type(fhir_server).objects.filter(pk=fhir_server.pk)
    table.update(token_format="opaque")

    token = ask(make_service()).json()["access_token"]

    table.update(token_format="jwt")
    assert "." not in token
    assert introspect(token)["active"] is True


def assert_refused(response: httpx.Response, status: int, error: str) -> None:
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert error_of(response).keys() == {"error", "error_description"}
    assert (response.headers["Cache-Control"], response.headers["Pragma"]) == ("no-store", "no-cache")


@pytest.mark.requirement("SCP-04")
@pytest.mark.parametrize(("strict", "status"), [(0, 200), (1, 400)])
def test_a_service_that_refuses_unknown_scopes_gets_all_or_nothing(
    make_service: MakeClient, ask: Ask, strict: int, status: int
) -> None:
    assert ask(make_service(refuses_unknown_scopes=strict), "system/Patient.r system/Nothing.r").status_code == status


@pytest.mark.requirement("E96")
@pytest.mark.parametrize("scope", [None, "", " "])
def test_a_request_without_scopes_is_told_so(make_service: MakeClient, ask: Ask, scope: str | None) -> None:
    assert ask(make_service(), scope).json()["error_description"] == "scope is missing"


@pytest.mark.parametrize(
    ("changes", "is_right"),
    [
        ({}, True),
        ({"base": OTHER}, False),
        ({"patient": "amy"}, False),
        ({"allowed_scope": "system/Patient.r"}, False),
        ({"use_address": "203.0.113.5"}, False),
        ({"authorization_pk": None}, False),
    ],
)
def test_an_authorization_is_used_as_it_is_where_nothing_about_it_changes(
    changes: dict[str, Any], is_right: bool
) -> None:
    row = BackendRow("keys", SCOPE, "", 0, "smart", 0, 0, 0, 1, BASE, "r4", 1, "", SCOPE, "")

    assert is_current(row._replace(**changes), BackendGrant(BASE, "system/Patient.r", "", SCOPE)) is is_right


def test_a_service_whose_access_is_being_ended_is_told_to_come_back(make_service: MakeClient) -> None:
    service = make_service()
    type(service).objects.filter(pk=service.pk).disable()

    with pytest.raises(TemporarilyUnavailable) as refused:
        authorize_client(service.pk, Parameters([("scope", SCOPE), ("aud", BASE)]), now=clock.now())

    assert refused.value.event_reason == "the client's access has ended"


@pytest.mark.requirement("HI-08")
def test_no_token_is_issued_whose_event_cannot_be_written(
    make_service: MakeClient, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise RuntimeError("broken on the way")

    monkeypatch.setattr("oauth.tokens.issue.record_events", failing)

    service = make_service()

    assert ask(service).status_code == 500
    assert (standing(service), AccessToken.objects.filter(authorization__client=service).count()) == ([], 0)
