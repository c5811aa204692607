"""Which statements introspection and a decision cost on PostgreSQL, by pg_stat_statements, and how they run."""

import hashlib
import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import django
import psycopg

from bench.contenders import INTROSPECTION, ROOT, Contender, smartauth_environment
from bench.decisions import SEARCH
from bench.sides import TITLES

_READS = "query LIKE '%oauth_%' OR query LIKE '%accounts_%'"
_COUNTED = f"SELECT calls, rows, query FROM pg_stat_statements WHERE {_READS} ORDER BY calls DESC"


def print_statement_counts(contender: Contender, folder: Path) -> None:
    """Prints statements a request for one connection and for 32, then the plan of the look-up."""
    with psycopg.connect(os.environ["SMARTAUTH_DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        for what, connections in product((INTROSPECTION, SEARCH), (1, 32)):
            connection.execute("SELECT pg_stat_statements_reset()")
            requests = _run_load(contender, folder, what, connections)
            print(f"\n{requests:,} times over {connections} connection(s): {TITLES[what]}")
            for calls, rows, query in connection.execute(_COUNTED).fetchall():
                print(f"  {calls:,} times, {rows:,} rows: {' '.join(query.split())[:60]}...")
        _print_plan(connection, contender, folder)


def _run_load(contender: Contender, folder: Path, what: str, connections: int) -> int:
    plan = folder / "plan.json"
    plan.write_text(json.dumps(contender.load_plan(what, 1)), encoding="utf-8")
    command = [sys.executable, "-m", "bench.load", str(plan), str(connections), "0", "1"]
    result = json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)
    if result["wrong"]:
        raise SystemExit(f"{result['wrong']} wrong answers, such as {result['first_wrong']}")
    return int(result["requests"])


def _print_plan(connection: psycopg.Connection, contender: Contender, folder: Path) -> None:
    os.environ.update(smartauth_environment(folder, contender.port))
    django.setup()
    from introspection.token_lookup import POSTGRESQL

    digests = ",".join(hashlib.sha256(token.encode()).hexdigest() for token, _ in contender.tokens[:16])
    callers = ",".join(["resource-server"] * 16)
    connection.execute("SET plan_cache_mode = force_generic_plan")
    connection.execute("PREPARE lookup AS " + POSTGRESQL.replace("%s", "$1", 1).replace("%s", "$2", 1))
    plan = f"EXPLAIN (ANALYZE, BUFFERS) EXECUTE lookup ('{{{digests}}}', '{{{callers}}}')"
    print("\n16 tokens at once:")
    print("\n".join(line for (line,) in connection.execute(plan).fetchall()))
