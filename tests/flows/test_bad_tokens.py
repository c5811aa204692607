"""Every kind of the catalogue, minted by a real server: what its bundled FHIR server and its introspection answer."""

from dataclasses import replace
from typing import Any, Unpack

import httpx
import pytest

from smartauth_probe.bad_token import BadToken, received
from smartauth_probe.catalogue import kinds
from smartauth_probe.development_server import CannotMint, DevelopmentServer
from smartauth_probe.kinds import Kind
from smartauth_probe.raw_http import send
from smartauth_probe.token_order import Order
from tests.oauth.workbench.minting.broken_verifiers import header_of
from tests.publishing import publisher_of
from tests.running import Server

RESOURCE_SERVER = ("demo-resource-server", "demo-resource-server-secret")
INVALID, FORBIDDEN = (401, "invalid_token"), (403, "insufficient_scope")
NO_TOKEN, HIDDEN, LET_IN, MALFORMED, UNAVAILABLE = (401, ""), (404, ""), (200, ""), (400, ""), (503, "")
INACTIVE, ACTIVE, TEXT = False, True, "true"
# the answer of the FHIR server with its error, and what introspection says, which knows those that a server must judge
LINES: dict[str, tuple[tuple[int, str], object]] = {
    **dict.fromkeys(
        (
            "XT-901", "XT-902", "XT-903", "XT-904", "XT-905", "XT-906", "XT-907", "XT-908",
            "XT-911", "XT-912", "XT-913", "XT-914", "XT-915", "XT-926", "XT-927",
            "XT-931", "XT-932", "XT-933", "XT-934", "XT-935", "XT-936", "XT-937", "XT-938",
            "XT-939", "XT-940", "XT-941", "XT-942", "XT-943", "XT-944", "XT-951", "XT-952", "XT-954",
            "XT-976", "XT-977", "XT-985", "XT-987",
        ),
        (INVALID, INACTIVE),
    ),
    **dict.fromkeys(
        ("XT-921", "XT-922", "XT-923", "XT-924", "XT-925", "XT-953", "XT-955", "XT-983", "XT-986"), (INVALID, ACTIVE)
    ),
    **dict.fromkeys(
        (
            "XT-956", "XT-961", "XT-962", "XT-963", "XT-964", "XT-965", "XT-966", "XT-967", "XT-968", "XT-969",
            "XT-970", "XT-971", "XT-973", "XT-974", "XT-975",
        ),
        (FORBIDDEN, ACTIVE),
    ),
    "XT-972": (HIDDEN, ACTIVE),
    "XT-978": (UNAVAILABLE, TEXT),
    **dict.fromkeys(("XT-981", "XT-982", "XT-984", "XT-988"), (NO_TOKEN, ACTIVE)),
    **dict.fromkeys(("XT-991", "XT-992", "XT-993", "XT-994", "XT-995"), (LET_IN, ACTIVE)),
}  # fmt: skip
NO_HTTP = ("bytes", "bytes-folded")  # of XT-986: no header may hold these
BY_ADDRESS = "address-blocked"


def mint(server: Server, kind: str, **members: Unpack[Order]) -> BadToken:
    client = "demo-symmetric" if kind == BY_ADDRESS else "demo-public"
    order: Order = {"client": client, "user": "amy", **members}
    return DevelopmentServer(server.url).bad_token(kind, **order)


def introspect(server: Server, token: str, **address: str) -> dict[str, Any]:
    response = httpx.post(f"{server.url}/o/introspect", data={"token": token, **address}, auth=RESOURCE_SERVER)
    found: dict[str, Any] = response.json()
    return found


def test_the_table_has_every_line_of_the_catalogue() -> None:
    assert set(LINES) == {kind.id for kind in kinds().values()}


@pytest.mark.requirement("TV-10", "TV-32")
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.requirement(kind.id), id=kind.name) for kind in kinds().values()]
)
def test_a_bad_token_is_refused_as_it_must_be_and_a_good_twin_is_let_in(lenient: Server, kind: Kind) -> None:
    wanted, active = LINES[kind.id]
    bad = mint(lenient, kind.name)

    response = bad.send()
    said = introspect(lenient, bad.value, __client_ip="127.0.0.1")

    answer = received(response)
    assert (answer.status, answer.error or "") == (MALFORMED if kind.name in NO_HTTP else wanted)
    bad.assert_right_answer(response)
    assert ('"resourceType": "Patient"' in response.text) is kind.is_good
    assert bad.value not in str(response.headers)
    assert said["active"] == active
    assert list(said) == ["active"] or active is not INACTIVE


@pytest.mark.requirement("XT-914")
def test_a_server_that_tells_no_address_hears_that_the_token_of_another_address_lives(lenient: Server) -> None:
    """So the token is bad in nothing but where it is used: this broken server would let it in."""
    bad = mint(lenient, BY_ADDRESS)

    assert introspect(lenient, bad.value)["active"] is True
    assert introspect(lenient, bad.value, __client_ip="127.0.0.1") == {"active": False}


@pytest.mark.requirement("TV-13")
@pytest.mark.parametrize("kind", ["jku", "x5u", "kid-url"])
def test_no_server_goes_where_a_header_leads(lenient: Server, kind: str) -> None:
    with publisher_of("{}") as publisher:
        bad = mint(lenient, kind, listener=publisher.url)
        response = bad.send()

    assert publisher.url in header_of(bad.value).values()
    assert (response.status_code, publisher.asked) == (401, [])


def test_a_record_that_is_hidden_is_answered_like_one_that_never_existed(lenient: Server) -> None:
    hidden, good = mint(lenient, "patient-other").send(), mint(lenient, "good-v2-scopes")
    unknown = send(good.base, replace(good.request, path="Patient/never-existed"))

    assert hidden.status_code == unknown.status_code == 404
    assert hidden.text.replace("amy", "") == unknown.text.replace("never-existed", "")


# all tokens of a service hang on one authorization, and nobody has signed in
NOT_OF_A_SERVICE = {
    "authorization-ended", "person-ended", "client-ended", "client-disabled", "address-blocked", "launch-handle",
    "backend-with-patient", "claims-doubled", *(kind for kind in kinds() if kind.startswith("patient-")),
}  # fmt: skip


@pytest.mark.requirement("TV-10", "BK-05")
def test_the_kinds_are_made_for_a_backend_service_too(lenient: Server) -> None:
    """One test for all: that each of them is what it says is shown above, with the scopes of a person's app."""
    door, wrong, missing = DevelopmentServer(lenient.url), dict[str, str](), set[str]()
    for kind in kinds().values():
        try:
            bad = door.bad_token(kind.name, client="demo-backend")
        except CannotMint:
            missing.add(kind.name)
            continue
        answer = bad.send()
        wanted = MALFORMED if kind.name in NO_HTTP else LINES[kind.id][0]
        if (answer.status_code, received(answer).error or "") != wanted:
            wrong[kind.name] = f"{answer.status_code} {received(answer).error}, not {wanted}"

    assert wrong == {}
    assert missing == NOT_OF_A_SERVICE
    assert door.token(client="demo-backend", lifetime=60).answer["expires_in"] == 60
