"""A PgBouncer before the PostgreSQL that bench/run started, each transaction on another connection of its pool."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from bench.contenders import free_port, running

DATABASES = ("SMARTAUTH_DATABASE_URL", "SMARTAUTH_AUDIT_DATABASE_URL")
CONFIGURATION = """
[databases]
* = host={url.hostname} port={url.port} user={url.username} password={url.password}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 400
"""


class PgBouncer(NamedTuple):
    """One that runs."""

    port: int
    process: int

    def environment(self) -> dict[str, str]:
        """The settings of a server whose databases are reached through it."""
        urls = {name: urlsplit(os.environ[name]) for name in DATABASES}
        through = {name: url._replace(netloc=f"{url.username}@127.0.0.1:{self.port}") for name, url in urls.items()}
        return {**{name: url.geturl() for name, url in through.items()}, "SMARTAUTH_DATABASE_POOL_MODE": "transaction"}


@contextmanager
def started(folder: Path) -> Iterator[PgBouncer]:
    """Once it listens. It refuses to serve as root, who lends it the account of Debian's PostgreSQL."""
    port, file = free_port(), folder / "pgbouncer.ini"
    file.touch(mode=0o600)
    file.write_text(CONFIGURATION.format(url=urlsplit(os.environ[DATABASES[0]]), port=port), encoding="utf-8")
    account = ["-u", "postgres"] if os.geteuid() == 0 else []
    program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    with running([program, *account, str(file)], port, folder / "pgbouncer.log") as process:
        yield PgBouncer(port, process.pid)
