"""What is forgotten with a restore: the statements themselves, as a restore by other means runs them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction

from accounts import clock
from accounts.models import SignIn
from oauth.ending import restored
from oauth.ending.reasons import EndedFor
from oauth.models import AccessToken, Authorization, Launch, PendingRequest, liveness
from tests.fixture_types import MakeClient
from tests.oauth.ending.test_first_reason import old_token

pytestmark = pytest.mark.requirement("RV-08")


@contextmanager
def restored_at(now: int) -> Iterator[None]:
    """The block sees what a restore leaves; other tests do not."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            for statement in restored.statements(now):
                cursor.execute(statement)
        yield
        transaction.set_rollback(True)


def test_every_authorization_ends_with_its_reason_and_no_token_lives(
    make_client: MakeClient, other_fhir_server: Any
) -> None:
    now = clock.now()
    token = old_token(make_client(), other_fhir_server, now)
    tokens = AccessToken.objects.filter(pk=token.pk)
    assert liveness.live(tokens, now=now).exists()

    with restored_at(now):
        row = Authorization.objects.get(pk=token.authorization_id)
        assert (row.ended_at, row.ended_for) == (now, EndedFor.RESTORED)
        had_not_ended = AccessToken.objects.filter(authorization__ended_at__in=(0, now))
        assert not liveness.live(had_not_ended, now=now).exists()


def test_what_had_ended_before_keeps_its_reason(make_client: MakeClient, other_fhir_server: Any) -> None:
    now = clock.now()
    rows = Authorization.objects.filter(pk=old_token(make_client(), other_fhir_server, now).authorization_id)
    rows.update(ended_at=5, ended_for=EndedFor.PERSON)

    with restored_at(now):
        assert rows.values_list("ended_at", "ended_for").get() == (5, EndedFor.PERSON)


@pytest.mark.parametrize("model", [PendingRequest, Launch, SignIn, Session])
def test_nothing_that_waits_and_no_session_is_left(model: Any) -> None:
    assert any(statement == f"DELETE FROM {model._meta.db_table}" for statement in restored.statements(1))


def test_the_command_prints_what_empties_the_database_before(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("restored-sql", "--before")

    printed = capsys.readouterr().out
    assert printed.startswith("-- drops everything in public; only inside the transaction of a restore\n")
    assert "DROP" in printed
    assert "UPDATE" not in printed


def test_the_command_prints_the_same_for_psql(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("restored-sql")

    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    assert lines[0] == "SET search_path TO public;"
    assert [line.partition(" ")[0] for line in lines[1:]] == ["UPDATE", "DELETE", "DELETE", "DELETE", "DELETE"]
    assert all(line.endswith(";") for line in lines)
