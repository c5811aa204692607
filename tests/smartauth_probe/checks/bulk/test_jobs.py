"""An export is deleted when it was looked at, and read as far as it can be."""

from http.client import HTTPMessage

import pytest

from smartauth_probe.checks import all_checks
from smartauth_probe.checks.bulk.jobs import export, resources
from smartauth_probe.raw_http import Response
from smartauth_probe.runner import run
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.discovery import prepare
from smartauth_probe.target.fixture import Fixture, Person
from smartauth_probe.target.probe import Probe
from smartauth_probe.target.server_facts import ServerFacts
from tests.smartauth_probe.small_server import InProcess, OpenTokens, client_of

pytestmark = pytest.mark.one_engine


def probe_of(client: InProcess) -> Probe:
    return Probe(client, OpenTokens(), ServerFacts(), Fixture(Person("A", "amy"), Person("B", "ben")))


def test_no_job_is_left() -> None:
    client = client_of()
    probe = prepare(client, OpenTokens())

    run(probe, [check for check in all_checks() if check.section == "bulk"])

    assert any(each.request.path.startswith("export/") for each in client.exchanges)
    assert client.server.jobs == {}


def test_an_export_that_is_refused_is_none() -> None:
    with export(probe_of(client_of()), "system/Observation.rs", (("_type", "Patient"),)) as job:
        assert job is None


def test_a_job_that_is_gone_comes_to_nothing() -> None:
    client = client_of()

    with export(probe_of(client)) as job:
        assert job is not None
        client.server.jobs.clear()
        with pytest.raises(Skip, match="came to nothing"):
            job.manifest()


def test_of_a_file_that_was_cut_the_whole_lines_are_read() -> None:
    answer = Answer.of(Response(200, HTTPMessage(), b'{"id": "1"}\n{"id": "2"}\n{"id'), 0.0)

    assert resources(answer) == [{"id": "1"}, {"id": "2"}]
