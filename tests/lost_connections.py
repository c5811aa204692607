"""A test begins with connections that live: one that was lost meanwhile is said to be, and opened anew.

The connections of a test's own thread stay open for minutes in which nothing asks them. What tells of their loss would
else be a test that has nothing to do with it. A test that closed a file descriptor twice, and with it a
connection that had got its number, is named.
"""

import os
import warnings
from collections.abc import Generator
from typing import Any

import psycopg
import pytest
from django.db import connections


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for connection in _open_ones():
        if not connection.is_usable():
            warnings.warn(f"{connection.alias}: the connection was lost before {item.nodeid}", stacklevel=1)
            connection.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    known = [(each.alias, each.connection) for each in _open_ones() if not each.connection.closed]
    before = [(*each, _socket(each[1])) for each in known]
    result = yield
    for alias, connection, socket in before:
        if not connection.closed and _socket(connection) != socket:
            what = f"{item.nodeid} closed the socket of {alias}, {socket}: its number is {_socket(connection)} now"
            warnings.warn(what, stacklevel=1)
    return result


def _open_ones() -> list[Any]:
    found = connections.all(initialized_only=True)
    return [each for each in found if each.vendor == "postgresql" and each.connection is not None]


def _socket(connection: Any) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{connection.fileno()}")
    except (OSError, psycopg.Error) as error:
        return str(error)
