"""What a migration does to rows, also backwards."""

from importlib import import_module

import pytest
from django.apps import apps

from accounts import clock
from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor
from oauth.models import Authorization
from tests.fixture_types import Issue, MakeClient


@pytest.mark.requirement("RV-08")
def test_backwards_what_an_epoch_has_ended_stays_dead_for_code_that_reads_none(
    issue: Issue, make_client: MakeClient
) -> None:
    """Of a FHIR server that ended, of a client whose end marked no row yet; and what lives goes on living."""
    migration = import_module("oauth.migrations.0013_end_a_fhir_server_at_once")
    unmarked, old, living = (issue(make_client())["granted"].authorization for _ in range(3))
    now = clock.now()
    access.end_epoch(unmarked.client, Actor(now=now - 5), EndedFor.CLIENT_DISABLED)
    Authorization.objects.filter(pk=old.pk).update(fhir_server_epoch=old.fhir_server.epoch - 1)

    migration.end_what_older_code_would_revive(apps, None)

    for row in (unmarked, old, living):
        row.refresh_from_db()
    assert (unmarked.ended_for, unmarked.ended_at, unmarked.epoch) == ("client-disabled", now - 5, 1)
    assert (old.ended_for, old.ended_at >= now, old.epoch) == ("fhir-server-ended", True, 1)
    assert (living.ended_for, living.ended_at, living.epoch) == ("", 0, 0)
