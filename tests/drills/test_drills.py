"""The promises of docs/how-to/high-availability.md: nothing is lost, nothing comes back, and none is made in vain."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import psycopg
import pytest

from oauth.http.async_connection import AsyncConnection
from tests.drills.failover import Failover, Partition
from tests.drills.lives import Load
from tests.drills.machines import DATABASES, Pair, failures, of_all, replicated
from tests.drills.restore import Restore
from tests.drills.verdict import Examination
from tests.flows.app import RESOURCE_SERVER, introspect, read, revoke, token
from tests.network import is_possible
from tests.pgbouncer import PgBouncer
from tests.postgresql import PostgreSQL
from tests.running import Server
from tests.waiting import wait_until

pytestmark = pytest.mark.kill
CHANGES = 300


@pytest.fixture(scope="module")
def machines() -> Iterator[tuple[Pair, list[Server]]]:
    """Two web machines, a primary and its synchronous standby, for all tests in any order."""
    with replicated(tcp_user_timeout="3000") as made:
        yield made


# A failover and a restore ---------------------------------------------------------------------------------------------


@pytest.mark.requirement("RV-09", "E77", "E114", "CG-05", "SD-10")
def test_a_promoted_standby_knows_all_that_was_acknowledged(machines: tuple[Pair, list[Server]]) -> None:
    drill = Failover(changes=CHANGES)

    verdict = drill.run(*machines)

    assert drill.load.wrong == [], failures(machines[1])
    assert (verdict.lost, verdict.resurrected) == (0, 0), verdict.table()
    assert {answer.status_code for answer in drill.away} == {503}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in drill.away)
    assert drill.changes_afterwards > CHANGES / 5
    assert {row.acknowledged > 10 for row in verdict.rows} == {True}, verdict.table()


@pytest.mark.requirement("RV-08", "SD-05", "SD-10")
def test_a_restored_backup_brings_nothing_back_and_loses_no_event(machines: tuple[Pair, list[Server]]) -> None:
    drill = Restore(changes=CHANGES)

    verdict = drill.run(*machines)

    assert drill.load.wrong == [], failures(machines[1])
    assert (verdict.lost, verdict.resurrected) == (0, 0), verdict.table()
    assert {row.acknowledged > 10 for row in verdict.rows} == {True}, verdict.table()


# A database that cannot keep a promise --------------------------------------------------------------------------------


def setting(engine: PostgreSQL, name: str, value: str) -> None:
    """Every session of the cluster has it before this returns, or at its next statement."""
    with psycopg.connect(engine.url("postgres"), autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"ALTER SYSTEM SET {name} = {value}".encode())
        connection.execute("SELECT pg_reload_conf()")
    shown = f"SELECT current_setting('{name}')".encode()

    def is_set() -> bool:
        with psycopg.connect(engine.url("postgres"), autocommit=True) as connection:
            return connection.execute(shown).fetchone() == (value.strip("'"),)

    assert wait_until(is_set)


@pytest.mark.requirement("E114")
def test_who_gives_up_waiting_for_the_standby_makes_no_commit_true(machines: tuple[Pair, list[Server]]) -> None:
    """PostgreSQL ends that wait at a cancellation with a warning, and the commit counts: on this machine alone."""
    engine = machines[0].writer
    with psycopg.connect(engine.url("postgres")) as connection:
        (before,) = connection.execute("SHOW synchronous_standby_names").fetchone() or ("",)
    setting(engine, "synchronous_standby_names", "'nobody'")

    async def give_up() -> None:
        connection = await AsyncConnection.connect(engine.url("postgres"), autocommit=True)
        async with asyncio.timeout(1):
            await connection.execute("CREATE TABLE acknowledged ()")

    with pytest.raises(TimeoutError):
        asyncio.run(give_up())

    with psycopg.connect(engine.url("postgres")) as connection:
        found = connection.execute("SELECT to_regclass('acknowledged')").fetchone()
    setting(engine, "synchronous_standby_names", f"'{before}'")
    assert found == (None,)


@pytest.mark.requirement("E114", "RV-01")
def test_a_database_that_takes_no_writes_is_one_that_does_not_answer(machines: tuple[Pair, list[Server]]) -> None:
    engine, server = machines[0].writer, machines[1][0]
    kept = token(server)
    setting(engine, "default_transaction_read_only", "on")

    blind = httpx.post(f"{server.url}/o/introspect", data={"token": kept}, auth=RESOURCE_SERVER, timeout=30)
    refused = [blind, *(revoke(server, kept) for _ in range(3))]
    page = httpx.get(f"{server.url}/o/authorize", params={"client_id": "demo-public"}, timeout=30)
    unready = httpx.get(f"{server.url}/readyz", timeout=30)
    setting(engine, "default_transaction_read_only", "off")

    assert [answer.status_code for answer in refused] == [503] * 4
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    assert page.status_code in (400, 503)
    assert unready.status_code == 503
    assert introspect(server, kept)["active"] is True
    assert wait_until(lambda: revoke(server, kept).status_code == 200)
    assert introspect(server, kept) == {"active": False}


# PgBouncer in transaction mode, with fewer connections than its clients -----------------------------------------------

POOLED = {"SMARTAUTH_DATABASE_POOL_MODE": "transaction"}
DOCTOR = """
import json
from operators.doctor.databases import find_unknown_pooler
print(json.dumps([problem.what for problem in find_unknown_pooler()]))
"""


@pytest.fixture(scope="module")
def pooler(machines: tuple[Pair, list[Server]]) -> Iterator[PgBouncer]:
    made = PgBouncer(machines[0].writer)
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def third(machines: tuple[Pair, list[Server]], pooler: PgBouncer) -> Iterator[Server]:
    """A web machine of two processes that connects through PgBouncer."""
    made = Server(processes=2)
    made.environment |= of_all(machines[1][0])
    made.environment |= {name: pooler.url(database) for name, database in DATABASES.items()} | POOLED
    made.url = f"http://127.0.0.1:{made.port}"
    made.environment["SMARTAUTH_FHIR_INTROSPECTION_URL"] = f"{made.url}/o/introspect"
    try:
        yield made.start()
    finally:
        made.remove()


@pytest.fixture
def pooled(machines: tuple[Pair, list[Server]], pooler: PgBouncer, third: Server) -> Server:
    """It is ready, wherever its pooler led before."""
    pooler.point_to(machines[0].writer)
    assert wait_until(lambda: httpx.get(f"{third.url}/readyz", timeout=30).status_code == 200)
    return third


def test_behind_a_pooler_whole_lives_run_side_by_side(pooled: Server) -> None:
    said = len(pooled.log().encode())
    load = Load([pooled], changes=150)

    load.run(halfway=lambda: None)
    verdict = Examination(load, pooled).after_failover()

    assert (load.wrong, load.unanswered) == ([], 0)
    assert (verdict.lost, verdict.resurrected) == (0, 0), verdict.table()
    assert "Traceback" not in pooled.log(since=said)


def test_behind_a_pooler_pages_and_records_are_served(pooled: Server) -> None:
    kept = token(pooled)

    assert [read(pooled, "Patient/amy", kept).status_code for _ in range(8)] == [200] * 8
    assert [httpx.get(f"{pooled.url}/login", timeout=30).status_code for _ in range(8)] == [200] * 8


def test_nothing_that_a_request_set_is_left_on_a_connection_of_the_pool(pooled: Server) -> None:
    introspect(pooled, token(pooled))

    with psycopg.connect(pooled.environment["SMARTAUTH_DATABASE_URL"], prepare_threshold=None) as of_the_pool:
        shown = [
            of_the_pool.execute(f"SELECT current_setting('{name}')".encode()).fetchone()
            for name in ("enable_seqscan", "statement_timeout", "plan_cache_mode", "lock_timeout")
        ]
        prepared = of_the_pool.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()

    assert shown == [("on",), ("0",), ("auto",), ("0",)]
    assert prepared == (0,)


@pytest.mark.parametrize(("mode", "found"), [("none", ["default", "audit"]), ("transaction", [])])
def test_doctor_sees_a_pooler_that_no_setting_tells_of(
    pooled: Server, monkeypatch: pytest.MonkeyPatch, mode: str, found: list[str]
) -> None:
    monkeypatch.setitem(pooled.environment, "SMARTAUTH_DATABASE_POOL_MODE", mode)

    told = json.loads(pooled.manage("shell", "--no-imports", "-v0", "-c", DOCTOR))

    assert [line.split(" database ")[1].split(",")[0] for line in told] == found


def test_a_pooler_that_leads_to_a_standby_gives_no_answer_and_to_its_promotion_it_does(
    machines: tuple[Pair, list[Server]], pooled: Server, pooler: PgBouncer
) -> None:
    """The standby has stopped to replay, so that it still calls a token active that was taken back."""
    taken_back = token(pooled)
    with ExitStack() as stack:
        standby = PostgreSQL(standby_of=machines[0].writer)
        stack.callback(standby.remove)
        standby.start()
        with psycopg.connect(standby.url("main"), autocommit=True) as behind:
            behind.execute("SELECT pg_wal_replay_pause()")
            assert revoke(pooled, taken_back).status_code == 200

            pooler.point_to(standby)
            form, url = {"token": taken_back}, f"{pooled.url}/o/introspect"
            answers = [httpx.post(url, data=form, auth=RESOURCE_SERVER, timeout=30) for _ in range(8)]
            unready = httpx.get(f"{pooled.url}/readyz", timeout=30)

            assert {answer.status_code for answer in answers} == {503}
            assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
            assert unready.status_code == 503
            behind.execute("SELECT pg_wal_replay_resume()")
        standby.promote()

        assert wait_until(lambda: httpx.get(f"{pooled.url}/readyz", timeout=30).status_code == 200)
        assert introspect(pooled, taken_back) == {"active": False}


# A primary whose network is cut ---------------------------------------------------------------------------------------


@pytest.fixture
def late(machines: tuple[Pair, list[Server]]) -> Iterator[Server]:
    """A web machine that has not started yet, and will ask the present primary first."""
    pair, (first, _) = machines
    pair.complete()
    made = Server()
    made.environment |= of_all(first)
    made.environment |= {name: pair.url(database, pair.writer, pair.other) for name, database in DATABASES.items()}
    made.url = made.listens_at
    try:
        yield made
    finally:
        made.remove()
        pair.mend()
        if not pair.is_complete:
            pair.other.remove()


@pytest.mark.skipif(not is_possible(), reason="NOT CHECKED: root makes the network that is cut")
@pytest.mark.requirement("RV-09", "E114", "SD-10")
def test_a_primary_that_was_cut_off_loses_nothing_and_acknowledges_nothing_when_it_is_back(
    machines: tuple[Pair, list[Server]], late: Server
) -> None:
    """Nobody has put it aside, as step 1 of a failover demands: who comes anew is led to it, and reads what was."""
    pair, servers = machines
    ended, other = token(servers[0]), token(servers[0], user="ben")
    drill = Partition(changes=CHANGES // 3)

    drill.fail_over(pair, servers)
    revoked = revoke(servers[0], ended)
    pair.mend()
    late.start()
    told = [introspect(server, ended)["active"] for server in (*servers, late)]
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{late.url}/o/revoke", data={"token": other, "client_id": "demo-public"}, timeout=1)
    pair.other.kill()
    verdict = drill.examine()

    assert revoked.status_code == 200
    assert told == [False, False, True]
    assert drill.load.wrong == [], failures(machines[1])
    assert (verdict.lost, verdict.resurrected) == (0, 0), verdict.table()
    assert {answer.status_code for answer in drill.away} == {503}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in drill.away)
    assert drill.changes_afterwards > CHANGES / 15
    assert wait_until(lambda: httpx.get(f"{late.url}/readyz", timeout=30).status_code == 200)
    assert [introspect(server, ended)["active"] for server in (*servers, late)] == [False, False, False]
