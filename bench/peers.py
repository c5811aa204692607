"""What this server is measured beside: oidc-provider with its tokens in memory or in Redis, django-oauth-toolkit."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.contenders import APPS, ROOT, Contender, free_port, running

MEMORY, REDIS, TOOLKIT = "memory", "redis", "dot"
TOOLKIT_ROWS = frozenset({"introspection", "secret", "refresh", "revocation"})
NAMES = {
    MEMORY: "oidc-provider in memory",
    REDIS: "oidc-provider, Redis",
    TOOLKIT: "django-oauth-toolkit, PostgreSQL",
}
MOST_REVOKED = {MEMORY: 16_000, REDIS: 8000, TOOLKIT: 1000}  # a second: each token ends once


@dataclass(frozen=True)
class Needs:
    """How many of each the rows ask for, for how many seconds they revoke, and whose tokens they are."""

    key: Path
    tokens: int
    pool: int
    launches: int
    codes: int
    dead: int
    revoking_seconds: float
    whose: str


def has(peer: str, what: str) -> bool:
    """Whether it is measured beside this one for that."""
    return peer != TOOLKIT or what in TOOLKIT_ROWS


def started(peer: str, folder: Path, needs: Needs) -> AbstractContextManager[Contender]:
    """The peer, ready to be asked."""
    return toolkit(folder, needs) if peer == TOOLKIT else oidc_provider(peer, folder, needs)


@contextmanager
def oidc_provider(peer: str, folder: Path, needs: Needs) -> Iterator[Contender]:
    """node oidc-provider with its tokens in its own memory, or in the Redis that bench/run started.

    It holds as many live tokens as this server does.
    """
    port, file = free_port(), folder / f"issued-by-oidc-provider-{peer}.json"
    crowd = max(int(MOST_REVOKED[peer] * needs.revoking_seconds), needs.tokens - needs.pool)
    made = (needs.pool, needs.launches, needs.codes, needs.dead, crowd)
    numbers = [str(number) for number in (port, APPS, *made)]
    command = ["node", str(ROOT / "bench" / "peer.mjs"), *numbers, str(file), needs.whose, str(needs.key)]
    redis = os.environ["BENCH_REDIS"] if peer == REDIS else ""
    environment = {"NODE_ENV": "production", "BENCH_REDIS_URL": redis}
    with running(command, port, folder / f"oidc-provider-{peer}.log", **environment) as process:
        issued = json.loads(file.read_text(encoding="utf-8"))
        yield Contender(
            NAMES[peer],
            port,
            "/token/introspection",
            issued["tokens"],
            process,
            int(os.environ["BENCH_REDIS_PID"]) if redis else 0,
            token_path="/token",
            key=needs.key,
            revocation_path="/token/revocation",
            revocable=issued["revocable"],
            refresh_tokens=issued["refresh"],
            codes=issued["codes"],
            dead=issued["dead"],
            most_revoked=MOST_REVOKED[peer],
        )


@contextmanager
def toolkit(folder: Path, needs: Needs) -> Iterator[Contender]:
    """django-oauth-toolkit in a project of its own, one process, a database of its own in the same PostgreSQL."""
    port, file = free_port(), folder / "issued-by-toolkit.json"
    url = _toolkit_database()
    environment = {"DJANGO_SETTINGS_MODULE": "bench.toolkit.settings", "BENCH_TOOLKIT_DATABASE_URL": url}
    revocable = int(MOST_REVOKED[TOOLKIT] * needs.revoking_seconds)
    crowd = max(needs.tokens, needs.pool + revocable)
    numbers = [str(number) for number in (crowd, needs.pool, APPS, needs.launches, revocable)]
    seed = [sys.executable, "-m", "bench.toolkit.seed", *numbers, str(file)]
    subprocess.run(seed, env={**os.environ, **environment}, cwd=ROOT, check=True)
    command = [sys.executable, "-m", "uvicorn", "--port", str(port), "--no-access-log", "--log-level", "warning"]
    command += ["--lifespan", "off", "bench.toolkit.application:application"]
    with running(command, port, folder / "toolkit.log", **environment) as process:
        issued = json.loads(file.read_text(encoding="utf-8"))
        yield Contender(
            NAMES[TOOLKIT],
            port,
            "/o/introspect/",
            issued["tokens"],
            process,
            int(os.environ["BENCH_POSTGRESQL_PID"]),
            token_path="/o/token/",
            revocation_path="/o/revoke_token/",
            revocable=issued["revocable"],
            refresh_tokens=issued["refresh"],
            most_revoked=MOST_REVOKED[TOOLKIT],
        )


def _toolkit_database() -> str:
    ours = os.environ["SMARTAUTH_DATABASE_URL"]
    with psycopg.connect(ours, autocommit=True) as connection:
        connection.execute("CREATE DATABASE toolkit")
    return ours.rpartition("/")[0] + "/toolkit"
