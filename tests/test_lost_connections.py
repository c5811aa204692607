"""What a test finds whose connection was lost before it began."""

import os
from contextlib import suppress

import pytest
from django.db import connection, connections

from tests import lost_connections

pytestmark = pytest.mark.postgresql


def test_a_connection_that_was_lost_between_two_tests_is_told_of_and_opened_anew(
    committed: None, request: pytest.FixtureRequest
) -> None:
    connection.ensure_connection()
    lost = connection.connection.info.backend_pid
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [lost])
        assert cursor.fetchone() == (True,)
    other.close()

    with pytest.warns(UserWarning, match="default: the connection was lost before tests/test_lost"):
        lost_connections.pytest_runtest_setup(request.node)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone() != (lost,)


def test_a_connection_that_lives_is_kept(committed: None, request: pytest.FixtureRequest) -> None:
    connection.ensure_connection()
    kept = connection.connection

    lost_connections.pytest_runtest_setup(request.node)

    assert connection.connection is kept


def test_one_of_which_it_is_known_that_it_was_lost_keeps_no_test_from_beginning(
    committed: None, request: pytest.FixtureRequest
) -> None:
    connection.ensure_connection()
    connection.connection.close()
    running = lost_connections.pytest_runtest_protocol(request.node)

    next(running)
    with pytest.warns(UserWarning, match="default: the connection was lost before tests/test_lost"):
        lost_connections.pytest_runtest_setup(request.node)
    with suppress(StopIteration):
        next(running)

    connection.ensure_connection()
    assert connection.is_usable()


def test_who_closes_its_socket_is_named(committed: None, request: pytest.FixtureRequest) -> None:
    connection.ensure_connection()
    running = lost_connections.pytest_runtest_protocol(request.node)
    next(running)
    with open(os.devnull, "rb") as other:
        os.dup2(other.fileno(), connection.connection.fileno())

    with pytest.warns(UserWarning, match="closed the socket of default, socket:"), suppress(StopIteration):
        next(running)

    connection.close()
