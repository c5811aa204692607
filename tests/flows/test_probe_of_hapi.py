"""A HAPI plain server with the interceptor that our recipe once was: the probe finds what it leaks, untold.

What the recipe is today is probed in test_stranger.py.
"""

from collections.abc import Iterator

import pytest

from smartauth_probe.checks import all_checks
from smartauth_probe.checks.check import Danger, Outcome
from smartauth_probe.runner import CheckResult, chosen, run
from smartauth_probe.target.client import Client
from smartauth_probe.target.discovery import prepare
from tests import maven
from tests.running import ROOT, free_port
from tests.smartauth_probe.small_server import OpenTokens
from tests.strangers import RECIPES, Process

pytestmark = pytest.mark.one_engine
SERVER = ROOT / "tests/clients/leaking_hapi/LeakingServer.java"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """With HAPI's own AuthorizationInterceptor and no narrowing; compiled as it starts."""
    url = f"http://127.0.0.1:{free_port()}/fhir"
    libraries = maven.build(RECIPES / "hapi") / "target/lib"
    command = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{libraries}/*", str(SERVER)]
    process = Process(command, url, tmp_path_factory.mktemp("hapi"), FHIR_BASE=url)
    yield url
    process.stop()


@pytest.fixture(scope="module")
def failures(base: str) -> dict[str, CheckResult]:
    """By name."""
    probe = prepare(Client(base), OpenTokens(), ["amy", "ben"])
    made = run(probe, chosen(all_checks(), ["search", "compartment"]))
    return {each.check.name: each for each in made.of(Outcome.FAILED)}


@pytest.mark.requirement("SR-22", "SR-23")
@pytest.mark.parametrize(
    "name",
    ["count-by-patient-count-0", "count-by-subject-count-0", "count-of-patients", "chain-has", "chain-by-name"],
)
def test_each_way_to_a_count_that_leaked_is_found(failures: dict[str, CheckResult], name: str) -> None:
    """`patient=amy,ben`, `subject=`, `_id=`, `_has` and a chain."""
    assert name in failures


def test_nothing_but_numbers_comes_out_of_it(failures: dict[str, CheckResult]) -> None:
    assert not [name for name, each in failures.items() if each.danger is Danger.RECORDS]
