"""Two patients are loaded where there are none, and everything that was made is deleted, however the run ends."""

import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import pytest

from smartauth_probe.checks import all_checks
from smartauth_probe.checks.check import Outcome
from smartauth_probe.command import main
from smartauth_probe.loading.running import loaded
from smartauth_probe.raw_http import NoAnswer
from smartauth_probe.requests import Presentation
from smartauth_probe.runner import run
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.client import Limits
from smartauth_probe.target.discovery import CouldNotRun, begin
from smartauth_probe.target.probe import Probe
from smartauth_probe.tokens.source import NoToken, Wanted
from tests.running import ROOT
from tests.smartauth_probe.small_http import listening
from tests.smartauth_probe.small_records import patient
from tests.smartauth_probe.small_server import BASE, InProcess, OpenTokens, SmallServer
from tests.waiting import wait_until

pytestmark = pytest.mark.one_engine
SERVICE = OpenTokens().token(Wanted("system/*.cruds"))


def empty_server(*faults: str) -> SmallServer:
    """With a patient who is none of the probe's business."""
    server = SmallServer(frozenset(faults))
    server.store.clear()
    server.put(patient("cat", "Other"))
    return server


def client_of(*faults: str) -> InProcess:
    client = InProcess(BASE)
    client.server = empty_server(*faults)
    return client


def paths(server: SmallServer) -> list[str]:
    """What is there now."""
    return [f"{each['resourceType']}/{each['id']}" for each in server.current()]


def probe_of(client: InProcess) -> Probe:
    return begin(client, OpenTokens(), writes=True)


@pytest.mark.parametrize("faults", [(), ("only-ids-of-clients",)], ids=str)
def test_what_is_loaded_are_two_patients_with_records_of_the_types_that_checks_need(faults: tuple[str, ...]) -> None:
    client = client_of(*faults)

    with loaded(probe_of(client)) as probe:
        there, a, b = paths(client.server), probe.a, probe.b

    assert {a.path, b.path} < set(there)
    assert list(a.records) == list(b.records)
    assert {"Observation", "Condition", "Encounter", "AllergyIntolerance", "MedicationRequest"} <= set(a.records)
    assert len(a.records["Observation"]) == 2
    assert all(record.path in there for records in a.records.values() for record in records)
    assert paths(client.server) == ["Patient/cat"]
    assert probe.remains == []


def test_ids_that_are_asked_for_are_those_of_the_patients() -> None:
    client = client_of("only-ids-of-clients")

    with loaded(probe_of(client), ["new-a", "new-b"]) as probe:
        assert (probe.a.id, probe.b.id) == ("new-a", "new-b")

    assert paths(client.server) == ["Patient/cat"]


def test_a_patient_who_is_there_already_is_left_alone_and_what_was_made_before_is_deleted() -> None:
    client = client_of("only-ids-of-clients")
    before = client.server.store["Patient", "cat"][:]

    with pytest.raises(CouldNotRun, match="Patient/cat is not free"), loaded(probe_of(client), ["new-a", "cat"]):
        pytest.fail("there is nothing to probe")

    assert client.server.store["Patient", "cat"] == before
    assert paths(client.server) == ["Patient/cat"]


def test_a_run_on_loaded_records_finds_nothing_wrong_and_leaves_nothing_behind() -> None:
    client = client_of()

    with loaded(probe_of(client)) as probe:
        made = run(probe, list(all_checks()))

    assert [(each.check.name, each.result) for each in made.of(Outcome.FAILED)] == []
    assert len(made.of(Outcome.PASSED)) > 330
    assert paths(client.server) == ["Patient/cat"]


def test_without_a_token_that_may_write_nothing_is_loaded() -> None:
    class Reading(OpenTokens):
        def token(self, wanted: Wanted) -> str:
            if "system/" in wanted.scope:
                raise NoToken("it gives none")
            return super().token(wanted)

    client = client_of()

    probe = begin(client, Reading(), writes=True)

    with pytest.raises(CouldNotRun, match=r"--load takes a token for system/\*\.cruds"), loaded(probe):
        pytest.fail("there is nothing to probe")

    assert paths(client.server) == ["Patient/cat"]


def test_a_server_that_lets_nobody_create_patients_is_said() -> None:
    client = client_of("create-refused")

    with pytest.raises(CouldNotRun, match="No patient was loaded: Patient answered 403"), loaded(probe_of(client)):
        pytest.fail("there is nothing to probe")


# What goes wrong ------------------------------------------------------------------------------------------------------


class Fragile(InProcess):
    """Carries out a request and loses its answer, where `is_lost` says so."""

    is_lost: Callable[[int, Presentation], BaseException | None]
    posts = 0

    def send(self, request: Presentation, token: str = "") -> Answer:
        answer = super().send(request, token)
        self.posts += request.method == "POST" and not request.path.endswith("_search")
        if problem := self.is_lost(self.posts, request):
            raise problem
        return answer


def fragile(is_lost: Callable[[int, Presentation], BaseException | None], *faults: str) -> Fragile:
    client = Fragile(BASE)
    client.server = empty_server(*faults)
    client.is_lost = is_lost
    return client


def at_post(
    number: int, problem: Callable[[], BaseException], posts: int, request: Presentation
) -> BaseException | None:
    return problem() if posts == number and request.method == "POST" else None


@pytest.mark.parametrize("number", [1, 2, 5, 10, 12], ids=str)
@pytest.mark.parametrize("problem", [KeyboardInterrupt, partial(NoAnswer, "the connection was lost")], ids=str)
def test_a_record_whose_answer_was_lost_is_found_and_deleted(number: int, problem: Callable[[], BaseException]) -> None:
    client = fragile(partial(at_post, number, problem))
    probe = probe_of(client)

    with pytest.raises((KeyboardInterrupt, CouldNotRun)), loaded(probe):
        pytest.fail("it was interrupted before")

    assert (paths(client.server), probe.remains) == (["Patient/cat"], [])


def test_after_ctrl_c_in_a_check_what_was_loaded_is_deleted_too() -> None:
    client = fragile(partial(at_post, 30, KeyboardInterrupt))

    with loaded(probe_of(client)) as probe:
        made = run(probe, list(all_checks()))

    assert made.stopped == "it was told to, by Ctrl-C or SIGTERM"
    assert (paths(client.server), probe.remains) == (["Patient/cat"], [])


def test_a_connection_that_is_lost_while_deleting_is_tried_again() -> None:
    lost = iter([NoAnswer("lost")])
    client = fragile(lambda _, request: next(lost, None) if request.method == "DELETE" else None)

    with loaded(probe_of(client)) as probe:
        pass

    assert (paths(client.server), probe.remains) == (["Patient/cat"], [])


@pytest.mark.parametrize("fault", ["delete-refused", "delete-breaks"])
def test_what_the_server_does_not_delete_is_named(fault: str) -> None:
    client = client_of(fault)

    with loaded(probe_of(client)) as probe:
        pass

    assert sorted([*probe.remains, "Patient/cat"]) == sorted(paths(client.server))
    assert len(probe.remains) == 18


def test_what_a_server_that_breaks_does_not_tell_is_named_as_there() -> None:
    client = client_of()

    with loaded(probe_of(client)) as probe:
        client.server.faults = frozenset(["breaks"])

    assert len(probe.remains) == 18


def test_where_the_server_is_gone_before_the_end_all_is_named_after_few_tries() -> None:
    client = fragile(lambda _, request: None)

    with loaded(probe_of(client)) as probe:
        client.is_lost = lambda _, request: NoAnswer("gone")
        sent = client.sent

    assert sorted([*probe.remains, "Patient/cat"]) == sorted(paths(client.server))
    assert client.sent - sent < 10


def test_ctrl_c_while_deleting_names_what_is_left() -> None:
    presses = iter([None, KeyboardInterrupt()])
    client = fragile(lambda _, request: next(presses, None) if request.method == "DELETE" else None)

    with loaded(probe_of(client)) as probe:
        pass

    assert set(paths(client.server)) - {"Patient/cat"} <= set(probe.remains)
    assert 0 < len(probe.remains) < 18


def test_what_was_made_is_deleted_although_no_more_requests_were_allowed() -> None:
    client = client_of()
    client.limits = Limits(requests=60)

    with loaded(probe_of(client)) as probe:
        client.sent = 60

    assert (paths(client.server), probe.remains) == (["Patient/cat"], [])


# The command ----------------------------------------------------------------------------------------------------------


def given(*scopes: str) -> list[str]:
    source = OpenTokens()
    letters = {"A": "new-a", "B": "new-b"}
    return [
        f"--token-for=system/*.cruds={SERVICE}",
        *(f"--token-for={letter}={source.token(Wanted('patient/*.rs', key))}" for letter, key in letters.items()),
        *(
            f"--token-for={letter} {scope}={source.token(Wanted(scope, key))}"
            for letter, key in letters.items()
            for scope in scopes
        ),
    ]


LOADED = ["--load", "--writes", "--patients=new-a,new-b", "--seconds=60", *given("patient/*.cruds")]


@pytest.mark.parametrize("options", [["--load"], ["--load", "--writes", "--fixture=any.yaml"]], ids=str)
def test_loading_takes_writes_and_names_no_records(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["http://127.0.0.1:1/fhir", *given(), *options]) == 2
    assert "--load makes patients and records: it takes --writes too" in capsys.readouterr().err


def test_a_dry_run_names_what_would_be_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--load", "--writes", "--dry-run", f"--token-for=system/*.cruds={SERVICE}"]

    assert main(["http://127.0.0.1:1/fhir", *options]) == 0
    printed = capsys.readouterr().out
    assert printed.count("    POST Patient  [system/*.cruds]\n") >= 2
    assert "    POST MedicationRequest  [system/*.cruds]\n" in printed


def test_a_report_says_what_could_not_be_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    server = empty_server("only-ids-of-clients", "delete-refused")
    with listening(server) as base:
        main([base, *LOADED, "--only=expired", "--json=-", "--quiet"])
    printed = capsys.readouterr()

    assert '"Patient/new-a"' in printed.out.partition('"remains"')[2]
    assert "Patient/new-b was made by the probe and could not be deleted.\n" in printed.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
def test_a_process_that_is_ended_leaves_nothing_behind(number: signal.Signals) -> None:
    server = empty_server("only-ids-of-clients")
    with listening(server) as base:
        command = [sys.executable, "-m", "smartauth_probe", base, *LOADED, "--per-second=150"]
        pipe = subprocess.PIPE
        running = subprocess.Popen(command, cwd=ROOT, text=True, stdout=pipe, stderr=pipe)
        try:
            assert wait_until(lambda: ("Patient", "new-b") in server.store)
            running.send_signal(number)
            printed, said = running.communicate(timeout=60)
        finally:
            running.kill()

    assert paths(server) == ["Patient/cat"]
    assert "could not be deleted" not in said
    assert running.returncode == 2
    assert "it was told to, by Ctrl-C or SIGTERM" in printed or "Stopped before the first check" in said
