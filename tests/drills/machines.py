"""What the drills run on: PostgreSQL with a synchronous standby, and web machines that share nothing but it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.postgresql import PostgreSQL
from tests.running import Server, production_secrets

DATABASES = {"SMARTAUTH_DATABASE_URL": "main", "SMARTAUTH_AUDIT_DATABASE_URL": "audit"}


@dataclass
class Pair:
    """A primary and the standby that has everything which the primary acknowledged."""

    primary: PostgreSQL
    standby: PostgreSQL
    is_promoted: bool = False

    @property
    def writer(self) -> PostgreSQL:
        """The one that takes writes now."""
        return self.standby if self.is_promoted else self.primary

    def url(self, database: str) -> str:
        """Both hosts: a client asks one after the other for the one that takes writes."""
        hosts = ",".join(f"127.0.0.1:{engine.port}" for engine in (self.primary, self.standby))
        return f"postgresql://{self.primary.superuser}@{hosts}/{database}"


# What a drill may do: its tokens outlive it, and all of its requests come from one address.
SETTINGS = {
    "SMARTAUTH_REDIS_URL": "",
    "SMARTAUTH_ACCESS_TOKEN_SECONDS": "3600",
    "SMARTAUTH_REFRESH_GRACE_SECONDS": "0",  # else an app may ask twice for the answer that it lost
    "SMARTAUTH_FAILURE_LIMIT": "10000",
}
OF_ALL = ("SMARTAUTH_SECRET_KEY", "SMARTAUTH_KEY_ENCRYPTION_KEYS", "SMARTAUTH_ISSUER", *SETTINGS, *DATABASES)


@contextmanager
def replicated() -> Iterator[tuple[Pair, list[Server]]]:
    """Two web machines on the pair, with the demo data."""
    with ExitStack() as stack:
        primary = PostgreSQL()
        stack.callback(primary.remove)
        primary.start().create(*DATABASES.values())
        standby = PostgreSQL(standby_of=primary)
        stack.callback(standby.remove)
        standby.start()
        pair = Pair(primary, standby)
        first = Server()
        first.environment |= {name: pair.url(database) for name, database in DATABASES.items()} | SETTINGS
        first.environment |= {name: drawn for name, drawn in production_secrets().items() if name in OF_ALL}
        stack.callback(first.remove)
        first.prepare()
        second = Server()
        second.environment |= {name: first.environment[name] for name in OF_ALL}
        stack.callback(second.remove)
        primary.wait_for_standby()
        yield pair, [first.start(), second.start()]
