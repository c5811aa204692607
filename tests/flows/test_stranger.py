"""A FHIR server that we did not write, protected by `fhir-server add` and a page of our docs, is attacked.

Every recipe of the docs serves the same base in turn and has to refuse the same tokens.
"""

import json
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Unpack
from urllib.parse import urlsplit

import httpx
import pytest

from oauth.workbench.faults.answers import changes_decisions
from smartauth_probe.bad_token import BadToken
from smartauth_probe.catalogue import kinds
from smartauth_probe.command import main as probe
from smartauth_probe.development_server import DevelopmentServer
from smartauth_probe.introspection_faults import introspection_faults
from smartauth_probe.pytest_plugin import MakeToken
from smartauth_probe.token_order import Order
from tests.oracle import Answer, Oracle
from tests.running import Server, free_port
from tests.strangers import DECIDED, STRANGERS, Process, Protected

pytestmark = pytest.mark.one_engine

# the stranger and the code of README on both engines, the recipes where all that is heavy runs
EACH = [pytest.param(name, marks=() if name in ("stranger", "readme") else pytest.mark.clients) for name in STRANGERS]
# nginx asks for a decision in headers, those in Java and those with the middleware for JSON: test_nginx_recipe.py,
# test_java_recipes.py, tests/smartauth_enforcement and clients/javascript/test have the answers that they get
ASK_FOR_DECISIONS = {"nginx", *DECIDED}
INTROSPECT = [each for each in EACH if each.values[0] not in ASK_FOR_DECISIONS]
LIMIT_THE_LENGTH = [each for each in EACH if each.values[0] in ("stranger", *DECIDED)]
ASK_FOR_JSON = [each for each in EACH if each.values != ("nginx",)]


@pytest.fixture(scope="module")
def tokens(protected: Protected) -> dict[str, str]:
    """One of each kind, made once for all strangers; the expired one has expired."""
    bundled = f"{protected.server.url}/fhir/r4"
    found = {
        "expired": protected.token(client="short"),
        "good": protected.token(),
        "v1": protected.token("patient/*.read"),
        "everything": protected.token("patient/*.cruds"),
        "read only": protected.token("patient/Patient.r"),
        "observations": protected.token("patient/Observation.rs"),
        "the bundled base's": protected.token(aud=bundled),
        "the other base's": protected.token(aud=protected.other),
    }
    time.sleep(max(0.0, claims_of(found["expired"])["exp"] + 1 - time.time()))
    return found


@pytest.fixture(scope="module", params=EACH)
def stranger(request: pytest.FixtureRequest, protected: Protected) -> Iterator[str]:
    """That server, running. Its name."""
    processes = STRANGERS[request.param](protected.environment, protected.folder)
    yield request.param
    for each in processes:
        each.stop()


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    return found


def is_refused(answer: httpx.Response) -> bool:
    """401 as RFC 6750 §3 words it for a token that is not valid, with nothing of the record."""
    return answer.status_code == 401 and challenges(answer) == ["invalid_token"] and "amy" not in answer.text


def challenges(answer: httpx.Response) -> list[str]:
    """The error of each challenge, which a decision gives further parameters (RFC 6750 §3)."""
    found = answer.headers.get_list("WWW-Authenticate")
    return [error[1] if (error := re.search(r'^Bearer .*\berror="([^"]*)"', each)) else each for each in found]


# A good token ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize("kind", ["good", "v1", "everything", "read only"])
def test_a_good_token_reads_its_own_patient(protected: Protected, tokens: dict[str, str], kind: str) -> None:
    answer = protected.get("Patient/amy", tokens[kind], Accept="application/fhir+json")

    assert (answer.status_code, answer.json()["id"]) == (200, "amy")


@pytest.mark.requirement("TV-18")
@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(protected: Protected, tokens: dict[str, str], scheme: str) -> None:
    assert protected.get("Patient/amy", Authorization=f"{scheme} {tokens['good']}").status_code == 200


@pytest.mark.usefixtures("stranger")
def test_a_search_finds_nobody_but_the_patient_of_the_token(protected: Protected, tokens: dict[str, str]) -> None:
    everybody, ben = (protected.get(path, tokens["good"]) for path in ("Patient", "Patient?_id=ben"))

    assert [entry["resource"]["id"] for entry in everybody.json()["entry"]] == ["amy"]
    assert "Ben" not in ben.text
    assert ben.status_code == 403 or ben.json()["total"] == 0


@pytest.mark.usefixtures("stranger")
def test_another_patient_is_answered_like_one_that_never_existed(protected: Protected, tokens: dict[str, str]) -> None:
    ben, nobody = (protected.get(f"Patient/{key}", tokens["good"]) for key in ("ben", "nobody"))

    assert (ben.status_code, ben.text) == (nobody.status_code, nobody.text)
    assert ben.status_code == 404


@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize(
    ("kind", "path"),
    [("observations", "Patient/amy"), ("observations", "Patient/nobody"), ("read only", "Patient")],
    ids=["another type", "another type, unknown id", "read is not search"],
)
def test_a_scope_that_is_missing_is_403(protected: Protected, tokens: dict[str, str], kind: str, path: str) -> None:
    answer = protected.get(path, tokens[kind])

    assert answer.status_code == 403
    assert challenges(answer) == ["insufficient_scope"]


# Introspection that misbehaves ---------------------------------------------------------------------------------------


# of the others some are slow, and have tests of their own below, and some send more than a server without limit reads
LONG = ("huge", "gzip-bomb")
QUICK = [
    fault
    for fault in introspection_faults().values()
    if fault.name not in ("slow-head", "stalled-body", "dripping-body", *LONG)
]


@pytest.mark.requirement("TV-14", "TV-15")
@pytest.mark.parametrize("stranger", ASK_FOR_JSON, indirect=True)
def test_who_is_answered_wrongly_about_a_token_lets_nobody_in(
    stranger: str, smartauth_server: DevelopmentServer, protected: Protected, tokens: dict[str, str]
) -> None:
    """Nobody falls over either, where a server may let it in by policy. The middleware lets nobody in."""
    is_decided = stranger in ASK_FOR_DECISIONS
    faults = [fault for fault in QUICK if not is_decided or changes_decisions(fault.name)]
    answered = {}
    for fault in faults:
        with smartauth_server.fault(fault.name, resource_server=protected.environment["CLIENT_ID"]):
            answered[fault.name] = protected.get("Patient/amy", tokens["good"]).status_code

    by_policy = {fault.name for fault in faults if fault.policy and not is_decided}
    right = {fault.name: fault.statuses | ({200} if fault.name in by_policy else set()) for fault in faults}
    assert {name: status for name, status in answered.items() if status not in right[name]} == {}
    assert len(faults) > 15


@pytest.mark.requirement("SD-20", "TV-15")
@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize("stranger", LIMIT_THE_LENGTH, indirect=True)
def test_an_answer_that_is_longer_than_any_is_503(
    smartauth_server: DevelopmentServer, protected: Protected, tokens: dict[str, str]
) -> None:
    for fault in LONG:
        with smartauth_server.fault(fault, resource_server=protected.environment["CLIENT_ID"]):
            assert protected.get("Patient/amy", tokens["good"]).status_code == 503


# No token and bad tokens ----------------------------------------------------------------------------------------------


@pytest.mark.requirement("TV-01")
@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize("path", ["Patient/amy", "Patient"])
def test_without_a_token_there_is_a_challenge_without_an_error(protected: Protected, path: str) -> None:
    answer = protected.get(path)

    assert answer.status_code == 401
    assert answer.headers.get_list("WWW-Authenticate") == ["Bearer"]


@pytest.mark.requirement("TV-02")
@pytest.mark.usefixtures("stranger")
def test_without_a_token_nobody_learns_who_is_a_patient(protected: Protected) -> None:
    amy, nobody = protected.get("Patient/amy"), protected.get("Patient/nobody")

    assert (amy.status_code, amy.text) == (nobody.status_code, nobody.text)


@pytest.mark.requirement("TV-17")
@pytest.mark.usefixtures("stranger")
def test_a_token_in_the_url_counts_for_nothing(protected: Protected, tokens: dict[str, str]) -> None:
    answer = protected.get(f"Patient/amy?access_token={tokens['good']}")

    assert answer.status_code == 401
    assert answer.headers.get_list("WWW-Authenticate") == ["Bearer"]


# the plain server passes it over, nginx says 403 to all that is refused; neither searches by POST
BESIDE_ANOTHER = {"stranger": [200, 501], "nginx": [403, 404]}


@pytest.mark.requirement("TV-17", "TV-18", "SR-15")
def test_a_token_beside_the_one_in_the_header_is_refused_and_never_repeated(
    stranger: str, protected: Protected, tokens: dict[str, str]
) -> None:
    good = tokens["good"]
    in_url = protected.get(f"Patient?_count=1&access_token={good}", good)
    form, headers = {"_id": "amy", "access_token": good}, {"Authorization": f"Bearer {good}"}
    in_form = httpx.post(f"{protected.base}/Patient/_search", data=form, headers=headers, timeout=20)

    assert [in_url.status_code, in_form.status_code] == BESIDE_ANOTHER.get(stranger, [400, 400])
    assert good not in in_url.text + in_form.text


@pytest.mark.requirement("TV-18")
@pytest.mark.usefixtures("stranger")
def test_two_authorization_headers_are_refused(protected: Protected, tokens: dict[str, str]) -> None:
    twice = [("Authorization", f"Bearer {tokens['good']}"), ("Authorization", "Bearer another")]

    answer = httpx.get(f"{protected.base}/Patient/amy", headers=twice)

    assert answer.status_code in (400, 401)


@pytest.mark.requirement("TV-03", "TV-04")
@pytest.mark.usefixtures("stranger")
def test_an_expired_token_is_refused(protected: Protected, tokens: dict[str, str]) -> None:
    assert is_refused(protected.get("Patient/amy", tokens["expired"]))


@pytest.mark.requirement("TV-05")
@pytest.mark.usefixtures("stranger")
def test_a_revoked_token_is_refused_at_the_next_request(protected: Protected) -> None:
    token = protected.token()
    before = protected.get("Patient/amy", token)

    httpx.post(f"{protected.server.url}/o/revoke", data={"client_id": "several", "token": token}).raise_for_status()

    assert before.status_code == 200
    assert is_refused(protected.get("Patient/amy", token))


@pytest.mark.requirement("TV-06", "PR-01")
@pytest.mark.usefixtures("stranger")
def test_a_superseded_token_is_refused_and_the_new_one_works(protected: Protected) -> None:
    old = protected.token(client="demo-public")
    before = protected.get("Patient/amy", old)

    new = protected.token(client="demo-public")

    assert before.status_code == 200
    assert is_refused(protected.get("Patient/amy", old))
    assert protected.get("Patient/amy", new).status_code == 200


@pytest.mark.requirement("TV-07", "TV-08")
@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize("kind", ["the bundled base's", "the other base's"])
def test_a_token_for_another_base_is_refused(protected: Protected, tokens: dict[str, str], kind: str) -> None:
    assert is_refused(protected.get("Patient/amy", tokens[kind]))


def test_only_aud_tells_the_other_base_apart(protected: Protected, tokens: dict[str, str]) -> None:
    me = (protected.environment["CLIENT_ID"], protected.environment["CLIENT_SECRET"])

    answer = httpx.post(protected.environment["INTROSPECT"], data={"token": tokens["the other base's"]}, auth=me)

    assert (answer.json()["active"], answer.json()["aud"]) == (True, protected.other)


# who does not tell addresses cannot be asked for a token that is bound to one
KINDS = [name for name in kinds() if name != "address-blocked"]
# those who introspect compare `aud` to the letter, as the policy of this kind allows
REFUSED_BY_POLICY = "good-aud-slash"
# without a search by POST, a server answers so before anybody is asked
NO_POST = {("stranger", "in-body"): 501, ("nginx", "in-body"): 404}


class MintsEachKindOnce(DevelopmentServer):
    """A token of each kind is made once for all strangers: none of them changes what it is."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._made: dict[str, BadToken] = {}

    def bad_token(self, kind: str, **order: Unpack[Order]) -> BadToken:
        if kind not in self._made:
            self._made[kind] = super().bad_token(kind, **order)
        return self._made[kind]


@pytest.fixture(scope="module")
def smartauth_server(server: Server) -> DevelopmentServer:
    """In place of one that the plugin starts: the one of this module."""
    return MintsEachKindOnce(server.url)


@pytest.fixture(scope="module")
def smartauth_order(protected: Protected) -> Order:
    """In place of the plugin's: tokens for the strangers' base."""
    return {"client": "several", "user": "amy", "patient": "amy", "aud": protected.base}


@pytest.mark.requirement("TV-01")
@pytest.mark.usefixtures("stranger")
def test_a_token_of_the_plugin_is_let_in(protected: Protected, smartauth_token: MakeToken) -> None:
    assert protected.get("Patient/amy", smartauth_token(scope="patient/Patient.r").value).status_code == 200


@pytest.mark.requirement("TV-09", "TV-10")
@pytest.mark.parametrize("smartauth_bad_token", KINDS, indirect=True)
def test_every_kind_of_the_catalogue_is_answered_as_it_must_be(stranger: str, smartauth_bad_token: BadToken) -> None:
    bad, kind = smartauth_bad_token, smartauth_bad_token.kind.name

    answer = bad.send()

    bad.assert_right_answer(answer, of_unknown_id=404)
    refused = kind == REFUSED_BY_POLICY and stranger not in ASK_FOR_DECISIONS
    assert answer.status_code == NO_POST.get((stranger, kind), answer.status_code)
    assert ('"amy"' in answer.text) == (bad.kind.is_good and not refused)


# of each language, and of the code without a package, one is probed whole; with the others, what reads the request and
# what hides a record, for they share all else with one of these
WHOLE = ("stranger", "fastapi", "express", "hapi")
EVERYWHERE = ("requests", "compartment", "batch")
PARTS = (*EVERYWHERE, "letters", "search", "history", "operations", "bulk")


@pytest.mark.requirement("TV-30")
def test_the_probe_finds_nothing(stranger: str, protected: Protected, tmp_path: Path) -> None:
    """The catalogue is tried above."""
    file, parts = tmp_path / "report.json", PARTS if stranger in WHOLE else EVERYWHERE
    tokens = [f"--authority={protected.server.url}", "--client=several", "--user=amy", "--patients=amy,ben"]

    probe([protected.base, *tokens, *(f"--only={part}" for part in parts), f"--json={file}", "--seconds=60", "--quiet"])

    made = json.loads(file.read_text(encoding="utf-8"))["checks"]
    failed = [(each["name"], each["seen"], each["received"]) for each in made if each["outcome"] == "failed"]
    assert failed == []
    assert len(made) > (200 if stranger in WHOLE else 70)


@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize("token", ["garbage", "a.b.c", "a" * 15_000], ids=["garbage", "three parts", "long"])
def test_garbage_is_refused(protected: Protected, token: str) -> None:
    assert is_refused(protected.get("Patient/amy", token))


@pytest.mark.requirement("DS-01")
@pytest.mark.usefixtures("stranger")
def test_an_app_without_a_token_finds_the_document_below_the_base(protected: Protected) -> None:
    answer = protected.get(".well-known/smart-configuration")

    asked = httpx.get(f"{protected.server.url}/o/smart-configuration", params={"aud": protected.base})
    assert asked.json()["token_endpoint"] == f"{protected.server.url}/o/token"
    assert answer.json() == asked.json()
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


# An authorization server that cannot be believed ----------------------------------------------------------------------


PUBLIC_BASE = "https://fhir.example.org"


@pytest.fixture(scope="module", params=INTROSPECT)
def misled(request: pytest.FixtureRequest, protected: Protected, oracle: Oracle) -> Iterator[str]:
    """A stranger that asks the oracle, below a base without a path, behind a proxy that ends TLS. Where it listens."""
    port = free_port()
    environment = {
        **protected.environment,
        "FHIR_BASE": PUBLIC_BASE,
        "PORT": str(port),
        "INTROSPECT": oracle.url,
    }
    processes: list[Process] = STRANGERS[request.param](environment, protected.folder)
    yield f"http://127.0.0.1:{port}"
    for each in processes:
        each.stop()


def read_with(address: str, oracle: Oracle, claims: dict[str, Any]) -> httpx.Response:
    oracle.say_claims(claims)
    headers = {"Authorization": "Bearer x", "Host": urlsplit(PUBLIC_BASE).netloc}
    return httpx.get(f"{address}/Patient/amy", headers=headers, timeout=20)


OTHER_BASE = "https://other.example.org/fhir"


@pytest.mark.requirement("XT-993")
@pytest.mark.parametrize("aud", [PUBLIC_BASE, [OTHER_BASE, PUBLIC_BASE]], ids=["one aud", "a list that holds the base"])
def test_the_oracle_is_believed_where_it_says_the_right_thing(misled: str, oracle: Oracle, aud: object) -> None:
    answer = read_with(misled, oracle, {"active": True, "aud": aud, "scope": "patient/*.rs", "patient": "amy"})

    assert (answer.status_code, answer.json()["id"]) == (200, "amy")


@pytest.mark.requirement("TV-14", "XT-922", "XT-924", "XT-955", "XT-965", "XT-973", "XT-974")
@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param({"active": "true"}, 401, id="active as text"),
        pytest.param({"active": 1}, 401, id="active as a number"),
        pytest.param({"active": None}, 401, id="no active"),
        pytest.param({"aud": OTHER_BASE}, 401, id="another aud"),
        pytest.param({"aud": f"{PUBLIC_BASE}.example.com"}, 401, id="an aud that begins like the base"),
        pytest.param({"aud": [OTHER_BASE, f"{PUBLIC_BASE}/x"]}, 401, id="aud as a list without the base"),
        pytest.param({"aud": [[PUBLIC_BASE]]}, 401, id="aud as a list in a list"),
        pytest.param({"aud": {PUBLIC_BASE: 1}}, 401, id="aud as an object"),
        pytest.param({"aud": None}, 401, id="no aud"),
        pytest.param({"cnf": {"jkt": "x"}}, 401, id="bound to a key"),
        pytest.param({"scope": None}, 403, id="no scope"),
        pytest.param({"scope": ["patient/*.rs"]}, 403, id="scope as a list"),
        pytest.param({"scope": {"patient/*.rs": 1}}, 403, id="scope as an object"),
        pytest.param({"scope": "patient/*.rs?_tag=x"}, 403, id="a query that is not understood"),
        pytest.param({"scope": "patient/*.sr user/*.rs patient/*"}, 403, id="scopes that grant nothing here"),
        pytest.param({"patient": None}, 403, id="no patient"),
        pytest.param({"patient": ["amy"]}, 403, id="patient as a list"),
        pytest.param({"patient": {"amy": 1}}, 403, id="patient as an object"),
        pytest.param({"patient": 7}, 403, id="patient as a number"),
        pytest.param({"patient": "amy,ben"}, 403, id="a patient with a comma"),
        pytest.param({"patient": "amy\n"}, 403, id="a patient with a line break"),
        pytest.param({"patient": "ben/../amy"}, 403, id="a patient that is a path"),
        pytest.param({"patient": "a" * 65}, 403, id="a patient too long for an id"),
    ],
)
def test_an_answer_that_is_not_exactly_right_opens_nothing(
    misled: str, oracle: Oracle, change: dict[str, Any], status: int
) -> None:
    right = {"active": True, "aud": PUBLIC_BASE, "scope": "patient/*.rs", "patient": "amy"}
    claims = {name: value for name, value in {**right, **change}.items() if value is not None}

    assert read_with(misled, oracle, claims).status_code == status


@pytest.mark.requirement("TV-15")
@pytest.mark.parametrize(
    "says",
    [
        pytest.param(Answer(status=500, body="{}"), id="500"),
        pytest.param(Answer(status=401, body='{"error":"invalid_client"}'), id="401"),
        pytest.param(Answer(status=302, body='{"active":true}'), id="a redirect"),
        pytest.param(Answer(kind="text/html", body="<html>"), id="HTML"),
        pytest.param(Answer(body=""), id="nothing"),
        pytest.param(Answer(body='{"active":true}', rest=10), id="a body that stalls"),
    ],
)
def test_who_gets_no_answer_about_a_token_serves_nothing(misled: str, oracle: Oracle, says: Answer) -> None:
    oracle.say(says)

    answer = httpx.get(f"{misled}/Patient/amy", headers={"Authorization": "Bearer x"}, timeout=9)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.requirement("TV-15")
@pytest.mark.parametrize("misled", INTROSPECT, indirect=True)
def test_an_answer_that_trickles_costs_three_seconds(misled: str, oracle: Oracle) -> None:
    oracle.say(Answer(body='{"active":true}', rest=1))

    answer = httpx.get(f"{misled}/Patient/amy", headers={"Authorization": "Bearer x"}, timeout=9)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("misled", INTROSPECT, indirect=True)
def test_the_document_is_kept_for_a_while_but_an_error_is_not(misled: str, oracle: Oracle) -> None:
    url = f"{misled}/.well-known/smart-configuration"

    oracle.say(Answer(status=404, body='{"error":"invalid_target"}'))
    refused = httpx.get(url, timeout=20)
    oracle.say(Answer(body='{"issuer":"https://auth.example.org"}'))
    found = httpx.get(url, timeout=20)
    oracle.say(Answer(status=500))
    kept = httpx.get(url, timeout=20)

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert (found.status_code, found.json()) == (200, {"issuer": "https://auth.example.org"})
    assert (kept.status_code, kept.json()) == (200, found.json())
