"""A restore from a backup: nothing that ended after the backup lives again, keys and trail go on. Both engines."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.flows.app import RESOURCE_SERVER, StandaloneLaunch, introspect, token
from tests.kill.test_kill import Machine, running
from tests.postgresql import PostgreSQL

pytestmark = [pytest.mark.kill, pytest.mark.requirement("RV-08", "SD-05")]
EVENTS = "from audit.models import OutboxEvent, SecurityEvent; from audit.shipping import ship; ship(); "
KINDS = EVENTS + "print(*SecurityEvent.objects.values_list('event_id', 'kind'), sep=chr(10))"


@dataclass
class Before:
    """What lived when the backup was made, and was ended afterwards."""

    left_alone: str
    revoked: str
    code: tuple[StandaloneLaunch, str]
    refresh_token: str
    browser: httpx.Client


@pytest.fixture(scope="module", params=["embedded", "postgresql"])
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    with running(PostgreSQL() if request.param == "postgresql" else None) as made:
        yield made


def trail(machine: Machine) -> set[str]:
    return set(machine.server.manage("shell", "-v0", "-c", KINDS).splitlines())


def refreshed(machine: Machine, refresh_token: str) -> httpx.Response:
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": "demo-public"}
    return httpx.post(f"{machine.server.url}/o/token", data=form, timeout=30)


def prepared(machine: Machine) -> Before:
    server = machine.server
    first = StandaloneLaunch(server, scope="launch/patient patient/*.rs offline_access")
    bought = first.exchange(first.code()).json()
    waiting = StandaloneLaunch(server, username="ben")
    # each of another person or client: none supersedes another
    left_alone, revoked = (
        token(server, user="carol", patient="dan"),
        token(server, user="amy", client="demo-asymmetric"),
    )
    return Before(left_alone, revoked, (waiting, waiting.code()), bought["refresh_token"], first.browser)


def test_after_a_restore_nothing_lives_that_may_have_ended(machine: Machine, tmp_path: Path) -> None:
    server, folder = machine.server, tmp_path / "backup"
    before = prepared(machine)
    assert before.browser.get("/apps").status_code == 200
    keys = httpx.get(f"{server.url}/o/jwks").json()

    made = json.loads(server.manage("backup", str(folder), "--json"))
    # afterwards, and so unknown to the backup: a revocation, an exchange, a refresh
    taken = {"token": before.revoked}
    assert httpx.post(f"{server.url}/o/revoke", data=taken, auth=RESOURCE_SERVER, timeout=30).status_code == 200
    assert before.code[0].exchange(before.code[1]).status_code == 200
    assert refreshed(machine, before.refresh_token).status_code == 200
    known = trail(machine)
    server.stop()
    restored = json.loads(server.manage("restore", str(folder), "--yes", "--json"))
    server.start()

    assert restored["can_sign"] is True
    assert restored["made_at"] == made["made_at"]
    for each in (before.left_alone, before.revoked):
        assert introspect(server, each) == {"active": False}
    assert before.code[0].exchange(before.code[1]).json()["error"] == "invalid_grant"
    assert refreshed(machine, before.refresh_token).json()["error"] == "invalid_grant"
    assert before.browser.get("/apps").status_code == 303, "its session is over"
    assert httpx.get(f"{server.url}/o/jwks").json() == keys
    assert introspect(server, token(server))["active"] is True
    now = trail(machine)
    assert known <= now
    assert sum("'database-restored'" in event for event in now) == 1


def test_a_backup_holds_no_key_that_opens_it_and_is_for_its_owner_alone(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "backup"

    machine.server.manage("backup", str(folder))

    files = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
    secret = (machine.server.folder / "key-encryption-key").read_bytes()
    assert {*files} == {"backup.json", "main", "trail"}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert files["main"] == files["trail"] == 0o600
    assert not any(secret in file.read_bytes() for file in folder.iterdir())


@pytest.mark.parametrize("damage", ["no manifest", "manifest of something else", "no main", "cut short"])
def test_what_is_no_whole_backup_is_refused_and_nothing_changes(machine: Machine, tmp_path: Path, damage: str) -> None:
    server, folder = machine.server, tmp_path / "backup"
    server.manage("backup", str(folder))
    lives = token(server)
    match damage:
        case "no manifest":
            (folder / "backup.json").unlink()
        case "manifest of something else":
            (folder / "backup.json").write_text('{"engine": "sqlite"}')
        case "no main":
            (folder / "main").unlink()
        case _:
            os.truncate(folder / "main", (folder / "main").stat().st_size // 2)

    with pytest.raises(AssertionError, match="Nothing has changed"):
        server.manage("restore", str(folder), "--yes")

    assert introspect(server, lives)["active"] is True


@pytest.mark.parametrize("file", ["main", "trail"])
def test_with_the_trail_nothing_changes_either_where_one_of_both_is_damaged(
    machine: Machine, tmp_path: Path, file: str
) -> None:
    server, folder = machine.server, tmp_path / "backup"
    server.manage("backup", str(folder))
    lives = token(server)
    known = trail(machine)
    os.truncate(folder / file, (folder / file).stat().st_size // 2)
    server.stop()

    with pytest.raises(AssertionError, match="Nothing has changed"):
        server.manage("restore", str(folder), "--yes", "--with-trail")

    server.start()
    assert introspect(server, lives)["active"] is True
    assert known <= trail(machine)
    assert {each.name for each in folder.iterdir()} == {"backup.json", "main", "trail"}


def test_with_the_trail_both_are_as_in_the_backup(machine: Machine, tmp_path: Path) -> None:
    server, folder = machine.server, tmp_path / "backup"
    known = trail(machine)
    server.manage("backup", str(folder))
    lost = token(server)
    later = trail(machine) - known
    server.stop()

    server.manage("restore", str(folder), "--yes", "--with-trail")

    server.start()
    now = trail(machine)
    assert known <= now
    assert later
    assert not later & now
    assert introspect(server, lost) == {"active": False}


def test_what_a_newer_version_made_since_the_backup_is_gone(machine: Machine, tmp_path: Path) -> None:
    server, folder = machine.server, tmp_path / "backup"
    server.manage("backup", str(folder))
    ask = "from django.db import connection; connection.cursor().execute('{}'); print(connection.introspection{})"
    made = (
        "CREATE TABLE newer (id bigint PRIMARY KEY, client_id bigint REFERENCES oauth_client (id))",
        "CREATE VIEW newest AS SELECT client_id FROM newer",
    )
    for statement in made:
        server.manage("shell", "-v0", "-c", ask.format(statement, ""))

    server.stop()
    server.manage("restore", str(folder), "--yes")
    names = server.manage("shell", "-v0", "-c", ask.format("SELECT 1", ".table_names(include_views=True)"))
    server.start()

    assert "'oauth_client'" in names
    assert "newe" not in names
    assert introspect(server, token(server))["active"] is True


def test_of_a_backup_whose_outbox_has_a_row_for_each_event_the_trail_tells_too(
    machine: Machine, tmp_path: Path
) -> None:
    server, folder = machine.server, tmp_path / "backup"
    server.stop()
    before = sum("'database-restored'" in event for event in trail(machine))

    server.manage("migrate", "audit", "0005", "-v0")
    server.manage("backup", str(folder))
    server.manage("migrate", "-v0")
    server.manage("restore", str(folder), "--yes")
    server.manage("migrate", "-v0")

    assert sum("'database-restored'" in event for event in trail(machine)) == before + 1
    server.start()


def test_a_restore_asks_for_a_clear_word(machine: Machine, tmp_path: Path) -> None:
    server, folder = machine.server, tmp_path / "backup"
    server.manage("backup", str(folder))
    lives = token(server)

    with pytest.raises(AssertionError, match="--yes"):
        server.manage("restore", str(folder))

    assert introspect(server, lives)["active"] is True
