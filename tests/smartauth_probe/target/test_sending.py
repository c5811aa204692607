"""What a server told leads no request with a token out of its place: no link, no address of a job, no id."""

import json

import pytest

from smartauth_probe.requests import Presentation
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.client import Client
from smartauth_probe.target.fixture import Fixture, Person, Record
from smartauth_probe.target.probe import Probe
from smartauth_probe.target.server_facts import ServerFacts, read_statement
from smartauth_probe.tokens.source import GivenToken
from tests.smartauth_probe.small_server import BASE, OpenTokens, respond

pytestmark = pytest.mark.one_engine
TOKEN = GivenToken("eyJ.service", "a service")
AWAY = (
    "",
    "http://[",
    "http://elsewhere/fhir/Patient",
    f"{BASE}/../admin",
    f"{BASE}secret/x",
    f"{BASE}/%2E%2e/admin",
)
OF_RECORDS = ("", "?_id=ben", "/", "/Patient", "/Patient?_id=ben", "/Patient/ben", "/Patient/ben/_history/1")
UP = "../../admin/users/1"


class Sent(Client):
    """Nothing leaves it, and everything is answered with what `says` holds."""

    says: object = None

    def send(self, request: Presentation, token: str = "") -> Answer:
        return self._record(request, token, Answer.of(respond(200, self.says), 0.0))

    @property
    def lines(self) -> list[str]:
        return [f"{each.request.method} {each.request.path}?{each.request.query}" for each in self.exchanges]


def probe_of(says: object = None) -> tuple[Probe, Sent]:
    client = Sent(BASE)
    client.says = says
    people = (Person(letter, key) for letter, key in (("A", "amy"), ("B", "ben")))
    return Probe(client, OpenTokens(), ServerFacts(), Fixture(*people), writes=True), client


@pytest.mark.requirement("TV-33")
@pytest.mark.parametrize("url", AWAY)
def test_nothing_is_sent_to_a_link_that_leads_away(url: str) -> None:
    probe, client = probe_of()

    with pytest.raises(Skip, match="leads away from the base"):
        probe.follow(url, TOKEN)

    assert client.lines == []


@pytest.mark.requirement("TV-33")
@pytest.mark.parametrize("url", [*AWAY, *(f"{BASE}{each}" for each in OF_RECORDS)])
def test_what_a_server_began_is_not_ended_where_that_would_end_something_else(url: str) -> None:
    """A server chooses the address of a job: one of a record would be deleted by a run that only reads."""
    probe, client = probe_of()

    probe.follow_quietly("DELETE", url, TOKEN)

    assert client.lines == []


@pytest.mark.parametrize("path", ["export/1", "$export-poll-status?_jobId=1", "Group/1/$export/2"])
def test_a_job_is_ended_at_its_address_with_its_query(path: str) -> None:
    probe, client = probe_of()

    probe.follow_quietly("DELETE", f"{BASE}/{path}", TOKEN)

    assert client.lines == [f"DELETE {path}" + ("" if "?" in path else "?")]
    assert client.exchanges[0].request.headers == (("Authorization", "Bearer eyJ.service"),)


@pytest.mark.requirement("TV-33")
def test_an_id_of_a_server_is_one_segment_or_nothing_is_sent() -> None:
    probe, client = probe_of()

    probe.read("Patient", "x/y?z", TOKEN)
    with pytest.raises(Skip, match="leads out of its place"):
        probe.read("Patient", UP, TOKEN)
    for path in (Record("Observation", UP).path, Person("B", "..").path, "Patient/.."):
        with pytest.raises(Skip, match="leads out of its place"):
            probe.send("DELETE", path, TOKEN)

    assert client.lines == ["GET Patient/x%2Fy%3Fz?"]


def test_a_type_that_a_statement_tells_is_a_name_or_left_out() -> None:
    resources = [{"type": "Patient"}, {"type": "../admin"}, {"type": "a/b"}, {"type": ""}]
    statement = {"resourceType": "CapabilityStatement", "rest": [{"resource": resources}]}

    facts = read_statement(Answer(200, resource=json.loads(json.dumps(statement))), "application/fhir+json")

    assert list(facts.types) == ["Patient"]
