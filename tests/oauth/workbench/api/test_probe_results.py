"""`/dev/probe/results`: a run from a shell ticks the checklist, and what is no result changes nothing."""

import secrets
from typing import Any

import pytest

from accounts import clock
from oauth.demo.checklist import checklist
from oauth.models import FhirServer
from oauth.workbench.api.openapi import description
from oauth.workbench.memory.probe_results import last_probe_of
from oauth.workbench.memory.results import results_of
from tests.conftest import App
from tests.oauth.workbench.api.json_schema import problems

pytestmark = pytest.mark.one_engine
PATH = "/dev/probe/results"


@pytest.fixture
def server(committed: None) -> Any:
    return FhirServer.objects.create(base=f"http://127.0.0.1:9/{secrets.token_hex(8)}", name="Mine")


def result(server: Any, /, **changes: Any) -> dict[str, Any]:
    found = {
        "server": server.base,
        "seconds": 40,
        "chosen": 10,
        "counts": {"failed": 0, "policy": 1, "skipped": 2, "passed": 7},
        "failed": [],
        "answers": {"expired": 401, "patient-other": 404, "of-another-version": 401},
        "stopped": False,
    }
    return {name: value for name, value in {**found, **changes}.items() if value is not None}


def test_a_run_from_a_shell_ticks_the_checklist_of_its_server(app: App, server: Any) -> None:
    before = clock.now()

    answer = app.post(PATH, json=result(server))

    found, _ = checklist(str(server.pk))
    last = last_probe_of(server.base)
    assert (answer.status_code, answer.content, answer.headers["Cache-Control"]) == (204, b"", "no-store")
    assert [step.is_done for step in found.steps] == [True, False, True, True, True]
    assert last is not None
    assert last == found.probed
    assert (last.title, last.address) == ("No check failed: 7 of 10 passed", "")
    assert before <= last.began_at + 40_000_000 <= clock.now()
    assert set(results_of(server.base)) == {"good", "expired", "patient-other"}
    assert "from a shell: No check failed: 7 of 10 passed." in app.get(f"/?server={server.pk}").text


def test_what_failed_is_named_and_takes_the_tick_away(app: App, server: Any) -> None:
    counts = {"failed": 7, "policy": 0, "skipped": 0, "passed": 1}
    failed = ["expired", *(f"check-{number}" for number in range(6))]

    app.post(PATH, json=result(server, counts=counts, failed=failed, answers={"expired": 200}))

    last = last_probe_of(server.base)
    assert last is not None
    assert last.title == "7 of 10 checks failed: expired, check-0, check-1, check-2, check-3 and 2 more"
    assert checklist(str(server.pk))[0].steps[3].sentence == "Wrong answer to expired."


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"server": "http://127.0.0.1:9/of-nobody"}, id="unknown server"),
        pytest.param({"server": None}, id="no server"),
        pytest.param({"counts": {"failed": 0, "policy": 0, "skipped": 0, "passed": 0}}, id="no check"),
        pytest.param({"counts": {"failed": 0, "policy": 0, "skipped": 0, "passed": 11}}, id="more than chosen"),
        pytest.param({"counts": {"passed": 1}}, id="counts missing"),
        pytest.param({"counts": {"failed": 0, "policy": True, "skipped": 0, "passed": 7}}, id="count no number"),
        pytest.param({"failed": ["expired"]}, id="failed and not counted"),
        pytest.param({"failed": "expired"}, id="failed no list"),
        pytest.param({"counts": {"failed": 1, "policy": 1, "skipped": 1, "passed": 1}, "failed": ["<b>"]}, id="markup"),
        pytest.param({"answers": {"expired": 99}}, id="no status"),
        pytest.param({"answers": []}, id="answers no object"),
        pytest.param({"seconds": -1}, id="before it began"),
        pytest.param({"chosen": 10_001}, id="too many"),
        pytest.param({"stopped": "no"}, id="stopped as text"),
        pytest.param({"token": "a"}, id="another member"),
    ],
)
def test_what_is_no_result_is_refused_and_changes_nothing(app: App, server: Any, changes: dict[str, Any]) -> None:
    answer = app.post(PATH, json=result(server, **changes))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert answer.headers["Cache-Control"] == "no-store"
    assert last_probe_of(server.base) is None
    assert results_of(server.base) == {}
    assert problems(answer.json(), description()["components"]["schemas"]["Error"], description()) == []


def test_it_is_described_as_it_is(server: Any) -> None:
    described = description()["components"]["schemas"]["ProbeResult"]

    assert problems(result(server), described, description()) == []
    wrong: list[dict[str, Any]] = [
        {"seconds": -1},
        {"counts": {}},
        {"answers": {"expired": 99}},
        {"failed": [1]},
        {"token": "a"},
    ]
    for changes in wrong:
        assert problems(result(server, **changes), described, description())


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_nothing_but_a_post_of_json_is_taken(app: App, server: Any, method: str) -> None:
    assert app.request(method, PATH).status_code == 405
    assert app.post(PATH, data={"server": server.base}).status_code == 415
    assert app.post(PATH, json=result(server, failed=["a" * 20_000])).status_code == 413
