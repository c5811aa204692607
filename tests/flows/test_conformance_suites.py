"""The clients of demo/testers.yaml in the order in which (g)(10) launches them: each launch meets the consent page and
gets what the suite asks; and those of the OpenID suite (docs/how-to/run-test-suites.md)."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.codes import CHALLENGE
from tests.flows.app import PASSWORD, follow, send_form
from tests.flows.inferno import EC, INTROSPECTION, Answer, Inferno
from tests.oauth.jwt import payload
from tests.publishing import publisher_of
from tests.running import ROOT, Server
from tests.signing import jwks

TYPES = (
    "Patient AllergyIntolerance CarePlan CareTeam Condition Coverage Device DiagnosticReport DocumentReference "
    "Encounter Goal Immunization Location Medication MedicationDispense MedicationRequest Observation Organization "
    "Practitioner PractitionerRole Procedure Provenance QuestionnaireResponse RelatedPerson ServiceRequest Specimen"
)
CATEGORY = "http://terminology.hl7.org/CodeSystem"
US_CORE = "http://hl7.org/fhir/us/core/CodeSystem"
WHO = "openid fhirUser offline_access"
GRANULAR_1 = [
    f"patient/Condition.rs?category={CATEGORY}/condition-category|encounter-diagnosis",
    f"patient/Condition.rs?category={US_CORE}/condition-category|health-concern",
    f"patient/Observation.rs?category={CATEGORY}/observation-category|laboratory",
    f"patient/Observation.rs?category={CATEGORY}/observation-category|social-history",
]
GRANULAR_2 = [
    f"patient/Condition.rs?category={CATEGORY}/condition-category|problem-list-item",
    f"patient/Observation.rs?category={CATEGORY}/observation-category|vital-signs",
    f"patient/Observation.rs?category={CATEGORY}/observation-category|survey",
    f"patient/Observation.rs?category={US_CORE}/us-core-category|sdoh",
]
KINDS = {
    "Condition": ["Diagnoses from visits", "Long-term problems", "Health concerns"],
    "Observation": [
        "Clinical tests, such as an ECG", "Laboratory results", "Smoking, work and living", "Living conditions",
        "Questionnaires and surveys", "Vital signs",
    ],
}  # fmt: skip
PATIENT, IDENTITY = "Name, birth date and contact details", "Your name and your role"
FILE = ROOT / "demo/testers.yaml"
Tester = Callable[[str], Inferno]


def scopes(context: str, actions: str = "rs") -> str:
    launch = "launch" if context == "user" else "launch/patient"
    return " ".join([launch, WHO, *(f"{context}/{each}.{actions}" for each in TYPES.split())])


@pytest.fixture(scope="module")
def inferno(server: Server) -> Iterator[str]:
    """The address of a suite that publishes its keys; the server knows its clients by the file as a tester edits it."""
    with publisher_of(jwks(EC)) as publisher:
        address = publisher.url.removesuffix("/jwks")
        file = server.folder / "testers.yaml"
        file.write_text(FILE.read_text(encoding="utf-8").replace("http://localhost/", f"{address}/"), encoding="utf-8")
        server.manage("seed", str(file))
        yield address


@pytest.fixture
def tester(server: Server, inferno: str) -> Tester:
    return lambda username: Inferno(server, inferno, username)


@pytest.mark.requirement("ON-04", "ON-05", "ON-06")
def test_each_launch_of_g10_in_its_order_is_asked_and_gets_what_the_suite_asks(tester: Tester) -> None:
    amy, green = tester("amy"), tester("dr-green")

    full = standalone_with_full_access(amy)
    standalone_with_limited_access(amy, full)
    ehr_launch_of_a_practitioner(green)
    multi_patient_authorization(amy)
    public_client(amy)
    token_revocation(amy, full)
    invalid_requests(amy)
    invalid_code_verifier(amy)
    ehr_launch_with_patient_scopes(green)
    token_introspection(amy)
    asymmetric_client(amy)
    v1_scopes(amy)
    granular_scopes(amy)
    granular_scope_selection(amy)


def standalone_with_full_access(amy: Inferno) -> Answer:
    told = amy.launch("inferno-secret", scopes("patient"))

    assert told["scope"].split() == scopes("patient").split()
    assert (told["patient"], told["expires_in"]) == ("amy", 3600)
    assert payload(told["id_token"])["fhirUser"] == f"{amy.base}/Patient/amy"
    assert amy.read(told, "Patient/amy").json()["id"] == "amy"
    assert httpx.get(f"{amy.base}/Patient/amy", timeout=60).status_code == 401
    assert amy.token("inferno-secret", grant_type="refresh_token", refresh_token="SOME_BAD_TOKEN").status_code == 400
    return amy.refreshed("inferno-secret", told)


def standalone_with_limited_access(amy: Inferno, full: Answer) -> None:
    """The same client, the same scopes, after a full grant that still lives."""
    told = amy.launch("inferno-secret", scopes("patient"), choose=only(PATIENT, IDENTITY))

    granted = {name for name in told["scope"].split() if name.startswith("patient/")}
    assert granted == {"patient/Patient.rs", "patient/Condition.rs", "patient/Observation.rs"}
    assert amy.read(told, "Observation?patient=amy").status_code == 200
    assert amy.read(told, "Encounter?patient=amy").status_code == 403
    assert amy.introspected(full["access_token"])["active"] is True


def ehr_launch_of_a_practitioner(green: Inferno) -> None:
    launch = green.ehr_launch(f"{green.address}/custom/smart/launch", patient="amy", encounter="amy-visit-2")

    told = green.launch("inferno-secret", scopes("user"), post=True, launch=launch)

    assert told["scope"].split() == scopes("user").split()
    assert (told["patient"], told["encounter"], told["need_patient_banner"]) == ("amy", "amy-visit-2", True)
    assert httpx.get(told["smart_style_url"], timeout=60).json()["color_background"]
    assert payload(told["id_token"])["fhirUser"] == f"{green.base}/Practitioner/dr-green"
    assert [green.read(told, path).status_code for path in ("Patient/amy", "Encounter/amy-visit-2")] == [200, 200]
    green.refreshed("inferno-secret", told)


def multi_patient_authorization(amy: Inferno) -> None:
    for client, scope in (("inferno-backend", "system/*.rs"), ("inferno-bulk", "system/*.read")):
        asked = {"grant_type": "client_credentials", "scope": scope}
        told = amy.token(client, **asked).json()

        assert (told["scope"], told["token_type"].lower(), told["expires_in"]) == (scope, "bearer", 300)
        assert amy.read(told, "Patient/ben").status_code == 200
        assert amy.token(client, **{**asked, "grant_type": "not_a_grant_type"}).status_code == 400
        assert amy.token(client, **asked, client_assertion_type="not_an_assertion_type").status_code in (400, 401)
        assert amy.token(client, **asked, client_assertion=EC.assertion("not_a_valid_iss")).status_code in (400, 401)


def public_client(amy: Inferno) -> None:
    told = amy.launch("inferno-public", scopes("patient"))

    assert told["scope"].split() == scopes("patient").split()
    assert amy.read(told, "Patient/amy").status_code == 200
    amy.refreshed("inferno-public", told)


def token_revocation(amy: Inferno, full: Answer) -> None:
    assert amy.read(full, "Patient/amy").status_code == 200

    amy.take_back_everything()

    assert amy.read(full, "Patient/amy").status_code == 401
    refused = amy.token("inferno-secret", grant_type="refresh_token", refresh_token=full["refresh_token"])
    assert refused.status_code == 400


def invalid_requests(amy: Inferno) -> None:
    launched = amy.ask("inferno-secret", scopes("patient"), aud="https://inferno.healthit.gov/invalid_aud")
    code = amy.code("inferno-secret", scopes("patient"))
    bad_code = amy.token("inferno-secret", code="BAD_CODE")
    bad_client = httpx.post(
        f"{amy.server.url}/o/token", data={"grant_type": "authorization_code", "code": code},
        auth=("BAD_CLIENT_ID", "inferno-secret-secret"), timeout=60,
    )  # fmt: skip

    assert "code" not in parse_qs(urlsplit(launched.headers["Location"]).query)
    assert (bad_code.status_code, bad_client.status_code) == (400, 401)


def invalid_code_verifier(amy: Inferno) -> None:
    for verifier in ("x" * 43, "", None, CHALLENGE):
        code = amy.code("inferno-secret", scopes("patient"))

        assert amy.token("inferno-secret", code=code, code_verifier=verifier).status_code == 400


def ehr_launch_with_patient_scopes(green: Inferno) -> None:
    scope = "launch openid fhirUser offline_access patient/Patient.rs"
    launch = green.ehr_launch(f"{green.address}/custom/smart/launch", patient="amy")

    told = green.launch("inferno-secret", scope, launch=launch)

    assert (told["scope"], told["patient"]) == (scope, "amy")
    assert green.read(told, "Patient/amy").status_code == 200


def token_introspection(amy: Inferno) -> None:
    told = amy.launch("inferno-secret", scopes("patient"))

    active = amy.introspected(told["access_token"])

    assert (active["active"], active["scope"], active["client_id"]) == (True, told["scope"], "inferno-secret")
    assert (active["patient"], active["iss"], active["sub"]) == (
        "amy", payload(told["id_token"])["iss"], payload(told["id_token"])["sub"],
    )  # fmt: skip
    assert active["fhirUser"] == payload(told["id_token"])["fhirUser"]
    assert isinstance(active["exp"], int)
    assert amy.introspected("invalid_token_value") == {"active": False}


def asymmetric_client(amy: Inferno) -> None:
    told = amy.launch("inferno-keys", scopes("patient"))

    assert amy.read(told, "Patient/amy").status_code == 200
    assert told["id_token"]
    amy.refreshed("inferno-keys", told)


def v1_scopes(amy: Inferno) -> None:
    told = amy.launch("inferno-secret", scopes("patient", "read"))

    assert told["scope"].split() == scopes("patient", "read").split()


def granular_scopes(amy: Inferno) -> None:
    found = []
    for group in (GRANULAR_1, GRANULAR_2):
        scope = " ".join(["launch/patient", WHO, "patient/Patient.rs", *group])
        told = amy.launch("inferno-secret", scope)
        records = amy.read(told, "Observation?patient=amy").json()["entry"]
        found.append({each["resource"]["category"][0]["coding"][0]["code"] for each in records})

        assert told["scope"].split() == scope.split()
        assert amy.read(told, "Patient/amy").status_code == 200

    assert found == [{"laboratory", "social-history"}, {"vital-signs"}]


def granular_scope_selection(amy: Inferno) -> None:
    scope = f"launch/patient {WHO} patient/Condition.rs patient/Observation.rs patient/Patient.rs"

    told = amy.launch("inferno-secret", scope, choose=some_kinds)

    granted = [name for name in told["scope"].split() if name.startswith("patient/")]
    assert "patient/Patient.rs" in granted
    assert {"patient/Condition.rs", "patient/Observation.rs"}.isdisjoint(granted)
    kinds = [name for name in granted if "?category=" in name]
    assert [sum(name.startswith(f"patient/{each}.rs?") for name in kinds) for each in KINDS] == [3, 6]


def only(*lines: str) -> Callable[[httpx.Response], dict[str, Any]]:
    """Of the lines with one box these; those with kinds stay as they are."""

    def choose(page: httpx.Response) -> dict[str, Any]:
        boxes = re.findall(r'name="ask" value="(\d+)"[^>]*><span>(?:<strong[^>]*>)?([^<]+)', unescape(page.text))
        ticked = [number for number, text in boxes if text.strip() in lines]
        assert len(ticked) == len(lines), boxes
        return {"ask": ticked}

    return choose


def some_kinds(page: httpx.Response) -> dict[str, Any]:
    """Of each type that has kinds those that (g)(10) names."""
    wanted = [kind for kinds in KINDS.values() for kind in kinds]
    chosen: dict[str, Any] = {}
    for line, number, text in re.findall(r'name="(ask-\d+)-kind" value="(\d+)"[^>]*> ([^<]+)', unescape(page.text)):
        if text.strip() in wanted:
            chosen.setdefault(line, "some")
            chosen.setdefault(f"{line}-kind", []).append(number)
    assert sum(len(kinds) for line, kinds in chosen.items() if line.endswith("-kind")) == len(wanted), chosen
    return chosen


CALLBACK = "https://localhost.emobix.co.uk:8443/test/a/smartauth/callback"


@pytest.mark.requirement("ON-06")
def test_the_openid_suite_signs_in_with_both_clients_and_goes_on_without_a_page(server: Server, inferno: str) -> None:
    browser = httpx.Client(base_url=server.url, timeout=60)
    first = signed_in(browser, "openid-suite", CALLBACK)
    second = signed_in(browser, "openid-suite-2", f"{CALLBACK}?dummy1=lorem&dummy2=ipsum")
    quiet = signed_in(browser, "openid-suite", CALLBACK, prompt="none")

    of_another = exchanged(server, "openid-suite-2", first, CALLBACK)
    by_basic = exchanged(server, "openid-suite", quiet, CALLBACK)
    in_body = exchanged(server, "openid-suite-2", second, f"{CALLBACK}?dummy1=lorem&dummy2=ipsum", in_body=True)

    assert of_another.status_code == 400
    for answer in (by_basic, in_body):
        assert (answer.status_code, payload(answer.json()["id_token"])["nonce"]) == (200, "a-nonce")


def signed_in(browser: httpx.Client, client: str, redirect_uri: str, **more: str) -> str:
    """The code that the suite gets."""
    request = {
        "response_type": "code", "client_id": client, "redirect_uri": redirect_uri, "scope": "openid profile email",
        "state": "a-state", "nonce": "a-nonce", **more,
    }  # fmt: skip
    page = follow(browser, browser.get("/o/authorize", params=request))
    if page.url.path.endswith("/login"):
        page = send_form(browser, page, username="amy", password=PASSWORD)
    if page.url.path.endswith("/consent") and page.status_code == 200:
        page = send_form(browser, page, answer="allow")
    assert page.headers["Location"].startswith(redirect_uri)
    return parse_qs(urlsplit(page.headers["Location"]).query)["code"][0]


def exchanged(server: Server, client: str, code: str, redirect_uri: str, *, in_body: bool = False) -> httpx.Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    secret = {"client_id": client, "client_secret": f"{client}-secret"}
    known = {**form, **secret} if in_body else form
    auth = None if in_body else (client, f"{client}-secret")
    return httpx.post(f"{server.url}/o/token", data=known, auth=auth, timeout=60)


def test_the_page_for_testers_names_every_client_of_the_file() -> None:
    page = (ROOT / "docs/how-to/run-test-suites.md").read_text(encoding="utf-8")

    clients = re.findall(r"client_id: (\S+)", FILE.read_text(encoding="utf-8"))

    assert len(clients) == 8
    assert [client for client in clients if f"`{client}`" not in page] == []
    assert f"`Authorization: Basic {b64encode(':'.join(INTROSPECTION).encode()).decode()}`" in page
