"""FHIR reads hold a thread while they wait for introspection at the same server: it must answer all the same."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.flows.app import token
from tests.running import Server

THREADS = 8  # the default of SMARTAUTH_WEB_THREADS
ROUNDS = 5


@pytest.mark.requirement("TV-15")
def test_four_times_as_many_reads_as_threads_are_all_answered(server: Server) -> None:
    headers = {"Authorization": f"Bearer {token(server)}"}
    url = f"{server.url}/fhir/r4/Patient/amy"
    limits = httpx.Limits(max_connections=4 * THREADS, max_keepalive_connections=4 * THREADS)

    with httpx.Client(headers=headers, limits=limits, timeout=30) as client, ThreadPoolExecutor(4 * THREADS) as pool:
        statuses = [answer.status_code for answer in pool.map(client.get, [url] * 4 * THREADS * ROUNDS)]

    assert statuses == [200] * 4 * THREADS * ROUNDS
