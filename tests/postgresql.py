"""A PostgreSQL of a test's own, which it may kill; durable as an operator's, unlike the one of .ci/servers."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psycopg

from tests.network import THIS, Machine
from tests.processes import is_running
from tests.running import free_port
from tests.waiting import wait_until


class PostgreSQL:
    """One cluster in a temporary folder. `start` and `kill` may be called again and again; data stays."""

    def __init__(
        self,
        superuser: str = "smartauth",
        *,
        standby_of: "PostgreSQL | None" = None,
        machine: Machine = THIS,
        port: int = 0,
    ) -> None:
        self.superuser, self.machine = superuser, machine
        self.folder = Path(tempfile.mkdtemp(prefix="smartauth-pg-"))
        self.port = port or free_port()
        self._bin, self._killed = _binaries(), True
        owner = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
        self._begin = (*machine.inside, *owner)
        if owner:
            shutil.chown(self.folder, "postgres")
        data = ("-D", str(self.folder / "data"), "-U", superuser)
        if standby_of:  # which runs
            where = ("-h", standby_of.machine.address, "-p", str(standby_of.port))
            self._run("pg_basebackup", *data, *where, "-R", "-c", "fast")
        else:
            self._run("initdb", *data, "-A", "trust", "-E", "UTF8", "--locale=C")
            with (self.folder / "data" / "pg_hba.conf").open("a") as trusted:
                trusted.write("host all,replication all samenet trust\n")

    def url(self, database: str) -> str:
        return f"postgresql://{self.superuser}@{self.machine.address}:{self.port}/{database}"

    def start(self) -> "PostgreSQL":
        """Ready to be asked, after what a crash left was recovered."""
        options = f"-p {self.port} -k '' -c listen_addresses={self.machine.address}"
        options += " -c fsync=on -c synchronous_commit=on"
        self._killed = False
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-w", "-o", options, "start"
        )
        return self

    def create(self, *databases: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            for name in databases:
                connection.execute(f'CREATE DATABASE "{name}"'.encode())

    def wait_for_standby(self) -> None:
        """From now on no commit is acknowledged that the standby has not on its disk. Begins once it follows."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
            state = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
            assert wait_until(lambda: connection.execute(state).fetchone() == (1,))

    def promote(self) -> None:
        """A standby takes writes from now on."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "promote")

    def kill(self) -> None:
        """kill -9 of the postmaster and of every process that it started."""
        postmaster = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGSTOP)  # so that it starts no other one meanwhile
        processes = [postmaster, *_children(postmaster)]
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while any(is_running(process) for process in processes) and time.monotonic() < deadline:
            time.sleep(0.02)
        # a container without an init keeps the dead postmaster as a zombie, and the next one would take it for alive
        (self.folder / "data" / "postmaster.pid").unlink()
        self._killed = True

    def remove(self) -> None:
        if not self._killed:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        with (self.folder / "output").open("ab") as output:
            command = [*self._begin, str(self._bin / program), *arguments]
            subprocess.run(command, cwd=self.folder, stdout=output, stderr=output, check=True, timeout=120)


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    initdb = str(found[-1]) if found else shutil.which("initdb")
    if initdb is None:
        raise AssertionError("PostgreSQL is needed and was not found")
    return Path(initdb).parent


def _children(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True)
    return [int(line) for line in listed.stdout.split()]
