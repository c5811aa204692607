"""Networks of tests that run at the same time are apart, and those of a run that was killed are gone."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.network import Network, is_possible
from tests.running import ROOT

pytestmark = [
    pytest.mark.one_engine,
    pytest.mark.skipif(not is_possible(), reason="NOT CHECKED: networks, which root makes in namespaces"),
]

KILLED = """
import os, signal
from tests.network import Network
network = Network().build()
network.machine("primary")
print(network.block, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def network() -> Iterator[Network]:
    made = Network()
    try:
        yield made.build()
    finally:
        made.remove()


def test_two_at_a_time_have_different_addresses(network: Network) -> None:
    another = Network()

    assert another.block != network.block
    another.remove()


def test_what_a_killed_run_left_is_taken_over_with_its_number() -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=ROOT, capture_output=True, text=True, timeout=60)

    networks, blocks = [], []
    try:
        while killed.stdout.strip() not in blocks:
            networks.append(Network())
            blocks.append(networks[-1].block)
        networks[-1].build()
        assert networks[-1].machine("primary").address.endswith(".2")
    finally:
        for each in networks:
            each.remove()
