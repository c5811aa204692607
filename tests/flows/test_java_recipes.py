"""The recipes in Java: what they open of a real HAPI server and of Spring, by the claims that a test chooses.

Amy has two observations, Ben has one.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from tests.oracle import Answer, Oracle
from tests.running import free_port
from tests.strangers import STRANGERS

pytestmark = pytest.mark.clients


class Recipe:
    """The server of the recipe, and requests with a token whose claims the test chooses."""

    def __init__(self, name: str, oracle: Oracle, folder: Path) -> None:
        self.base, self.oracle = f"http://127.0.0.1:{free_port()}/fhir", oracle
        me = {"CLIENT_ID": "it", "CLIENT_SECRET": "a-secret"}
        (self.process,) = STRANGERS[name]({"FHIR_BASE": self.base, "INTROSPECT": oracle.url, **me}, folder)

    def ask(
        self, path: str, *, scope: str = "patient/*.rs", patient: str = "amy", method: str = "GET", **options: Any
    ) -> httpx.Response:
        self.oracle.say_claims({"active": True, "aud": self.base, "scope": scope, "patient": patient})
        headers = {"Authorization": "Bearer x", **options.pop("headers", {})}
        return httpx.request(method, f"{self.base}/{path}", headers=headers, timeout=20, **options)


@pytest.fixture(scope="module", params=["hapi", "spring"])
def server(
    request: pytest.FixtureRequest, oracle: Oracle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Recipe]:
    made = Recipe(request.param, oracle, tmp_path_factory.mktemp(request.param))
    yield made
    made.process.stop()


def total(answer: httpx.Response) -> int:
    assert answer.status_code == 200, answer.text
    return int(answer.json()["total"])


def is_refused(answer: httpx.Response) -> bool:
    """With an outcome, and nothing of a record."""
    is_outcome = answer.request.method == "HEAD" or answer.json()["resourceType"] == "OperationOutcome"
    return answer.status_code in (400, 403, 404) and is_outcome and "en-1" not in answer.text


def is_forbidden(answer: httpx.Response) -> bool:
    (challenge,) = answer.headers.get_list("WWW-Authenticate")
    return is_refused(answer) and answer.status_code == 403 and 'error="insufficient_scope"' in challenge


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("Observation?_summary=count", 2),
        ("Observation?patient=amy,ben&_summary=count", 2),
        ("Observation?patient=Patient/ben,Patient/amy&_summary=count", 2),
        ("Observation?patient=ben,amy&patient=amy&_total=accurate", 2),
        ("Observation?patient:Patient=amy", 2),
        ("Observation?subject=Patient/ben&_summary=count", 0),
        ("Observation?patient=ben&_summary=count", 0),
        ("Observation?patient=amy&patient=ben", 0),
        ("Observation?patient:mdm=amy", 2),
        ("Observation?_include=Observation:subject", 2),
        ("Patient?_id=ben&_summary=count", 0),
        ("Patient?_summary=count", 1),
        ("Patient?_id=amy,ben&_summary=count", 1),
    ],
)
def test_a_count_is_of_the_records_of_the_patient(server: Recipe, path: str, found: int) -> None:
    resource, _, query = path.partition("?")

    assert total(server.ask(path)) == found
    assert total(server.ask(f"{resource}/_search", method="POST", data=parse_qs(query))) == found


REFUSED = [
    "Patient?_has:Observation:patient:status=final",
    "Observation?patient.name=Ben%20Whitlock&_summary=count",
    "Observation?subject:Patient.name=Ben%20Whitlock&_summary=count",
    "Observation?_filter=patient%20eq%20ben",
    "Observation?_query=everybody",
    "Observation?_list=1",
    "Observation?_sort=subject.name",
    "Patient/amy/Observation",
    "Patient/ben/Observation?_summary=count",
    "Patient/amy/_history",
    "Patient/_history",
    "_history",
    "Patient/amy/$everything",
    "$export",
    "Observation/$lastn",
    "?_type=Patient",
    "_search?_type=Patient",
    "?_getpages=1&_type=Patient",
    "",
]


@pytest.mark.parametrize("server", ["hapi"], indirect=True)
@pytest.mark.parametrize("path", ["Patient?_revinclude=Observation:subject", "Practitioner?_summary=count"])
def test_what_hapi_itself_does_not_know_is_refused(server: Recipe, path: str) -> None:
    assert is_refused(server.ask(path))


@pytest.mark.parametrize("server", ["hapi"], indirect=True)
def test_a_modifier_that_says_the_type_is_narrowed_too(server: Recipe) -> None:
    assert total(server.ask("Observation?subject:Patient=ben&_count=0")) == 0


@pytest.mark.parametrize("path", REFUSED)
def test_what_no_patient_can_narrow_is_refused(server: Recipe, path: str) -> None:
    assert is_refused(server.ask(path))


@pytest.mark.requirement("TV-14")
@pytest.mark.parametrize("path", ["Observation?_summary=count", "Observation/amy-1", "Observation/ben-1", "Device/1"])
@pytest.mark.parametrize("scope", ["patient/Patient.rs", "patient/Observation.cud user/*.rs"])
def test_a_type_without_a_scope_is_refused_before_anything_is_looked_up(server: Recipe, path: str, scope: str) -> None:
    assert is_forbidden(server.ask(path, scope=scope))


@pytest.mark.requirement("SR-13")
def test_a_granular_scope_opens_what_has_its_values_though_the_provider_ignores_the_parameter(server: Recipe) -> None:
    """HAPI's plain server does not evaluate _tag."""
    scope = "patient/*.rs?_tag=x"

    found, counted = (server.ask(f"Observation{query}", scope=scope) for query in ("", "?_summary=count"))
    read, unknown = (server.ask(f"Observation/{key}", scope=scope) for key in ("amy-1", "nobody-1"))

    assert (found.json().get("entry", []), "total" in found.json(), "total" in counted.json()) == ([], False, False)
    assert (read.status_code, read.text) == (404, unknown.text)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ""),
        ("POST", "Patient"),
        ("POST", "Patient/amy?_method=GET"),
        ("PUT", "Patient/amy"),
        ("PATCH", "Patient/amy"),
        ("DELETE", "Patient/amy"),
        ("DELETE", "Patient?_id=amy"),
        ("POST", "Patient/amy/$everything"),
    ],
)
def test_writes_batches_and_operations_are_refused_even_to_who_holds_every_letter(
    server: Recipe, method: str, path: str
) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "GET", "url": "Patient/ben"}}],
    }

    answer = server.ask(path, method=method, scope="patient/*.cruds", json=bundle)

    assert is_refused(answer)
    assert server.ask("Patient/amy").status_code == 200


def test_another_method_named_in_a_header_changes_nothing(server: Recipe) -> None:
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        answer = server.ask("Patient/amy", scope="patient/*.cruds", headers={header: "DELETE"})
        assert (answer.status_code, answer.json()["id"]) == (200, "amy")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"If-None-Match": 'W/"1"'},
        {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
        {"If-Match": 'W/"2"'},
        {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    ],
    ids=["plain", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since"],
)
def test_what_is_out_of_reach_is_answered_like_what_never_existed(
    server: Recipe, method: str, headers: dict[str, str]
) -> None:
    own, *others = (
        server.ask(path, method=method, headers=headers)
        for path in ("Observation/amy-1", "Observation/nobody-1", "Observation/ben-1", "Patient/ben", "Patient/nobody")
    )

    assert own.status_code == 200
    assert {(other.status_code, other.text) for other in others} == {(404, others[0].text)}
    assert {frozenset(other.headers) for other in others} == {frozenset(others[0].headers)}


@pytest.mark.parametrize("server", ["spring"], indirect=True)
def test_a_bundle_that_somebody_stored_is_a_record_like_any_other(server: Recipe) -> None:
    stored, unknown = server.ask("Bundle/letter"), server.ask("Bundle/nobody")

    assert (stored.status_code, stored.text) == (404, unknown.text)


@pytest.mark.parametrize("server", ["spring"], indirect=True)
@pytest.mark.requirement("HI-01")
def test_smartauth_is_asked_as_often_about_what_is_hidden_as_about_what_never_was(server: Recipe) -> None:
    asked = []
    for path in ("Observation/ben-1", "Observation/nobody-1"):
        before = server.oracle.questions
        assert server.ask(path).status_code == 404
        asked.append(server.oracle.questions - before)

    assert asked == [2, 2]


@pytest.mark.parametrize("server", ["spring"], indirect=True)
def test_a_decimal_is_as_precise_as_it_was(server: Recipe) -> None:
    assert all('"value":72.50' in server.ask(path).text for path in ("Observation", "Observation/amy-1"))


@pytest.mark.parametrize("server", ["hapi"], indirect=True)
def test_a_page_belongs_to_its_patient_and_its_scope(server: Recipe) -> None:
    first = server.ask("Observation?_count=1").json()
    (link,) = (link["url"] for link in first["link"] if link["relation"] == "next")
    page = link.removeprefix(f"{server.base}").lstrip("/")

    own, of_ben, no_scope = (
        server.ask(page),
        server.ask(page, patient="ben"),
        server.ask(page, scope="patient/Patient.rs patient/*.r"),
    )
    behind = server.ask(page.replace("_getpagesoffset=1", "_getpagesoffset=7"), patient="ben")

    assert first["total"] == 2
    assert [entry["resource"]["id"] for entry in own.json()["entry"]] == ["amy-2"]
    assert "total" not in own.json()  # it would tell of another patient's search that finds the same record
    assert is_refused(of_ben)
    assert is_forbidden(no_scope)
    assert (behind.status_code, "total" in behind.text) == (404, False)


@pytest.mark.parametrize("patient", ["amy,ben", "Patient/amy", "*", "a" * 65])
def test_a_patient_that_is_no_id_opens_nothing(server: Recipe, patient: str) -> None:
    assert is_forbidden(server.ask("Observation?_summary=count", patient=patient))


def test_the_capability_statement_is_public_and_all_that_looks_like_it_is_not(server: Recipe) -> None:
    public, *closed = (
        httpx.get(f"{server.base}/{path}", timeout=20)
        for path in ("metadata", "metadata/", "Patient/metadata", "x/metadata", ".well-known/smart-configuration/x")
    )

    assert (public.status_code, public.json()["resourceType"]) == (200, "CapabilityStatement")
    assert [answer.status_code for answer in closed] == [401] * len(closed)


@pytest.mark.requirement("TV-15")
def test_an_answer_that_trickles_costs_three_seconds_and_no_thread(server: Recipe) -> None:
    server.oracle.say(Answer(body='{"active":true}', rest=1))

    answer = httpx.get(f"{server.base}/Patient/amy", headers={"Authorization": "Bearer x"}, timeout=60)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert server.ask("Patient/amy").status_code == 200


@pytest.mark.requirement("TV-15")
@pytest.mark.parametrize(("drops", "status"), [(1, 200), (2, 503)])
def test_a_question_whose_connection_broke_is_asked_once_more(server: Recipe, drops: int, status: int) -> None:
    server.oracle.drops = drops

    assert server.ask("Patient/amy").status_code == status
    assert server.oracle.drops == 0


@pytest.mark.requirement("TV-15")
@pytest.mark.parametrize("name", ["hapi", "spring"])
def test_the_log_of_the_server_says_why_it_is_503(name: str, oracle: Oracle, tmp_path: Path) -> None:
    oracle.say(Answer(status=401))
    server = Recipe(name, oracle, tmp_path)
    try:
        asked = [httpx.get(f"{server.base}/Patient/amy", headers={"Authorization": "Bearer a-token"}) for _ in range(3)]
    finally:
        server.process.stop()

    log = server.process.log.read_text(encoding="utf-8")
    reason = "decided nothing: 401, it does not know the client it by this secret"
    told = f"requests are answered with 503: smartauth at 127.0.0.1:{oracle.http.server_port} {reason}"
    assert [answer.status_code for answer in asked] == [503] * 3
    assert [line.endswith(told) and "WARN" in line for line in log.splitlines() if "answered with" in line] == [True]
    assert not any(word in log for word in ("a-token", "a-secret", "Patient", "amy"))
