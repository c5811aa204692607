"""Random forms at the endpoints that read them: never a 500, always an answer of the tables."""

import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.conftest import CHALLENGE, REDIRECT_URI, VERIFIER
from tests.running import Server

pytestmark = [pytest.mark.fuzz, pytest.mark.requirement("SD-18", "SD-27")]
bounded = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)

NAMES = [
    "grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret", "client_assertion", "token",
    "client_assertion_type", "refresh_token", "scope", "token_type_hint", "__client_ip", "response_type", "state",
    "aud", "resource", "code_challenge", "code_challenge_method", "nonce", "response_mode", "prompt", "request",
    "request_uri", "registration", "launch", "max_age", "username", "password", "csrfmiddlewaretoken", "",
]  # fmt: skip
KNOWN = [
    "authorization_code", "refresh_token", "client_credentials", "demo-public", "demo-symmetric", "S256", "plain",
    "demo-resource-server", "demo-symmetric-secret", "demo-resource-server-secret", REDIRECT_URI, VERIFIER, CHALLENGE,
    "launch/patient patient/*.rs", "access_token", "127.0.0.1", "::1", "", "0", "-1", "[]", "{}", "null", "code",
    "eyJ9.eyJ9.e30",
]  # fmt: skip
AUTHORIZATION = {
    "response_type": "code", "client_id": "demo-public", "redirect_uri": REDIRECT_URI, "scope": "patient/*.rs",
    "state": "s", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
}  # fmt: skip
values = st.one_of(st.sampled_from(KNOWN), st.text(max_size=60), st.binary(max_size=40))
forms = st.lists(st.tuples(st.one_of(st.sampled_from(NAMES), st.text(max_size=8)), values), max_size=12)
raw = st.binary(min_size=1, max_size=200)


@pytest.fixture(scope="module")
def http(server: Server) -> httpx.Client:
    return httpx.Client(base_url=server.url, timeout=30)


def basic(credentials: bytes) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(credentials).decode()}


def post(http: httpx.Client, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return http.post(path, content=body, headers={"Content-Type": "application/x-www-form-urlencoded", **headers})


def encoded(form: list[tuple[str, str | bytes]]) -> bytes:
    return urlencode(
        [(name.encode("utf-8", "surrogatepass"), value) for name, value in form], errors="surrogatepass"
    ).encode()


@pytest.mark.parametrize("path", ["/o/token", "/o/introspect", "/o/revoke"])
@given(form=forms, credentials=st.one_of(st.none(), st.just(b"demo-resource-server:demo-resource-server-secret"), raw))
@bounded
def test_a_random_form_at_a_machine_s_endpoint(
    http: httpx.Client, path: str, form: list[tuple[str, str | bytes]], credentials: bytes | None
) -> None:
    answer = post(http, path, encoded(form), basic(credentials) if credentials is not None else {})

    assert answer.status_code in (200, 400, 401, 429), answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.status_code == 200 or answer.json()["error"]


@pytest.mark.parametrize("path", ["/o/token", "/o/introspect", "/o/revoke"])
@given(body=raw)
@bounded
def test_random_bytes_at_a_machine_s_endpoint(http: httpx.Client, path: str, body: bytes) -> None:
    answer = post(http, path, body, {})

    assert answer.status_code in (400, 401, 429)
    assert answer.json()["error"] in ("invalid_request", "invalid_client")


ODD_HEADERS: list[object] = [
    [], "x", None, 1, {}, {"alg": None}, {"alg": ["ES256"]}, {"alg": {}}, {"alg": "ES256", "crit": [1]},
    {"alg": "ES256", "crit": "b64", "b64": False}, {"alg": "ES256", "crit": ["b64"], "b64": False}, {"alg": "\ud800"},
    {"alg": "ES256", "kid": []}, {"alg": "RS256", "jwk": "x"}, {"alg": "ES256", "x5c": 3}, b"\xff", b"", b"[" * 5000,
]  # fmt: skip
json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(exclude_categories=()), max_size=8)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)


@given(header=st.one_of(json_values, raw), payload=st.one_of(json_values, raw), signature=raw, jti=json_values)
@bounded
def test_something_that_has_the_form_of_a_jwt(
    http: httpx.Client, header: object, payload: object, signature: bytes, jti: object
) -> None:
    if isinstance(payload, dict):
        payload["jti"] = jti
    token = ".".join(part(value) for value in (header, payload, signature))

    answer = post(
        http,
        "/o/introspect",
        urlencode({"token": token}).encode(),
        basic(b"demo-resource-server:demo-resource-server-secret"),
    )

    assert answer.status_code == 200
    assert answer.json() == {"active": False}


@pytest.mark.requirement("E107")
@pytest.mark.parametrize("header", ODD_HEADERS, ids=range(len(ODD_HEADERS)))
def test_an_odd_header_over_the_identifier_of_a_live_token(http: httpx.Client, alive: str, header: object) -> None:
    jti = json.loads(urlsafe_b64decode(alive.split(".")[1] + "=="))["jti"]

    answer = introspected(http, f"{part(header)}.{part({'jti': jti})}.AAAA")

    assert (answer.status_code, answer.json()) == (200, {"active": False})


@pytest.mark.requirement("E107")
@pytest.mark.parametrize("jti", ["\ud800", "a\0b", "\udfff" * 100, "ü", [], {}, 1, 10**4000, None, True, ""], ids=ascii)
def test_an_odd_identifier(http: httpx.Client, jti: object) -> None:
    answer = introspected(http, f"{part({'alg': 'ES256'})}.{part({'jti': jti})}.AAAA")

    assert (answer.status_code, answer.json()) == (200, {"active": False})


def introspected(http: httpx.Client, token: str) -> httpx.Response:
    caller = basic(b"demo-resource-server:demo-resource-server-secret")
    return post(http, "/o/introspect", urlencode({"token": token}).encode(), caller)


def part(value: object) -> str:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.mark.parametrize("method", ["GET", "POST"])
@given(changes=forms, dropped=st.sets(st.sampled_from(sorted(AUTHORIZATION))))
@example(changes=[], dropped=set())
@bounded
def test_a_random_authorization_request(
    server: Server, http: httpx.Client, method: str, changes: list[tuple[str, str | bytes]], dropped: set[str]
) -> None:
    good = {**AUTHORIZATION, "aud": f"{server.url}/fhir/r4"}
    form = encoded([(name, value) for name, value in good.items() if name not in dropped] + changes)

    get = method == "GET"
    answer = http.get("/o/authorize", params=form.decode()) if get else post(http, "/o/authorize", form, {})

    assert answer.status_code in (303, 400), answer.text
    if not changes and not dropped:
        assert answer.headers["Location"].startswith("/o/authorize/")
    if answer.status_code == 303:
        assert answer.headers["Location"].startswith(("/o/authorize/", REDIRECT_URI + "?"))


@given(body=raw)
@bounded
def test_random_bytes_at_the_authorization_endpoint(http: httpx.Client, body: bytes) -> None:
    assert post(http, "/o/authorize", body, {}).status_code == 400


@given(path=st.text(max_size=30), pairs=forms)
@bounded
def test_a_random_fhir_path(http: httpx.Client, alive: str, path: str, pairs: list[tuple[str, str | bytes]]) -> None:
    target = f"/fhir/r4/{quote(path.encode('utf-8', 'surrogatepass'))}?{encoded(pairs).decode()}"

    answer = http.get(target, headers={"Authorization": f"Bearer {alive}"})

    assert answer.status_code in (200, 400, 403, 404, 405, 406, 414)


@given(name=st.sampled_from(["Patient", "Observation"]), pairs=forms)
@example(name="Patient", pairs=[("_METHOD", "DELETE")])
@bounded
def test_a_random_search_stays_within_one_patient(
    http: httpx.Client, alive: str, name: str, pairs: list[tuple[str, str | bytes]]
) -> None:
    answer = post(http, f"/fhir/r4/{name}/_search", encoded(pairs), {"Authorization": f"Bearer {alive}"})

    asks_for_another_method = any("_method" in part.lower() for part, _ in pairs)  # which some servers obey (TV-29)
    assert answer.status_code in (200, 400) or (answer.status_code == 404 and asks_for_another_method)
    for entry in answer.json().get("entry", []):
        resource = entry["resource"]
        assert "amy" in (resource["id"], resource.get("subject", {}).get("reference", "").removeprefix("Patient/"))


@given(username=values, password=values)
@settings(bounded, max_examples=30)  # each of them costs an Argon2
def test_a_random_login(http: httpx.Client, username: str | bytes, password: str | bytes) -> None:
    page = http.get("/login")
    token = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]

    answer = post(
        http, "/login", encoded([("csrfmiddlewaretoken", token), ("username", username), ("password", password)]), {}
    )

    assert answer.status_code in (422, 429)
