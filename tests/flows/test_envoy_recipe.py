"""The recipe for Envoy: what of a client's request arrives at smartauth, and what at the server behind."""

from collections.abc import Iterator

import httpx
import pytest

from smartauth_probe.catalogue import kinds
from smartauth_probe.development_server import DevelopmentServer
from smartauth_probe.token_order import Order
from tests.gateways import HOSTILE, Front, between_recorders
from tests.strangers import Protected, envoy, envoy_before

pytestmark = pytest.mark.clients

OF_ENVOY = (
    "x-forwarded-proto",
    "x-request-id",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-internal",
    "x-forwarded-for",
)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    yield from between_recorders(envoy_before, tmp_path_factory.mktemp("envoy"))


@pytest.fixture
def front(started: Front) -> Front:
    """With a whole yes."""
    started.smartauth.say(200, X_Smartauth_View="all")
    return started


def test_smartauth_is_asked_by_headers_of_which_none_but_the_token_is_the_clients(front: Front) -> None:
    front.arrives("Patient/amy?x=1", headers=HOSTILE, content=iter([b"{}"]))

    ((method, path, headers),) = front.smartauth.arrived
    assert (method, path) == ("GET", "/access/v1/gateway/fhir/Patient/amy?x=1")
    told = {name: value for name, value in headers.items() if name not in OF_ENVOY}
    assert told == {
        "host": front.base.removeprefix("http://").removesuffix("/fhir"),
        "content-length": "0",
        "authorization": "Bearer x",
        "x-smartauth-authorization": "Basic aXQ6c2VjcmV0",
        "x-smartauth-base": front.base,
        "x-smartauth-understands": "nothing",
    }


def test_nothing_arrives_that_changes_the_request_or_speaks_for_smartauth(front: Front) -> None:
    claims = {f"X-Smartauth-{name}": "ben" for name in ("View", "Patient", "Client", "Sub", "Fhir-User")}

    answer, seen = front.arrives("Patient/amy", headers={**HOSTILE, **claims}, content=iter([b"{}"]))

    changing = (
        "x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url", "x-cascade",
        "x-provenance",
    )  # fmt: skip
    assert answer.status_code == 200
    assert seen[:2] == ("GET", "/fhir/Patient/amy")
    assert not [name for name in changing if name in seen[2]]
    assert [value for value in seen[2].values() if value == "ben"] == ["ben"]  # X-Patient, which is nothing of ours


@pytest.mark.requirement("TV-15")
@pytest.mark.parametrize(
    ("status", "told", "answered"),
    [(401, {"WWW_Authenticate": "Bearer"}, 401), (403, {"WWW_Authenticate": "Bearer error"}, 403), (403, {}, 403)]
    + [(status, {}, 503) for status in (500, 503)]
    + [(status, {}, status) for status in (301, 400, 404, 429)]
    + [(200, {}, 503), (200, {"X_Smartauth_View": "patient"}, 503), (200, {"X_Smartauth_View": "nearly all"}, 503)],
)
def test_what_is_no_whole_yes_opens_nothing(front: Front, status: int, told: dict[str, str], answered: int) -> None:
    """Neither does a client who says the word in smartauth's place."""
    front.smartauth.say(status, **told)

    for headers in ({}, {"X-Smartauth-View": "all"}):
        answer, seen = front.arrives("Patient/amy", headers=headers)
        assert (answer.status_code, seen) == (answered, None)
        assert answer.headers.get("WWW-Authenticate") == told.get("WWW_Authenticate")


@pytest.mark.requirement("TV-15")
def test_without_smartauth_nothing_is_served(front: Front) -> None:
    front.smartauth.breaks = True
    answer, seen = front.arrives("Patient/amy")
    front.smartauth.breaks = False

    assert (answer.status_code, seen) == (503, None)


@pytest.mark.parametrize(
    "path",
    [
        "Patient/amy/../ben",
        "Patient/amy/%2e%2E/ben",
        "Patient/./ben",
        "Patient//ben",
        "Patient/ben;x=1",
        "Patient/b%C3%A9",
    ],
)
def test_smartauth_and_the_server_behind_see_one_path(front: Front, path: str) -> None:
    """Written in odd ways, it is the same to both."""
    _, seen = front.arrives_raw(f"/fhir/{path}")

    ((_, asked, _),) = front.smartauth.arrived
    assert seen[1] == asked.removeprefix("/access/v1/gateway")
    assert ".." not in seen[1]
    assert "%2e" not in seen[1].lower()


@pytest.mark.parametrize(
    "target",
    [
        *("/fhir/Patient/amy%2f..%2fben", "/fhir/Patient/amy%5c..%5cben", "/fhir/../etc", "/fhir/%2e%2e/Patient/amy"),
        *("/fhir/Patient/amy#/metadata", "/fhir/Patient/amy\x01", "fhir/Patient/amy", "/fhir", "//fhir/Patient/amy"),
    ],
)
def test_a_target_that_two_may_read_differently_arrives_nowhere(front: Front, target: str) -> None:
    status, seen = front.arrives_raw(target)

    assert seen is None
    assert status in (400, 404)


def test_a_host_in_the_request_line_changes_nothing_but_the_host(front: Front) -> None:
    status, seen = front.arrives_raw("http://evil.example.org/fhir/Patient/amy")

    ((_, asked, _),) = front.smartauth.arrived
    assert (status, seen[1], asked) == (200, "/fhir/Patient/amy", "/access/v1/gateway/fhir/Patient/amy")


def test_two_tokens_are_told_as_two(front: Front) -> None:
    """smartauth refuses them: which of them the server behind would read nobody knows."""
    front.arrives_raw("/fhir/Patient/amy", "Authorization: Bearer y")

    ((_, _, headers),) = front.smartauth.arrived
    assert headers["authorization"] in ("Bearer x,Bearer y", "Bearer x, Bearer y")


def test_the_capability_statement_is_public_and_nothing_that_looks_like_it(front: Front) -> None:
    front.smartauth.say(403)
    public, seen = front.arrives("metadata", headers={"X-Smartauth-Patient": "ben"})
    assert (public.status_code, seen[1], front.smartauth.arrived) == (200, "/fhir/metadata", [])

    for path, method in (("metadata", "POST"), ("metadata/", "GET"), ("metadata/../Patient/amy", "GET"), ("x", "GET")):
        answer, seen = front.arrives(path, method)
        assert (answer.status_code, seen) == (403, None)


def test_apps_are_led_to_the_document_about_the_base(front: Front) -> None:
    answer, seen = front.arrives(".well-known/smart-configuration")

    target = f"http://{front.smartauth.address}/o/smart-configuration?aud={front.base}"
    assert (answer.status_code, answer.headers["Location"], seen) == (301, target, None)


@pytest.fixture(scope="module")
def protected_by_envoy(protected: Protected) -> Iterator[Protected]:
    """The stranger's base behind Envoy, which asks a smartauth that really decides."""
    processes = envoy(protected.environment, protected.folder)
    yield protected
    for each in processes:
        each.stop()


@pytest.mark.requirement("TV-01", "TV-09", "TV-10")
def test_every_kind_of_the_catalogue_is_answered_as_it_must_be(protected_by_envoy: Protected) -> None:
    """But for the one that is bound to an address, which a gateway does not tell."""
    base, smartauth = protected_by_envoy.base, DevelopmentServer(protected_by_envoy.server.url)
    order: Order = {"client": "several", "user": "amy", "patient": "amy", "aud": base}
    good = []
    for name in kinds():
        if name == "address-blocked":
            continue
        bad = smartauth.bad_token(name, **order)
        answer = bad.send()
        bad.assert_right_answer(answer, of_unknown_id=403)
        assert ('"amy"' in answer.text) == bad.kind.is_good, name
        good += [name] * bad.kind.is_good

    assert len(good) > 3


def test_of_a_patients_app_the_own_record_is_all_that_is_open(protected_by_envoy: Protected) -> None:
    """A gateway that limits nothing gets no conditional yes."""
    token = protected_by_envoy.token()
    own, *others = (
        protected_by_envoy.get(path, token)
        for path in ("Patient/amy", "Patient/ben", "Patient/nobody", "Patient", "Patient?_id=amy", "Observation")
    )

    assert (own.status_code, own.json()["id"]) == (200, "amy")
    assert {each.status_code for each in others} == {403}
    assert others[0].text == others[1].text
    posted = httpx.post(f"{protected_by_envoy.base}/Patient/_search", headers={"Authorization": f"Bearer {token}"})
    assert posted.status_code == 403
