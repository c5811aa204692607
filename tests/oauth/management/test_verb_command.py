"""A command loads what it needs: neither the pages of the admin nor, on SQLite, the driver of PostgreSQL."""

import subprocess
import sys

import pytest

from tests.running import ROOT, Server

UNUSED = ("operators.admin", "oauth.authorization.consent", "psycopg")
STARTS = f"""
import sys
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "keys", "list", "--json"])
sys.exit(" ".join(name for name in {UNUSED} if name in sys.modules) or None)
"""

pytestmark = pytest.mark.one_engine


def test_a_command_loads_no_page_and_no_driver_that_it_does_not_use() -> None:
    server = Server()
    try:
        server.prepare()
        done = subprocess.run(
            [sys.executable, "-c", STARTS], env=server.environment, cwd=ROOT, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
    finally:
        server.remove()

    assert '"algorithm": "ES256"' in done.stdout
    assert done.returncode == 0, done.stderr
