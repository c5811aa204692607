"""The head of a report: with what it was measured, and how busy others kept the machine before and after."""

import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version

import psycopg

from bench.contenders import ROOT, TICK

LOOKED = 2.0  # seconds in which nothing of ours works
QUIET = 0.1  # of all cores


def versions() -> str:
    """Of all that is measured and all that measures."""
    node = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    packages = json.loads((ROOT / "bench" / "package.json").read_text(encoding="utf-8"))["dependencies"]
    with psycopg.connect(os.environ["SMARTAUTH_DATABASE_URL"]) as connection:
        engine = connection.info.server_version // 10_000
    return (
        f"Python {platform.python_version()} ({os.path.realpath(sys.executable)}), PostgreSQL {engine}, node {node}, "
        f"oidc-provider {packages['oidc-provider']}, django-oauth-toolkit {version('django-oauth-toolkit')}"
    )


def others() -> float:
    """The share of all cores that is used while nothing of ours works."""
    before = _busy_seconds()
    time.sleep(LOOKED)
    return (_busy_seconds() - before) / (LOOKED * (os.cpu_count() or 1))


def _busy_seconds() -> float:
    """Of all cores since the machine started: user, nice, system, interrupts, and what the host kept back."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _, _, hard, soft, stolen = map(int, stat.readline().split()[1:9])
    return (user + nice + system + hard + soft + stolen) / TICK


def head(before: float, after: float, load: float) -> str:
    """The paragraph over the tables; `load` is the load average of before."""
    quiet = max(before, after) <= QUIET
    verdict = "a quiet machine" if quiet else "**not a quiet machine: only figures beside each other may be compared**"
    return (
        f"{datetime.now(UTC):%d %B %Y}, {versions()}; {os.cpu_count()} cores. Others used {before:.0%} of the cores "
        f"before it and {after:.0%} after it, load average before it {load:.1f}: {verdict}."
    )
