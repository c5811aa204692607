"""`/dev/introspection-faults`: who meets which fault, until when, and that nobody else does."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from accounts import clock
from oauth.workbench.faults import switch
from smartauth_probe.introspection_faults import introspection_faults
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Issue, MakeResourceServer, SetClock

FAULTS = "/dev/introspection-faults"


@pytest.fixture(autouse=True)
def _no_faults() -> Iterator[None]:
    yield
    for each in switch.current_faults():
        switch.turn_off(each.resource_server)


def begin(app: App, resource_server: str, fault: str, **members: object) -> httpx.Response:
    return send(app, {"resource_server": resource_server, "fault": fault, **members})


def send(app: App, members: dict[str, object]) -> httpx.Response:
    body = json.dumps(members)
    return app.post(FAULTS, content=body, headers={"Content-Type": "application/json"})


def introspect(app: App, client_id: str, token: str, secret: str = SECRET, path: str = "/o/introspect") -> Any:
    return app.post(path, data={"token": token}, headers=basic(client_id, secret))


def test_a_resource_server_meets_the_fault_and_others_do_not(
    app: App, make_resource_server: MakeResourceServer, issue: Issue
) -> None:
    misled, other, token = make_resource_server().client_id, make_resource_server().client_id, issue()["access_token"]

    answer = begin(app, misled, "active-text")

    assert answer.status_code == 201
    assert answer.json()["fault"] == "active-text"
    assert 290 < answer.json()["seconds"] <= 300
    assert introspect(app, misled, token).json()["active"] == "true"
    assert introspect(app, other, token).json()["active"] is True


def test_who_proves_nothing_hears_so_and_nothing_of_the_fault(
    app: App, make_resource_server: MakeResourceServer, issue: Issue
) -> None:
    misled = make_resource_server().client_id
    begin(app, misled, "status-500")

    assert introspect(app, misled, issue()["access_token"], secret="wrong").status_code == 401
    assert (
        introspect(app, misled, issue()["access_token"], secret="wrong", path="/dev/introspect/empty").status_code
        == 401
    )


def test_it_ends_by_itself(
    app: App, make_resource_server: MakeResourceServer, issue: Issue, set_clock: SetClock
) -> None:
    misled, token = make_resource_server().client_id, issue()["access_token"]
    begin(app, misled, "empty", seconds=60)
    assert introspect(app, misled, token).content == b""

    set_clock(clock.now() + 61_000_000)

    assert introspect(app, misled, token).content != b""
    assert app.get(FAULTS).json()["current"] == []


def test_it_is_shown_and_ended(app: App, make_resource_server: MakeResourceServer, issue: Issue) -> None:
    misled = make_resource_server().client_id
    begun = begin(app, misled, "html").json()

    shown = app.get(FAULTS).json()
    ended = app.request("DELETE", FAULTS, params={"resource_server": misled})

    assert [(each["resource_server"], each["ends_at"]) for each in shown["current"]] == [(misled, begun["ends_at"])]
    assert [each["fault"] for each in shown["faults"]] == list(introspection_faults())
    assert ended.status_code == 204
    assert introspect(app, misled, issue()["access_token"]).json()["active"] is True


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"fault": "no-such"}, "fault must be one of none, down, "),
        ({"fault": 1}, "fault"),
        ({"resource_server": "nobody"}, "resource_server must be the client id of one: "),
        ({"seconds": 0}, "seconds must be a number from 1 to 3600"),
        ({"seconds": 3601}, "seconds must be a number from 1 to 3600"),
        ({"seconds": True}, "seconds must be a number from 1 to 3600"),
        ({"colour": "red"}, "colour is not known here"),
    ],
)
def test_what_is_wrong_is_said(
    app: App, make_resource_server: MakeResourceServer, members: dict[str, object], problem: str
) -> None:
    answer = send(app, {"resource_server": make_resource_server().client_id, "fault": "down", **members})

    assert answer.status_code == 400
    assert answer.json()["error_description"].startswith(problem)
    assert switch.current_faults() == []


@pytest.mark.parametrize(
    ("fault", "status", "header"),
    [
        ("status-429", 429, ("retry-after", "60")),
        ("redirect", 307, ("location", "/dev/introspect/none")),
        ("wrong-type", 200, ("content-type", "text/html")),
        ("none", 200, ("content-type", "application/json")),
    ],
)
def test_an_address_of_its_own_for_each_fault(
    app: App,
    make_resource_server: MakeResourceServer,
    issue: Issue,
    fault: str,
    status: int,
    header: tuple[str, str],
) -> None:
    answer = introspect(app, make_resource_server().client_id, issue()["access_token"], path=f"/dev/introspect/{fault}")

    assert (answer.status_code, answer.headers[header[0]]) == (status, header[1])
    assert answer.json()["active"] is True


def test_an_unknown_fault_has_no_address(app: App) -> None:
    assert app.post("/dev/introspect/no-such", data={"token": "x"}).status_code == 404
