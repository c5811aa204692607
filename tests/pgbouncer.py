"""A PgBouncer of a test's own before a PostgreSQL of the test's own, with a pool that is smaller than its clients."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg

from tests.postgresql import PostgreSQL
from tests.running import free_port
from tests.waiting import wait_until

CONFIGURATION = """
[databases]
* = host={host} port={database} user={user}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {pool_mode}
default_pool_size = {pool_size}
max_client_conn = 200
query_wait_timeout = 20
logfile = {folder}/log
admin_users = {user}
"""


class PgBouncer:
    """Listens until it is removed."""

    def __init__(self, engine: PostgreSQL, *, pool_mode: str = "transaction", pool_size: int = 3) -> None:
        self.folder, self.port, self._engine = (
            Path(tempfile.mkdtemp(prefix="smartauth-pgbouncer-")),
            free_port(),
            engine,
        )
        self._settings = {"pool_mode": pool_mode, "pool_size": pool_size}
        self._file = self.folder / "pgbouncer.ini"
        self._write(engine)
        owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if owner:
            shutil.chown(self.folder, "postgres")
        program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        output = (self.folder / "output").open("ab")
        self._running = subprocess.Popen(
            [*owner, program, str(self._file)], cwd=self.folder, stdout=output, stderr=output, start_new_session=True
        )
        assert wait_until(self._answers), (self.folder / "output").read_text()

    def url(self, database: str) -> str:
        return f"postgresql://{self._engine.superuser}@127.0.0.1:{self.port}/{database}"

    def point_to(self, engine: PostgreSQL) -> None:
        """From now on its clients' transactions run there."""
        self._write(engine)
        with psycopg.connect(self.url("pgbouncer"), autocommit=True, prepare_threshold=None) as console:
            console.execute("RELOAD")

    def remove(self) -> None:
        self._running.terminate()
        self._running.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, engine: PostgreSQL) -> None:
        self._file.write_text(
            CONFIGURATION.format(
                **self._settings,
                port=self.port,
                host=engine.machine.address,
                database=engine.port,
                folder=self.folder,
                user=engine.superuser,
            )
        )
        self._file.chmod(0o644)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
