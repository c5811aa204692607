"""The trail lives in a database of its own, and nothing else does."""

import pytest

from audit.models import OutboxEvent, SecurityEvent
from audit.router import AuditRouter
from oauth.models import Client


@pytest.mark.requirement("SD-10")
def test_the_trail_alone_lives_in_the_audit_database() -> None:
    router = AuditRouter()

    homes = {"audit": SecurityEvent, "default": OutboxEvent}
    assert {router.db_for_read(model): model for model in homes.values()} == homes
    assert {router.db_for_write(model): model for model in homes.values()} == homes
    assert router.db_for_read(Client) == "default"
    assert router.allow_relation(SecurityEvent(), OutboxEvent()) is None


@pytest.mark.requirement("SD-10")
@pytest.mark.parametrize(
    ("app", "model", "home"),
    [
        ("audit", "securityevent", "audit"),
        ("audit", "outboxevent", "default"),
        ("audit", None, "default"),
        ("oauth", "securityevent", "default"),
    ],
)
def test_each_table_is_made_in_one_database(app: str, model: str | None, home: str) -> None:
    router = AuditRouter()

    assert [name for name in ("default", "audit") if router.allow_migrate(name, app, model)] == [home]
