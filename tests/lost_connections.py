"""A test begins with connections that live: one that was lost meanwhile is said to be, and opened anew.

The connections of a test's own thread stay open for minutes in which nothing asks them. What tells of their loss would
else be a test that has nothing to do with it.
"""

import warnings

import pytest
from django.db import connections


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for connection in connections.all(initialized_only=True):
        if connection.vendor == "postgresql" and connection.connection is not None and not connection.is_usable():
            warnings.warn(f"{connection.alias}: the connection was lost before {item.nodeid}", stacklevel=1)
            connection.close()
