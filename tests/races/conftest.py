"""What contenders race on."""

from collections.abc import Iterator

import pytest

from tests.running import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The databases of a server that is not started: the contenders are the whole server themselves."""
    made = Server()
    try:
        made.prepare()
        yield made
    finally:
        made.remove()
