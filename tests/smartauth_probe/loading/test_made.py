"""What was made is deleted where it is: a server that tells another place for it names nothing else to delete."""

from http.client import HTTPMessage

import pytest

from smartauth_probe.loading.made import Made
from smartauth_probe.requests import Presentation
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.client import Client
from smartauth_probe.target.fixture import Fixture, Person
from smartauth_probe.target.probe import Probe
from smartauth_probe.target.server_facts import ServerFacts
from tests.smartauth_probe.small_server import BASE, OpenTokens, bundle, respond

pytestmark = pytest.mark.one_engine
NUMBER = {"system": "urn:s", "value": "1"}
CONTENT: dict[str, object] = {"resourceType": "Observation", "identifier": [NUMBER]}


class Sent(Client):
    """Remembers methods and paths; every search finds `found`."""

    found: dict[str, object]
    lines: list[str]

    def send(self, request: Presentation, token: str = "") -> Answer:
        self.lines.append(f"{request.method} {request.path}")
        return Answer.of(respond(200, bundle([self.found], "searchset", 1)), 0.0)

    @property
    def deleted(self) -> set[str]:
        return {each for each in self.lines if each.startswith("DELETE")}


@pytest.fixture
def client() -> Sent:
    made = Sent(BASE)
    made.found, made.lines = {}, []
    return made


@pytest.fixture
def made(client: Sent) -> Made:
    return Made(Probe(client, OpenTokens(), ServerFacts(), Fixture(Person("A", "amy")), writes=True))


def located(place: str) -> Answer:
    headers = HTTPMessage()
    headers["Location"] = place
    return Answer(201, headers)


@pytest.mark.requirement("TV-33")
@pytest.mark.parametrize(
    "answer",
    [
        Answer(201, resource={"resourceType": "Observation", "id": "../../admin/users/1"}),
        Answer(201, resource={"resourceType": "Observation", "id": ".."}),
        located(f"{BASE}/Observation/%2e%2e"),
        located(f"{BASE}/Observation/..;x"),
    ],
)
def test_where_an_answer_names_another_place_nothing_is_deleted_and_what_stays_is_named(
    client: Sent, made: Made, answer: Answer
) -> None:
    made.note(answer, "Observation", CONTENT)

    made.delete_all()

    assert client.deleted == set()
    assert made.probe.remains


def test_a_location_without_an_id_is_no_place_to_delete(client: Sent, made: Made) -> None:
    made.note(located(f"{BASE}/Observation/"), "Observation", CONTENT)

    made.delete_all()

    assert client.deleted == set()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(201, resource={"resourceType": "Observation", "id": "x/$expunge?y"}),
        located(f"{BASE}/Observation/x%2F$expunge%3Fy/_history/1"),
    ],
)
def test_an_odd_id_is_one_segment(client: Sent, made: Made, answer: Answer) -> None:
    made.note(answer, "Observation", CONTENT)

    made.delete_all()

    assert client.deleted == {"DELETE Observation/x%2F%24expunge%3Fy"}


@pytest.mark.parametrize(
    "found",
    [
        {**CONTENT, "resourceType": "../admin", "id": "1"},
        {**CONTENT, "resourceType": "Patient", "id": "ben"},
        {**CONTENT, "id": "../../admin"},
        CONTENT,
    ],
)
def test_what_a_search_finds_beside_what_was_made_is_not_deleted(
    client: Sent, made: Made, found: dict[str, object]
) -> None:
    """Without an id it would be a delete of the type."""
    client.found = found
    made.note(Answer(201), "Observation", CONTENT)

    made.delete_all()

    assert client.deleted == set()


def test_what_a_search_finds_by_its_identifier_is_deleted(client: Sent, made: Made) -> None:
    client.found = {**CONTENT, "id": "1"}
    made.note(Answer(201), "Observation", CONTENT)

    made.delete_all()

    assert client.deleted == {"DELETE Observation/1"}
