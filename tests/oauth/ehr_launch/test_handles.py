"""An EHR launch at authorize: rows E24 to E28, AZ-10, and the context that rides to the FHIR server."""

import json
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlencode

import httpx
import pytest

from accounts import clock
from oauth.models import ActsFor, Authorization, EncounterRecord, Launch, PatientRecord, PendingRequest
from smart.digests import sha256_hex
from tests.conftest import BASE, REDIRECT_URI, VERIFIER, App
from tests.fixture_types import Introspect, Issue, MakeClient, MakePerson, SetClock
from tests.oauth.visitor import FORM, Visitor, good_request, redirect_query

SCOPE = "launch patient/Observation.rs"
CONTEXT = {
    "patient": "amy",
    "encounter": "e-1",
    "need_patient_banner": False,
    "intent": "reconcile",
    "tenant": "clinic 7",
    "smart_style_url": "https://ehr.example.org/style.json",
    "fhirContext": [
        {"reference": "ImagingStudy/77"},
        {"reference": "ImagingStudy/78", "role": "https://example.org/roles/prior"},
    ],
}


class MakeLaunch(Protocol):
    def __call__(
        self, client: Any, *, user: Any = None, context: Any = None, life: int = 300, **fields: Any
    ) -> str: ...


@pytest.fixture
def client(make_client: MakeClient) -> Any:
    return make_client(
        scope="launch launch/patient patient/*.rs offline_access", grants="authorization_code refresh_token"
    )


@pytest.fixture
def green(make_person: MakePerson) -> Any:
    return make_person("amy", "ben", is_="Practitioner/dr-test")


@pytest.fixture
def make_launch(fhir_server: Any, green: Any) -> MakeLaunch:
    """A handle that waits for its app."""

    def make(client: Any, *, user: Any = None, context: Any = None, life: int = 300, **fields: Any) -> str:
        from accounts import clock
        from smart.digests import random_token

        handle = random_token()
        known = {"user": user or green, "context": json.dumps(CONTEXT if context is None else context)}
        expires_at = clock.now() + life * 1_000_000
        Launch.objects.create(
            **{
                "client": client,
                "fhir_server": fhir_server,
                "expires_at": expires_at,
                "digest": sha256_hex(handle),
                **known,
                **fields,
            }
        )
        return handle

    return make


def is_unused(handle: str) -> bool:
    return not Launch.objects.get(digest=sha256_hex(handle)).consumed_at


def assert_refused(response: httpx.Response, error: str, description: str) -> None:
    """An error redirect to the app that leaks nothing (AZ-18)."""
    assert response.status_code == 303
    assert response.headers["Location"].startswith(f"{REDIRECT_URI}?")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    answer = redirect_query(response)
    assert answer.pop("error_uri").startswith("http://127.0.0.1:8000/explain/")
    assert answer == {
        "error": error,
        "error_description": description,
        "state": "state-of-the-app",
        "iss": "http://127.0.0.1:8000",
    }


def nothing_waits(client: Any) -> bool:
    return not PendingRequest.objects.filter(client=client).exists()


def token(app: App, client: Any, response: httpx.Response) -> dict[str, Any]:
    """What the app gets for the code of that answer."""
    form = {
        "grant_type": "authorization_code",
        "code": redirect_query(response)["code"],
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
        "client_id": client.client_id,
    }
    found = app.post("/o/token", data=form)
    assert found.status_code == 200, found.text
    told: dict[str, Any] = found.json()
    return told


@pytest.mark.requirement("AZ-10", "LC-02", "LC-06")
def test_the_launching_user_decides_and_the_app_is_told_the_context(
    app: App, visitor: Visitor, client: Any, green: Any, make_launch: MakeLaunch, introspect: Introspect
) -> None:
    record = PatientRecord.objects.get(fhir_server__base=BASE, patient="amy")
    EncounterRecord.objects.get_or_create(record=record, encounter="e-1", defaults={"kind": "Check-up"})
    handle = make_launch(client)

    page = visitor.sign_in(visitor.follow(visitor.ask(client, scope=SCOPE, launch=handle)), green)
    assert page.url.path.endswith("/consent"), page.text  # no picker
    assert "Check-up" in page.text
    told = token(app, client, visitor.allow(page))

    assert told["scope"] == SCOPE
    assert {name: told.get(name) for name in CONTEXT} == CONTEXT
    assert told["need_patient_banner"] is False
    claims = introspect(told["access_token"])
    assert {name: claims.get(name) for name in CONTEXT} == CONTEXT


@pytest.mark.requirement("LC-10")
def test_the_context_survives_refresh(
    app: App, visitor: Visitor, client: Any, green: Any, make_launch: MakeLaunch
) -> None:
    handle = make_launch(client)
    scope = f"{SCOPE} offline_access"
    page = visitor.sign_in(visitor.follow(visitor.ask(client, scope=scope, launch=handle)), green)
    first = token(app, client, visitor.allow(page))

    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], "client_id": client.client_id}
    again = app.post("/o/token", data=form)

    assert again.status_code == 200, again.text
    assert {name: again.json().get(name) for name in CONTEXT} == CONTEXT


@pytest.mark.requirement("AZ-10", "EL-02")
def test_the_handle_is_used_up_when_the_request_is_stored(
    client: Any, visitor: Visitor, make_launch: MakeLaunch
) -> None:
    handle = make_launch(client)

    first = visitor.ask(client, scope=SCOPE, launch=handle)
    second = visitor.ask(client, scope=SCOPE, launch=handle)

    assert first.headers["Location"].startswith("/o/authorize/")
    assert_refused(second, "invalid_request", "launch is unknown, used, expired or for another app")
    (row,) = PendingRequest.objects.filter(client=client)
    assert row.launch == Launch.objects.get(digest=sha256_hex(handle))
    assert handle not in row.request
    assert json.loads(row.request)["asked"]["launch"] == ""


@pytest.mark.requirement("AZ-10", "E42")
def test_a_request_that_cannot_be_stored_leaves_its_launch_unused(
    client: Any, visitor: Visitor, make_launch: MakeLaunch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise RuntimeError("broken on the way")

    handle = make_launch(client)
    monkeypatch.setattr("oauth.authorization.authorize.store", failing)

    response = visitor.ask(client, scope=SCOPE, launch=handle)

    assert redirect_query(response)["error"] == "server_error"
    assert is_unused(handle)


@pytest.mark.requirement("AZ-10", "AZ-02")
def test_a_launch_may_come_by_post(client: Any, visitor: Visitor, make_launch: MakeLaunch) -> None:
    handle = make_launch(client)

    body = urlencode(good_request(client, scope=SCOPE, launch=handle))
    response = visitor.request("POST", "/o/authorize", content=body, headers=FORM)

    assert response.headers["Location"].startswith("/o/authorize/")
    assert not is_unused(handle)


@pytest.mark.requirement("E24", "AZ-10")
def test_the_scope_without_the_parameter(client: Any, visitor: Visitor) -> None:
    response = visitor.ask(client, scope=SCOPE)

    assert_refused(response, "invalid_request", "scope launch needs the launch parameter")
    assert nothing_waits(client)


@pytest.mark.requirement("E25", "AZ-10")
@pytest.mark.parametrize("case", ["unknown", "expired", "from the future", "used", "another client's", "unspeakable"])
def test_a_handle_that_cannot_be_used(
    client: Any, visitor: Visitor, make_launch: MakeLaunch, make_client: MakeClient, case: str
) -> None:
    handles: dict[str, Callable[[], str]] = {
        "unknown": lambda: "no-such-handle",
        "expired": lambda: make_launch(client, life=-1),
        "from the future": lambda: make_launch(client, created_at=clock.now() + 60_000_000),
        "used": lambda: make_launch(client, consumed_at=1),
        "another client's": lambda: make_launch(make_client()),
        "unspeakable": lambda: "é" * 500,
    }
    handle = handles[case]()
    before = list(Launch.objects.order_by("pk").values())

    response = visitor.ask(client, scope=SCOPE, launch=handle)

    assert_refused(response, "invalid_request", "launch is unknown, used, expired or for another app")
    assert nothing_waits(client)
    assert list(Launch.objects.order_by("pk").values()) == before


@pytest.mark.requirement("PR-08", "EL-02", "E25")
@pytest.mark.parametrize(("late", "lives"), [(-1, True), (0, False)], ids=["before", "at"])
def test_a_handle_is_dead_from_its_last_moment_on(
    client: Any, visitor: Visitor, make_launch: MakeLaunch, set_clock: SetClock, late: int, lives: bool
) -> None:
    handle = make_launch(client)

    set_clock(Launch.objects.get(digest=sha256_hex(handle)).expires_at + late)
    response = visitor.ask(client, scope=SCOPE, launch=handle)

    assert response.headers["Location"].startswith("/o/authorize/") is lives
    assert is_unused(handle) is not lives


@pytest.mark.requirement("E26", "AZ-10", "EL-03")
def test_a_handle_of_another_base(
    client: Any, visitor: Visitor, make_launch: MakeLaunch, other_fhir_server: Any
) -> None:
    handle = make_launch(client)
    client.fhir_servers.add(other_fhir_server)

    response = visitor.ask(client, scope=SCOPE, launch=handle, aud=other_fhir_server.base)

    assert_refused(response, "invalid_request", "launch belongs to another FHIR base")
    assert nothing_waits(client)
    assert is_unused(handle)


@pytest.mark.requirement("E27", "AZ-10")
def test_another_user_is_told_so_and_never_whose_it_is(
    client: Any, visitor: Visitor, green: Any, make_launch: MakeLaunch, make_person: MakePerson
) -> None:
    green.name = "Dr Ruth Green"
    green.save()
    amy = make_person("amy")

    page = visitor.sign_in(visitor.follow(visitor.ask(client, scope=SCOPE, launch=make_launch(client))), amy)

    assert page.status_code == 403
    assert page.url.path.endswith("/another-user")
    assert "This launch was made for another user" in page.text
    assert f'You are signed in as <strong dir="auto">{amy}</strong>' in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert REDIRECT_URI.rpartition("/")[0] in page.headers["Content-Security-Policy"].partition("form-action")[2]
    assert "Green" not in page.text
    assert green.username not in page.text
    assert not Authorization.objects.filter(client=client).exists()


@pytest.mark.requirement("E27")
def test_another_user_says_no_and_the_app_hears_it(
    client: Any, visitor: Visitor, make_launch: MakeLaunch, make_person: MakePerson
) -> None:
    page = visitor.sign_in(
        visitor.follow(visitor.ask(client, scope=SCOPE, launch=make_launch(client))), make_person("amy")
    )

    response = visitor.send(page, cancel="1")

    assert_refused(response, "access_denied", "the user did not allow access")
    assert not Authorization.objects.filter(client=client).exists()


@pytest.mark.requirement("E27", "AZ-10")
def test_the_launching_user_may_sign_in_instead(
    app: App, client: Any, visitor: Visitor, green: Any, make_launch: MakeLaunch, make_person: MakePerson
) -> None:
    page = visitor.sign_in(
        visitor.follow(visitor.ask(client, scope=SCOPE, launch=make_launch(client))), make_person("ben")
    )
    body = {"csrfmiddlewaretoken": page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]}
    switched = visitor.request(
        "POST", str(page.url).replace("/another-user", "/another-account"), content=urlencode(body), headers=FORM
    )

    consent = visitor.sign_in(visitor.follow(switched), green)

    assert token(app, client, visitor.allow(consent))["patient"] == "amy"


@pytest.mark.requirement("E27", "AZ-20")
@pytest.mark.parametrize("step", ["consent", "patient"])
def test_another_user_gets_to_no_step_of_it(
    client: Any, visitor: Visitor, make_launch: MakeLaunch, make_person: MakePerson, step: str
) -> None:
    page = visitor.sign_in(
        visitor.follow(visitor.ask(client, scope=SCOPE, launch=make_launch(client))), make_person("amy", "ben")
    )
    body = {"csrfmiddlewaretoken": page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]}
    address = str(page.url).replace("another-user", step)

    read = visitor.follow(visitor.request("GET", address))
    answered = visitor.request(
        "POST", address, content=urlencode({**body, "answer": "allow", "ask": "1"}), headers=FORM
    )

    assert read.url.path.endswith("/another-user")
    assert answered.status_code == 403
    assert not Authorization.objects.filter(client=client).exists()


@pytest.mark.requirement("E28")
@pytest.mark.parametrize("allowed", ["launch launch/patient patient/*.rs", "launch/patient patient/*.rs"])
def test_without_the_scope_the_handle_stays_and_there_is_no_context(
    app: App, client: Any, visitor: Visitor, make_launch: MakeLaunch, make_person: MakePerson, allowed: str
) -> None:
    client.scope = allowed
    client.save()
    handle = make_launch(client)

    scope = "launch/patient patient/Observation.rs" if "launch launch" in allowed else "launch patient/Observation.rs"
    page = visitor.sign_in(visitor.follow(visitor.ask(client, scope=scope, launch=handle)), make_person("ben"))
    told = token(app, client, visitor.allow(page))

    assert told["patient"] == "ben"
    assert not CONTEXT.keys() - {"patient"} & told.keys()
    assert "launch" not in told["scope"].split()
    assert is_unused(handle)


@pytest.mark.requirement("E28")
def test_a_strict_client_is_refused_without_the_scope(client: Any, visitor: Visitor, make_launch: MakeLaunch) -> None:
    client.refuses_unknown_scopes = 1
    client.save()
    handle = make_launch(client)

    response = visitor.ask(client, launch=handle)

    assert_refused(response, "invalid_request", "the launch parameter needs the scope launch")
    assert is_unused(handle)
    assert nothing_waits(client)


@pytest.mark.requirement("AZ-10", "LC-10")
def test_the_patient_of_a_launch_cannot_be_switched(
    app: App, client: Any, visitor: Visitor, green: Any, make_launch: MakeLaunch
) -> None:
    page = visitor.sign_in(visitor.follow(visitor.ask(client, scope=SCOPE, launch=make_launch(client))), green)
    body = {"csrfmiddlewaretoken": page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]}
    records = ActsFor.objects.filter(identity__user=green, record__patient="ben").values_list("record_id", flat=True)
    address = str(page.url).replace("/consent", "/patient")

    switched = visitor.request("POST", address, content=urlencode({**body, "patient": records[0]}), headers=FORM)

    assert switched.status_code == 303
    assert token(app, client, visitor.allow(visitor.follow(switched)))["patient"] == "amy"


@pytest.mark.requirement("AZ-12", "SD-25")
def test_a_patient_that_the_user_may_no_longer_see_is_refused(
    client: Any, visitor: Visitor, green: Any, make_launch: MakeLaunch
) -> None:
    handle = make_launch(client)
    ActsFor.objects.filter(identity__user=green, record__patient="amy").delete()

    response = visitor.sign_in(visitor.follow(visitor.ask(client, scope=SCOPE, launch=handle)), green)

    assert_refused(response, "access_denied", "there is no record that this user may share")
    assert not Authorization.objects.filter(client=client).exists()


@pytest.mark.requirement("EL-02")
def test_a_patient_that_the_ehr_vouched_for_needs_no_list(
    app: App, client: Any, visitor: Visitor, green: Any, make_launch: MakeLaunch
) -> None:
    handle = make_launch(client, context={"patient": "p-unlisted"}, patient_vouched=1)

    page = visitor.sign_in(visitor.follow(visitor.ask(client, scope=SCOPE, launch=handle)), green)
    told = token(app, client, visitor.allow(page))

    assert told["patient"] == "p-unlisted"
    row = Authorization.objects.get(client=client)
    assert (row.patient, row.patient_vouched) == ("p-unlisted", 1)


def test_a_launch_without_a_patient_leads_to_the_picker(
    client: Any, visitor: Visitor, green: Any, make_launch: MakeLaunch
) -> None:
    handle = make_launch(client, context={"intent": "x"})

    page = visitor.sign_in(visitor.follow(visitor.ask(client, scope=SCOPE, launch=handle)), green)

    assert page.url.path.endswith("/patient"), page.text


@pytest.mark.requirement("LC-07")
def test_an_app_of_smart_2_0_is_told_texts(
    app: App, client: Any, visitor: Visitor, green: Any, make_launch: MakeLaunch, introspect: Introspect
) -> None:
    client.fhir_context_as_text = 1
    client.save()

    page = visitor.sign_in(visitor.follow(visitor.ask(client, scope=SCOPE, launch=make_launch(client))), green)
    told = token(app, client, visitor.allow(page))

    assert told["fhirContext"] == ["ImagingStudy/77"]
    assert introspect(told["access_token"])["fhirContext"] == ["ImagingStudy/77"]


@pytest.mark.requirement("EL-03", "AZ-08")
@pytest.mark.parametrize("aud", [BASE + "/", BASE.replace("http", "HTTP")])
def test_the_base_may_be_written_in_another_way(
    client: Any, visitor: Visitor, make_launch: MakeLaunch, aud: str
) -> None:
    response = visitor.ask(client, scope=SCOPE, launch=make_launch(client), aud=aud)

    assert response.headers["Location"].startswith("/o/authorize/")


def test_the_sweep_forgets_launches_of_yesterday(client: Any, make_launch: MakeLaunch) -> None:
    from oauth.retention.sweeping import sweep

    old, recent = make_launch(client, life=-2 * 86_400), make_launch(client, life=-60)

    sweep()

    assert [row.digest for row in Launch.objects.filter(client=client)] == [sha256_hex(recent)]
    assert not Launch.objects.filter(digest=sha256_hex(old)).exists()


@pytest.mark.requirement("E27", "E32", "AZ-22")
def test_without_a_page_another_user_is_an_error_for_the_app(
    client: Any, visitor: Visitor, make_launch: MakeLaunch, make_person: MakePerson, issue: Issue
) -> None:
    person = make_person("amy")
    issue(client, person)
    visitor.sign_in(visitor.request("GET", "/login"), person)

    response = visitor.follow(visitor.ask(client, scope=SCOPE, launch=make_launch(client), prompt="none"))

    assert_refused(response, "account_selection_required", "prompt none was asked, but the user must act")
    assert Authorization.objects.filter(client=client).count() == 1
