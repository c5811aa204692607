"""What the drills run on: PostgreSQL with a synchronous standby, and web machines that share nothing but it.

Each is a machine on a network, where the test may make one; elsewhere they are processes of this one.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.network import THIS, Machine, Network, is_possible
from tests.postgresql import PostgreSQL
from tests.running import Server, production_secrets

DATABASES = {"SMARTAUTH_DATABASE_URL": "main", "SMARTAUTH_AUDIT_DATABASE_URL": "audit"}


@dataclass
class Pair:
    """A primary and the standby that has everything which the primary acknowledged; after a failover the new one alone.

    The URLs name `db1` and then `db2`, whichever of them is the primary.
    """

    db1: PostgreSQL
    db2: PostgreSQL
    network: Network | None
    parameters: Mapping[str, str]
    is_db2_the_writer: bool = False
    is_complete: bool = True

    @property
    def writer(self) -> PostgreSQL:
        """The one that takes writes now."""
        return self.db2 if self.is_db2_the_writer else self.db1

    @property
    def other(self) -> PostgreSQL:
        """Its standby, or after a failover the old primary."""
        return self.db1 if self.is_db2_the_writer else self.db2

    def promote(self) -> None:
        """The standby takes writes from now on."""
        self.other.promote()
        self.is_db2_the_writer, self.is_complete = not self.is_db2_the_writer, False

    def complete(self) -> None:
        """The old primary comes back as a standby of the new one, made by pg_basebackup."""
        if self.is_complete:
            return
        old = self.other
        old.remove()
        self.mend()
        made = PostgreSQL(standby_of=self.writer, machine=old.machine, port=old.port)
        if self.is_db2_the_writer:
            self.db1 = made
        else:
            self.db2 = made
        self.is_complete = True
        made.start()
        self.writer.wait_for_standby()

    def mend(self) -> None:
        """Both are on the network again."""
        if self.network:
            for engine in (self.db1, self.db2):
                self.network.mend(engine.machine)

    def remove(self) -> None:
        for engine in (self.db1, self.db2):
            engine.remove()

    def url(self, database: str, *hosts: PostgreSQL) -> str:
        """Both hosts: a client asks one after the other for the one that takes writes."""
        named = ",".join(f"{engine.machine.address}:{engine.port}" for engine in hosts or (self.db1, self.db2))
        return f"postgresql://{self.writer.superuser}@{named}/{database}?{urlencode(self.parameters)}"


# What a drill may do: its tokens outlive it, and all of its requests come from one address.
SETTINGS = {
    "SMARTAUTH_REDIS_URL": "",
    "SMARTAUTH_ACCESS_TOKEN_SECONDS": "3600",
    "SMARTAUTH_REFRESH_GRACE_SECONDS": "0",  # else an app may ask twice for the answer that it lost
    "SMARTAUTH_FAILURE_LIMIT": "10000",
}
OF_ALL = ("SMARTAUTH_SECRET_KEY", "SMARTAUTH_KEY_ENCRYPTION_KEYS", "SMARTAUTH_ISSUER", *SETTINGS, *DATABASES)


@contextmanager
def replicated(**parameters: str) -> Iterator[tuple[Pair, list[Server]]]:
    """Two web machines on the pair, with the demo data; their URLs have these parameters of libpq."""
    with ExitStack() as stack:
        network = Network() if is_possible() else None
        if network:
            stack.callback(network.remove)
            network.build()
        primary = PostgreSQL(machine=_machine(network, "db1"))
        stack.callback(primary.remove)
        primary.start().create(*DATABASES.values())
        standby = PostgreSQL(standby_of=primary, machine=_machine(network, "db2"))
        pair = Pair(primary, standby, network, parameters)
        stack.callback(pair.remove)
        standby.start()
        first = _web(network, "web1")
        stack.callback(first.remove)
        first.environment |= {name: pair.url(database) for name, database in DATABASES.items()} | SETTINGS
        first.environment |= {name: drawn for name, drawn in production_secrets().items() if name in OF_ALL}
        first.prepare()
        second = _web(network, "web2")
        stack.callback(second.remove)
        second.environment |= of_all(first)
        primary.wait_for_standby()
        yield pair, [first.start(), second.start()]


def of_all(server: Server) -> dict[str, str]:
    """What each further web machine has as that one has it."""
    return {name: server.environment[name] for name in OF_ALL}


def failures(servers: list[Server]) -> str:
    """What these say of requests in which something of theirs failed, other than a database that does not answer."""
    said = "".join(server.log() for server in servers)
    return "".join(re.findall(r"^\d{4}-.* failed\n(?:(?!\d{4}-).*\n)*", said, re.MULTILINE))


def _machine(network: Network | None, name: str) -> Machine:
    return network.machine(name) if network else THIS


def _web(network: Network | None, name: str) -> Server:
    """In development, for its issuer is on loopback. Of others than loopback it answers its network, by its address."""
    made = Server(machine=_machine(network, name))
    made.url = made.listens_at
    if network:
        made.environment |= {"SMARTAUTH_DEV_NETWORKS": network.block, "SMARTAUTH_ALLOWED_HOSTS": made.machine.address}
    return made
