"""Redis is killed under load: no request notices, no event is lost, they only come later."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.audit.test_worker import outcome, worker
from tests.drills.lives import Load
from tests.drills.machines import SETTINGS
from tests.drills.verdict import Examination
from tests.redis_server import Redis
from tests.running import Server

pytestmark = pytest.mark.kill


@pytest.fixture
def redis() -> Iterator[Redis]:
    made = Redis()
    try:
        yield made.start()
    finally:
        made.remove()


@pytest.mark.requirement("SD-10")
def test_a_broker_that_is_killed_delays_events_and_nothing_else(redis: Redis) -> None:
    with ExitStack() as stack:
        server = Server()
        stack.callback(server.remove)
        server.prepare()
        server.environment |= {
            **SETTINGS,
            "SMARTAUTH_AUDIT_SHIP_SECONDS": "1",
            "SMARTAUTH_REDIS_URL": redis.url,
        }
        server.start()
        load = Load([server], changes=60)
        stack.enter_context(worker(server))
        before = outcome(server, 60)

        load.run(halfway=redis.kill)
        waiting, _ = outcome(server, 0)
        redis.start()
        after = outcome(server, 60)
        verdict = Examination(load, server).after_failover()

    assert before[0] == 0, "the worker did not begin"
    assert (load.wrong, load.unanswered) == ([], 0)
    assert waiting > 0
    assert after[0] == 0, "the worker did not go on"
    assert (verdict.lost, verdict.resurrected) == (0, 0), verdict.table()
