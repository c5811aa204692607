"""A server whose databases nothing is in yet."""

from collections.abc import Iterator

import pytest

from tests.running import Server


@pytest.fixture
def migrated() -> Iterator[Server]:
    """Its databases are those of `migrate_trail`, which the templates of the tests begin with."""
    made = Server()
    try:
        made.migrate()
        yield made
    finally:
        made.remove()
