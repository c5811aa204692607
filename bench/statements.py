"""Which statements each row costs on PostgreSQL, by pg_stat_statements, how they run, and how large their rows are."""

import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import django
import psycopg
from psycopg import sql

from bench.contenders import INTROSPECTION, REFRESH, REVOCATION, ROOT, SECRET, Contender, smartauth_environment
from bench.decisions import SEARCH
from bench.exchange import EXCHANGE
from bench.sides import TITLES

_READS = "query LIKE '%oauth_%' OR query LIKE '%accounts_%'"
_COUNTED = f"""SELECT calls, rows, mean_exec_time, (shared_blks_hit + shared_blks_read) / greatest(rows, 1), query
    FROM pg_stat_statements WHERE {_READS} ORDER BY calls DESC LIMIT 12"""
_TABLES = """SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
    AND relnamespace = 'public'::regnamespace ORDER BY relname"""
_SIZE = """WITH parts AS (SELECT {name}::regclass AS part UNION SELECT relid FROM pg_partition_tree({name}))
    SELECT sum(pg_relation_size(part)), sum(pg_total_relation_size(part)), (SELECT count(*) FROM {table}) FROM parts"""
COUNTED = (INTROSPECTION, SEARCH, SECRET, EXCHANGE, REFRESH, REVOCATION)
FEW = 200  # fewer rows say nothing about one


def print_statement_counts(contender: Contender, folder: Path) -> None:
    """Prints statements a request for one connection and for 32, then the plans of those that read many tables."""
    with psycopg.connect(os.environ["SMARTAUTH_DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        for what, connections in product(COUNTED, (1, 32)):
            connection.execute("SELECT pg_stat_statements_reset()")
            requests = _run_load(contender, folder, what, connections)
            print(f"\n{requests:,} times over {connections} connection(s): {TITLES[what]}")
            for calls, rows, milliseconds, pages, query in connection.execute(_COUNTED).fetchall():
                cost = f"{milliseconds:.2f} ms each, {pages} pages a row"
                print(f"  {calls:,} times, {rows:,} rows, {cost}: {' '.join(query.split())[:60]}...")
        os.environ.update(smartauth_environment(folder, contender.port))
        django.setup()
        _print_plans(connection, contender)
        _ship_events()
        _print_sizes(connection)
    with psycopg.connect(os.environ["SMARTAUTH_AUDIT_DATABASE_URL"], autocommit=True) as connection:
        _print_sizes(connection)


def _run_load(contender: Contender, folder: Path, what: str, connections: int) -> int:
    plan = folder / "plan.json"
    plan.write_text(json.dumps(contender.load_plan(what, 1)), encoding="utf-8")
    command = [sys.executable, "-m", "bench.load", str(plan), str(connections), "0", "1"]
    result = json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)
    if result["wrong"]:
        raise SystemExit(f"{result['wrong']} wrong answers, such as {result['first_wrong']}")
    return int(result["requests"])


def _ship_events() -> None:
    """As the worker does, into the audit database."""
    from audit.shipping import ship

    while ship():
        pass


def _print_sizes(connection: psycopg.Connection) -> None:
    """Bytes a row of each table that has some, and with its indexes."""
    print()
    for (table,) in connection.execute(_TABLES).fetchall():
        size = sql.SQL(_SIZE).format(name=sql.Literal(f"public.{table}"), table=sql.Identifier(table))
        rows, whole, count = connection.execute(size).fetchone() or (0, 0, 0)
        if count >= FEW:
            print(f"{table}: {count:,} rows, {rows / count:.0f} bytes each, {whole / count:.0f} with indexes")


def _print_plans(connection: psycopg.Connection, contender: Contender) -> None:
    from bench.plans import plan, questions

    for question in questions(connection, contender):
        print(f"\n{question.name}, 16 at once:")
        print("\n".join(plan(connection, question)))
