"""`doctor`: each fault, made on purpose, is found with its mend, and nothing else is."""

import json
import os
import re
import ssl
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connections

from accounts import clock
from accounts.models import User
from audit.event_kinds import EventKind
from audit.models import Outbox
from audit.trail import Event, record_events
from fhir.audit.models import WaitingEvent
from oauth.demo import credentials
from oauth.keys import signing_keys
from oauth.models import SigningKey
from oauth.retention import partitions
from operators import readiness
from operators.doctor.table import CHECKS, examine
from tests.publishing import Publisher, publisher_of, server_context
from tests.running import ROOT

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
Fault = Callable[[Any, pytest.MonkeyPatch], None]


def serve_as(publisher: Publisher, settings: Any, issuer: str = "") -> None:
    """The issuer of the settings is that server, which says so, or names another one."""
    settings.SMARTAUTH_ISSUER = publisher.url.removesuffix("/jwks")
    publisher.body = json.dumps({"issuer": issuer or settings.SMARTAUTH_ISSUER})


@pytest.fixture
def issuer(settings: Any, tmp_path: Path) -> Iterator[Publisher]:
    """A development server in which nothing is wrong, and nothing waits that other tests have left."""
    Outbox.objects.all().delete()
    WaitingEvent.objects.all().delete()
    signing_keys.ensure_keys()
    settings.SMARTAUTH_DATA_DIR, settings.SMARTAUTH_REDIS_URL = tmp_path, ""
    settings.SMARTAUTH_DEV_NETWORKS = ()
    tmp_path.chmod(0o700)
    with publisher_of() as publisher:
        serve_as(publisher, settings)
        yield publisher


def found() -> dict[str, list[str]]:
    """What each check that found something says. On PostgreSQL the role of the tests owns the cluster."""
    every = {check.name: [f"{each.what}; {each.mend}" for each in problems] for check, _, problems in examine()}
    return {name: said for name, said in every.items() if said and name != "roles"}


def test_of_a_good_server_nothing_is_said(issuer: Publisher) -> None:
    assert found() == {}


def lack_a_migration(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with connections["audit"].cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'audit'")


def lose_the_key(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SMARTAUTH_KEY_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    signing_keys._decrypt.cache_clear()


def have_no_active_key(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    SigningKey.objects.filter(state=SigningKey.State.ACTIVE).delete()


def let_an_event_wait(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    record_events(Event(kind=EventKind.TAMPERED, at=clock.now() - 300_000_000))


def let_an_access_wait(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = clock.now() - 300_000_000
    WaitingEvent.objects.create(event_id="waits", at=before, facts="{}")
    WaitingEvent.objects.create(event_id="is counted on", at=before, ready_at=clock.now() + 60_000_000, facts="{}")


def set_an_access_aside(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    WaitingEvent.objects.create(event_id="aside", at=clock.now() - 300_000_000, failures=2, facts="{}")


def name_a_broker_that_is_down(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SMARTAUTH_REDIS_URL = "redis://127.0.0.1:1/0"


def open_the_folder(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SMARTAUTH_DATA_DIR.chmod(0o755)


def open_a_secret(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file = settings.SMARTAUTH_DATA_DIR / "key-encryption-key"
    file.touch()
    file.chmod(0o640)


def let_partitions_run_out(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "SPARE", 2 * (partitions.ACCESS_TOKENS.covered_until() - clock.now()) + 10_000_000)
    monkeypatch.setattr(partitions, "ALL", (partitions.Partitions("access_token", lambda: 0),))


def debug(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEBUG = True


def name_nobody(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SMARTAUTH_ISSUER = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("fault", "check", "what", "mend"),
    [
        pytest.param(lack_a_migration, "migrations", "audit lacks migrations of audit", "migrate`", id="migrations"),
        pytest.param(lose_the_key, "keys", "cannot be decrypted", "SMARTAUTH_KEY_ENCRYPTION_KEYS", id="lost key"),
        pytest.param(have_no_active_key, "keys", "no key signs tokens", "keys rotate`", id="no key"),
        pytest.param(let_an_event_wait, "worker", "1 of the trail for 300 s", "worker`", id="worker"),
        pytest.param(let_an_access_wait, "worker", "1 of the FHIR server for 300 s", "worker`", id="accesses"),
        pytest.param(set_an_access_aside, "set-aside", "1 events of the FHIR", "is set aside` in the log", id="aside"),
        pytest.param(name_a_broker_that_is_down, "broker", "Redis at 127.0.0.1:1", "SMARTAUTH_REDIS_URL", id="broker"),
        pytest.param(
            let_partitions_run_out,
            "partitions",
            "find no partition of theirs",
            "worker`",
            id="partitions",
            marks=pytest.mark.postgresql,
        ),
        pytest.param(open_the_folder, "files", "mode 755", "chmod 700", id="folder"),
        pytest.param(open_a_secret, "files", "mode 640", "chmod 600", id="secret"),
        pytest.param(debug, "debug", "DEBUG is on", "take DEBUG out", id="debug"),
        pytest.param(name_nobody, "issuer", "nobody answers at http://127.0.0.1:1", "start the server", id="nobody"),
    ],
)
def test_each_fault_is_found_with_its_mend_and_nothing_else(
    issuer: Publisher, settings: Any, monkeypatch: pytest.MonkeyPatch, fault: Fault, check: str, what: str, mend: str
) -> None:
    fault(settings, monkeypatch)

    try:
        said = found()
    finally:
        signing_keys._decrypt.cache_clear()

    assert list(said) == [check]
    assert what in said[check][0].partition("; ")[0]
    assert mend in said[check][0].partition("; ")[2]


def test_outside_development_published_passwords_are_found(issuer: Publisher, settings: Any) -> None:
    settings.SMARTAUTH_DEV = False
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    amy = User.objects.get_queryset().filter(username="amy").first() or User(username="amy", name="Amy Shaw")
    amy.set_password(credentials.PASSWORD)
    amy.save()

    assert list(said := found()) == ["demo"]
    assert "person amy" in said["demo"][0]


def test_outside_development_what_only_development_has_is_found(issuer: Publisher, settings: Any) -> None:
    settings.SMARTAUTH_DEV, settings.SMARTAUTH_DEV_NETWORKS = False, ("10.0.0.0/8",)

    assert "SMARTAUTH_DEV_NETWORKS is set" in found()["debug"][0]


def test_outside_development_a_trail_in_the_main_database_is_found(
    issuer: Publisher, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SMARTAUTH_DEV = False
    before = list(found())
    monkeypatch.setattr(readiness, "are_one_database", lambda: True)

    assert sorted({*found()} - {*before}) == ["separate-trail"]


def test_who_names_another_issuer_is_found(issuer: Publisher, settings: Any) -> None:
    serve_as(issuer, settings, "https://other.example")

    assert "answers something else: status 200, issuer https://other.example" in found()["issuer"][0]


def test_a_proxy_that_sends_another_host_is_found(issuer: Publisher, settings: Any) -> None:
    def refuse(request: BaseHTTPRequestHandler) -> None:
        request.send_error(400)

    issuer.respond = refuse

    assert "refuses its own name with 400" in found()["issuer"][0]


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        pytest.param({"Server": "nginx"}, "nginx stands in front", id="nginx"),
        pytest.param({"Server": "Caddy/2.9"}, "Caddy stands in front", id="Caddy"),
        pytest.param({"Via": "1.1 edge"}, "a proxy stands in front", id="another"),
        pytest.param({"Server": "gunicorn"}, "", id="no proxy"),
    ],
)
def test_a_proxy_behind_which_all_callers_have_one_address_is_found(
    issuer: Publisher, settings: Any, sent: dict[str, str], named: str
) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response_only(200)
        for name, value in sent.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(issuer.body.encode())

    issuer.respond = answer
    settings.SMARTAUTH_TRUSTED_PROXIES = 1
    told_of = found()
    settings.SMARTAUTH_TRUSTED_PROXIES = 0

    assert told_of == {}
    assert list(said := found()) == (["issuer"] if named else [])
    assert named in said.get("issuer", [""])[0]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        pytest.param({"days": 90}, "", id="good"),
        pytest.param({"days": 20}, " ends on ", id="soon"),
        pytest.param({"days": -1}, " ended on ", id="over"),
        pytest.param({"days": 90, "is_self_signed": True}, " is self-signed", id="self-signed"),
    ],
)
def test_a_certificate_that_will_not_do_is_found(
    issuer: Publisher, settings: Any, options: dict[str, Any], what: str
) -> None:
    with publisher_of(tls=server_context("127.0.0.1", **options)) as secure:
        serve_as(secure, settings)

        said = found()

    assert list(said) == (["tls"] if what else [])
    assert what in said.get("tls", [""])[0]


def test_a_weak_cipher_is_found(issuer: Publisher, settings: Any) -> None:
    context = server_context("127.0.0.1", days=90)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    with publisher_of(tls=context) as secure:
        serve_as(secure, settings)

        assert "chooses ECDHE-ECDSA-AES128-GCM-SHA256; prefer suites with AES-256" in found()["tls"][0]


def test_a_server_that_speaks_an_old_tls_is_found(issuer: Publisher, settings: Any) -> None:
    context = server_context("127.0.0.1", days=90)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with publisher_of(tls=context) as secure:
        serve_as(secure, settings)

        assert [each.partition("; ")[0].rpartition(" still ")[2] for each in found()["tls"]] == ["speaks TLS 1.1"]


def test_a_database_that_does_not_answer_is_found_and_what_lies_in_it_is_not_looked_at(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SMARTAUTH_")}
    nobody = {"SMARTAUTH_AUDIT_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    tmp_path.chmod(0o700)
    (tmp_path / "smartauth.sqlite3").touch(mode=0o600)

    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env={**environment, **nobody, "SMARTAUTH_DATA_DIR": str(tmp_path), "SMARTAUTH_PORT": "1"},
    )  # fmt: skip

    checks = {each["check"]: each for each in json.loads(done.stdout)["checks"]}
    assert done.returncode == 1
    assert [name for name, each in checks.items() if each["problems"]] == ["databases", "migrations", "issuer"]
    assert "the database audit does not answer" in checks["databases"]["problems"][0]["what"]
    assert checks["keys"]["skipped"] == "the main database has no tables of this version"


def test_a_database_that_is_damaged_is_not_called_one_that_does_not_answer(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SMARTAUTH_")}
    tmp_path.chmod(0o700)
    (tmp_path / "smartauth.sqlite3").write_text("no database " * 99)

    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env={**environment, "SMARTAUTH_DATA_DIR": str(tmp_path), "SMARTAUTH_PORT": "1"},
    )  # fmt: skip

    checks = {each["check"]: each for each in json.loads(done.stdout)["checks"]}
    damaged = {"what": "the database default is damaged: file is not a database", "mend": "restore a backup"}
    assert checks["databases"]["problems"] == [damaged]


@pytest.mark.postgresql
@pytest.mark.parametrize("seconds", [10, -10])
def test_a_clock_that_differs_from_that_of_the_database_is_found(
    issuer: Publisher, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    true = clock.now
    monkeypatch.setattr(clock, "now", lambda: true() + seconds * 1_000_000)

    assert list(said := found()) == ["clock"]
    assert f"{'ahead of' if seconds > 0 else 'behind'} that of the database default" in said["clock"][0]


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("role", "found_in"),
    [
        ("pg_write_all_data", ["audit_securityevent", "fhir_audit_entry", "fhir_audit_value"]),
        ("pg_read_all_data", ["fhir_audit_entry"]),
        ("pg_read_all_data", []),
    ],
)
def test_a_role_that_may_change_the_trail_is_found(
    issuer: Publisher, settings: Any, role: str, found_in: list[str]
) -> None:
    settings.SMARTAUTH_DEV = False
    (check,) = [each for each in CHECKS if each.name == "roles"]
    with connections["audit"].cursor() as cursor:
        cursor.execute(f"GRANT SELECT ON django_migrations TO {role}")
        for table in found_in:
            cursor.execute(f"GRANT DELETE ON {table} TO {role}")
        cursor.execute(f"SET LOCAL ROLE {role}")

        said = {each.what: each.mend for each in check.find()}

    mend = said.get("the role of the audit database may change and delete events", "")
    assert sorted(re.findall(r"\w*audit_\w+", mend)) == found_in


def test_the_command_prints_a_line_each_and_ends_with_1_where_something_is_wrong(
    issuer: Publisher, settings: Any
) -> None:
    settings.DEBUG = True
    out, as_json = StringIO(), StringIO()

    for stream, options in ((out, []), (as_json, ["--json"])):
        with pytest.raises(SystemExit) as ended:
            call_command("doctor", *options, stdout=stream, no_color=True)
        assert ended.value.code == 1

    lines, checks = out.getvalue().splitlines(), json.loads(as_json.getvalue())["checks"]
    assert (
        "WRONG   debug           DEBUG is on: error pages show settings and data; take DEBUG out of the settings"
        in lines
    )
    assert "good    issuer          the server answers at its issuer" in lines
    assert "-       demo            a development server" in lines
    assert "-       tls             the issuer is http" in lines
    assert [each["check"] for each in checks] == [check.name for check in CHECKS]
    assert next(each for each in checks if each["check"] == "demo") == {
        "check": "demo", "problems": [], "skipped": "a development server"
    }  # fmt: skip
