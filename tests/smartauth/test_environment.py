"""What the environment may say, and that nothing starts with anything else."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from smartauth.database_url import django_database, is_same_database
from smartauth.environment import SettingsRefused, read
from smartauth.settings_table import (
    ACCESS_TOKEN_SECONDS,
    ALLOWED_HOSTS,
    DATA_DIR,
    DATABASE_URL,
    DEV,
    FHIR_CLIENT_SECRET,
    FHIR_REPORT_URL,
    ISSUER,
    REDIS_URL,
    SETTINGS,
    VAR,
    Setting,
)

pytestmark = pytest.mark.one_engine

ROOT = Path(__file__).resolve().parents[2]
SECRET = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="  # always the same: workers must collect the same tests
PRODUCTION = {
    "SMARTAUTH_ISSUER": "https://auth.example.org",
    "SMARTAUTH_SECRET_KEY": SECRET,
    "SMARTAUTH_KEY_ENCRYPTION_KEYS": SECRET,
}
RANGE = re.compile(r"([0-9.]+) to ([0-9.]+)")
GARBAGE = {
    "true or false": ["maybe", "2", " true"],
    "text": [" x", "x\n", "a\x07b"],
    "a folder": [__file__, " x"],
    "file in PEM": [__file__, "/nowhere.pem", " x"],
    "networks": ["172.17.0.1/16", "here", "10.0.0.0/8,,127.0.0.0/8", "10.0.0.0/33"],
    "host names": ["*", "auth.example.org:8000", "https://a.example", "a b", "Auth.example.org", "a_b.example"],
    "Fernet keys": ["unused", f"{SECRET},x", f"{SECRET},"],
    "postgresql URL": [
        "sqlite:///smartauth.sqlite3",
        "sqlite://",
        "mysql://u@h/n",
        "postgresql://h",
        "postgresql://h:abc/n",
        "postgresql://h:99999/n",
        "postgresql://h/n?foo=1",
        "postgresql://h/a/b",
        "postgresql://h/a b",
        "postgresql://h1,h2/n?target_session_attrs=any",
        "postgresql://h1,h2/n?target_session_attrs=prefer-standby",
        "h/n",
    ],
    "redis URL": ["localhost:6379", "http://h/0", "redis://", "redis://h:0", "redis://h:abc", "redis://h/x", "redis"],
    "http(s) URL": [
        "o/introspect",
        "ftp://h/x",
        "http://",
        "http://u:p@h/x",
        "http://h/#x",
        "http://h:0/x",
        "http://h/ x",
    ],
    "http(s) URL or `off`": ["no", "Off", "ftp://h/x", "http://u:p@h/x"],
    "login": ["for ever", "Login", "none"],
    "none or session or transaction": ["statement", "Transaction", "true"],
    "origin": [
        "auth.example.org",
        "ftp://127.0.0.1",
        "https://",
        "https://auth.example.org/",
        "https://auth.example.org/x",
        "https://auth.example.org?a=b",
        "https://auth.example.org?",
        "https://auth.example.org#a",
        "https://auth.example.org#",
        "https://user@auth.example.org",
        "https://user:secret@auth.example.org",
        "https://@auth.example.org",
        "https://Auth.example.org",
        "HTTPS://auth.example.org",
        "https://auth.example.org:",
        "https://auth.example.org:0",
        "https://auth.example.org:65536",
        "https://auth.example.org:x",
        "https://auth.example.org:443",
        "https://auth.example.org:08443",
        "http://127.0.0.1:80",
        " https://auth.example.org",
        "https://auth.example.org ",
        "https://auth. example.org",
        "https://auth.example.org\n",
        "https://auth..example.org",
        "https://-a.example.org",
        "https://a_b.example.org",
        "https://auth.example.org.",
        "https://*.example.org",
        "https://1.2.3",
        "https://1.2.3.256",
        "https://[::1",
        "https://[::0001]",
        "https://[fe80::1%eth0]",
        "https://auth.ex\u00e4mple.org",
        "https:auth.example.org",
    ],
}


def problems(**environment: str) -> list[str]:
    """What is said of a production server with these changes."""
    try:
        read({**PRODUCTION, **environment})
    except SettingsRefused as refused:
        return refused.problems
    return []


def ranged() -> list[Setting[Any]]:
    return [setting for setting in SETTINGS if RANGE.match(setting.kind.short)]


def garbage(setting: Setting[Any]) -> list[str]:
    if RANGE.match(setting.kind.short):
        return ["abc", "1x", " 5", "5 ", "-1", "1e3", "nan", "inf", "0x5", "1_0", "\u0665", "9" * 5000]
    return GARBAGE[setting.kind.short or setting.kind.takes]


@pytest.mark.parametrize(
    ("name", "text"),
    [pytest.param(each.name, text, id=f"{each.name}={text[:40]!a}") for each in SETTINGS for text in garbage(each)],
)
def test_what_a_setting_does_not_take_is_refused_in_one_line_that_names_it(name: str, text: str) -> None:
    (line,) = problems(**{name: text})

    assert line.startswith(f"{name} takes ")
    assert line.isprintable()
    assert len(line) < 400


@pytest.mark.requirement("SD-04", "AZ-17", "EL-02")
@pytest.mark.parametrize("setting", ranged(), ids=lambda setting: setting.name)
def test_both_bounds_are_taken_and_what_lies_beyond_is_refused(setting: Setting[Any]) -> None:
    bounds = RANGE.match(setting.kind.short)
    assert bounds is not None
    low, high = bounds.groups()
    step = 0.01 if "." in low else 1

    for bound in (low, high):
        assert not any(line.startswith(f"{setting.name} takes ") for line in problems(**{setting.name: bound}))
    for beyond in (float(low) - step, float(high) + step):
        (line,) = problems(**{setting.name: f"{beyond:.10g}"})
        assert line.startswith(f"{setting.name} takes a ")
        assert f"from {low} to {high}" in line


@pytest.mark.parametrize(
    ("setting", "bounds"),
    [
        ("SMARTAUTH_ACCESS_TOKEN_SECONDS", "1 to 3600 seconds"),
        ("SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS", "1 to 3600 seconds"),
        ("SMARTAUTH_CODE_SECONDS", "1 to 600 seconds"),
        ("SMARTAUTH_LAUNCH_SECONDS", "1 to 300 seconds"),
        ("SMARTAUTH_REFRESH_GRACE_SECONDS", "0 to 30 seconds"),
    ],
)
@pytest.mark.requirement("SD-04", "AZ-17", "RF-05")
def test_the_hard_bounds_are_those_of_the_standards(setting: str, bounds: str) -> None:
    assert [each.kind.short for each in SETTINGS if each.name == setting] == [bounds]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_an_empty_variable_counts_as_one_that_is_not_set(setting: Setting[Any]) -> None:
    others = {name: value for name, value in PRODUCTION.items() if name != setting.name}
    environment = others if setting.name != "SMARTAUTH_ISSUER" else {}

    unset: Any
    try:
        unset = read(environment)[setting]
    except SettingsRefused as refused:
        unset = refused.problems
    try:
        empty: Any = read({**environment, setting.name: ""})[setting]
    except SettingsRefused as refused:
        empty = refused.problems

    assert empty == unset


def test_without_a_data_folder_nothing_is_written_where_the_shell_stands() -> None:
    assert read({"SMARTAUTH_DATA_DIR": "", "SMARTAUTH_PORT": "8000"})[DATA_DIR] == VAR


@pytest.mark.parametrize(
    "issuer",
    [
        "http://127.0.0.1:8000",
        "http://localhost:9000",
        "http://[::1]:8000",
        "https://auth.example.org",
        "https://auth.example.org:8443",
        "https://192.0.2.7",
        "https://[2001:db8::1]:8443",
        "https://xn--exmple-cua.org",
        "http://localhost",
    ],
)
def test_an_issuer_that_clients_can_use_is_taken(issuer: str) -> None:
    assert problems(SMARTAUTH_ISSUER=issuer) == []
    assert read({**PRODUCTION, "SMARTAUTH_ISSUER": issuer})[ISSUER] == issuer


@pytest.mark.parametrize("text", ["true", "True", "1", "on", "yes", "false", "FALSE", "0", "off", "no"])
def test_a_switch_understands_the_usual_words(text: str) -> None:
    environment = {"SMARTAUTH_SECRET_KEY": SECRET, "SMARTAUTH_KEY_ENCRYPTION_KEYS": SECRET, "SMARTAUTH_DEV": text}

    assert read(environment)[DEV] is (text.lower() in {"true", "1", "on", "yes"})


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://smartauth@db.example.org/smartauth",
        "postgres://u:p%40ss@127.0.0.1:5433/n",
        "postgresql://db/n?sslmode=verify-full",
        "postgresql:///n?host=/run/postgresql",
        "postgresql://u@[::1]:5432/n",
        "postgresql://u@db1,db2:5433/n?target_session_attrs=primary",
        "postgresql://u@[::1],[::2]/n",
        "postgresql://u@db1,[::1]/n",
    ],
)
def test_a_database_url_is_what_libpq_takes(url: str) -> None:
    assert read({"SMARTAUTH_DATABASE_URL": url})[DATABASE_URL] == url


@pytest.mark.parametrize(("query", "seconds"), [("", 5), ("?connect_timeout=2&sslmode=require", "2")])
def test_a_database_that_does_not_answer_is_waited_for_as_long_as_its_url_says_or_five_seconds(
    query: str, seconds: object
) -> None:
    assert django_database(f"postgresql://db/n{query}")["OPTIONS"]["connect_timeout"] == seconds


def test_of_several_hosts_libpq_looks_for_the_one_that_takes_writes() -> None:
    database = django_database("postgresql://u@db1,db2:5433/n")

    assert (database["HOST"], database["PORT"]) == ("db1,db2", ",5433")
    assert database["OPTIONS"]["target_session_attrs"] == "read-write"


@pytest.mark.django_db
@pytest.mark.postgresql
def test_a_session_asks_the_server_to_notice_a_machine_that_vanished() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW tcp_keepalives_idle")
        assert cursor.fetchone() == ("10",)


@pytest.mark.parametrize("url", ["redis://h", "redis://h:6379/11", "rediss://:p%40ss@h:6380/0", "redis://[::1]:6379/0"])
def test_a_broker_url_is_what_celery_takes(url: str) -> None:
    assert read({"SMARTAUTH_REDIS_URL": url})[REDIS_URL] == url


def test_lists_may_have_blanks_after_their_commas() -> None:
    assert read({"SMARTAUTH_ALLOWED_HOSTS": "web, .example.org, [::1]"})[ALLOWED_HOSTS] == [
        "web",
        ".example.org",
        "[::1]",
    ]


def test_reports_of_refusals_can_be_switched_off() -> None:
    assert read({"SMARTAUTH_FHIR_REPORT_URL": "off"})[FHIR_REPORT_URL] == ""


def test_a_value_that_may_hold_a_password_is_not_repeated() -> None:
    for name, text in {
        "SMARTAUTH_DATABASE_URL": "mysql://u:hidden/n",
        "SMARTAUTH_REDIS_URL": "redis://:hidden@h/x",
        "SMARTAUTH_ISSUER": "https://u:hidden@h",
        "SMARTAUTH_KEY_ENCRYPTION_KEYS": "hidden",
        "SMARTAUTH_FHIR_INTROSPECTION_URL": "http://u:hidden@h/x",
    }.items():
        (line,) = problems(**{name: text})
        assert name in line
        assert "hidden" not in line


# What is unsafe -------------------------------------------------------------------------------------------------------


def test_a_server_with_https_and_secrets_of_its_own_starts() -> None:
    values = read(PRODUCTION)

    assert (values[DEV], values[FHIR_CLIENT_SECRET]) == (False, "")


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:8000", "http://localhost:9000", "http://[::1]:8000"])
def test_development_starts_on_loopback_without_any_setting(issuer: str) -> None:
    assert read({"SMARTAUTH_ISSUER": issuer})[DEV] is True


@pytest.mark.requirement("DS-24", "SD-01", "SB-07")
@pytest.mark.parametrize(
    ("changes", "name"),
    [
        pytest.param({"SMARTAUTH_ISSUER": "http://auth.example.org"}, "SMARTAUTH_ISSUER", id="http outside loopback"),
        pytest.param({"SMARTAUTH_DEV": "true"}, "SMARTAUTH_DEV", id="development outside loopback"),
        pytest.param({"SMARTAUTH_SECRET_KEY": ""}, "SMARTAUTH_SECRET_KEY", id="a drawn secret"),
        pytest.param({"SMARTAUTH_KEY_ENCRYPTION_KEYS": ""}, "SMARTAUTH_KEY_ENCRYPTION_KEYS", id="drawn keys"),
        pytest.param(
            {"SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS": "60"},
            "SMARTAUTH_ACCESS_TOKEN_SECONDS",
            id="tokens above the maximum",
        ),
        pytest.param(
            {"SMARTAUTH_KEY_ANNOUNCED_SECONDS": "59"},
            "SMARTAUTH_KEY_ANNOUNCED_SECONDS",
            id="signs before it is fetched",
        ),
        pytest.param(
            {"SMARTAUTH_FHIR_CLIENT_SECRET": "demo-resource-server-secret"},
            "SMARTAUTH_FHIR_CLIENT_SECRET",
            id="a secret that everybody knows",
        ),
    ],
)
def test_what_is_unsafe_is_refused_by_name(changes: dict[str, str], name: str) -> None:
    (line,) = problems(**changes)

    assert line.startswith(f"{name} is unsafe: ")


@pytest.mark.parametrize(
    "audit",
    [
        "postgresql://{}/smartauth",
        "postgres://u:p@{}:5432/smartauth",
        "postgresql://{}:05432/smartauth?sslmode=require",
    ],
)
@pytest.mark.parametrize(
    ("host", "spelled"), [("db", "DB"), ("db", "db."), ("localhost", "127.0.0.1"), ("127.0.0.1", "[::1]")]
)
def test_both_databases_must_not_be_one(host: str, spelled: str, audit: str) -> None:
    main = f"postgresql://u@{host}/smartauth"
    urls = {"SMARTAUTH_DATABASE_URL": main, "SMARTAUTH_AUDIT_DATABASE_URL": audit.format(spelled)}

    (line,) = problems(**urls)

    assert line.startswith("SMARTAUTH_AUDIT_DATABASE_URL is unsafe: the main database")


@pytest.mark.requirement("SB-07")
@pytest.mark.parametrize(
    ("main", "audit", "one"),
    [
        ("postgresql://u@h1:5432,h2:5433/main", "postgresql://u@h2:5433,h1:5432/main", True),
        ("postgresql://u@h1:5432,h2:5433/main", "postgresql://u@H2.:05433/main", True),
        ("postgresql:///main?host=h1,h2&port=5433", "postgresql://u@h2:5433/main", True),
        ("postgresql://u@h1:5432,h2:5433/main", "postgresql://u@h1:5433,h2:5432/main", False),
        ("postgresql://u@h1:5432,h2:5433/main", "postgresql://u@h1:5432,h2:5433/audit", False),
    ],
)
def test_of_several_hosts_none_may_be_of_both(main: str, audit: str, one: bool) -> None:
    refused = [
        line
        for line in problems(SMARTAUTH_DATABASE_URL=main, SMARTAUTH_AUDIT_DATABASE_URL=audit)
        if "the main database" in line
    ]

    assert bool(refused) is one


@pytest.mark.parametrize(
    "text", ["x", "postgresql://h:ab,h:cd/m", "postgresql://h/%ff", "postgresql://h/\ud800", "postgresql://h", "\0"]
)
def test_no_text_is_too_odd_to_compare(text: str) -> None:
    assert not is_same_database(text, "postgresql://h/m")
    assert not is_same_database(text, "")


def test_a_token_life_within_the_maximum_is_taken() -> None:
    changes = {"SMARTAUTH_ACCESS_TOKEN_SECONDS": "60", "SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS": "60"}

    assert read({**PRODUCTION, **changes})[ACCESS_TOKEN_SECONDS] == 60


def test_everything_that_is_wrong_is_named_at_once() -> None:
    assert len(problems(SMARTAUTH_PORT="x", SMARTAUTH_DEV="x", SMARTAUTH_DATABASE_URL="x")) == 3


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "check"],
        ["manage.py", "migrate", "--skip-checks"],
        ["-c", "import smartauth.asgi"],
        ["-c", "import smartauth.wsgi"],
        ["-c", "import smartauth.celery"],
        ["-m", "uvicorn", "smartauth.asgi:application", "--lifespan", "off", "--port", "0"],
    ],
    ids=["check", "a command without checks", "asgi", "wsgi", "celery", "uvicorn"],
)
def test_whatever_starts_ends_with_that_line_and_no_traceback(command: list[str], tmp_path: Path) -> None:
    environment = {**os.environ, "SMARTAUTH_DATA_DIR": str(tmp_path), "SMARTAUTH_WEB_THREADS": "0"}

    ended = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )

    assert ended.returncode == 1
    assert (
        ended.stderr == "smartauth: SMARTAUTH_WEB_THREADS takes a whole number of threads from 1 to 256; '0' is none.\n"
    )


def test_what_may_be_secret_can_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://u:p@h/n\n", encoding="utf-8")

    values = read({**PRODUCTION, "SMARTAUTH_DATABASE_URL_FILE": str(tmp_path / "url")})

    assert values[DATABASE_URL] == "postgresql://u:p@h/n"


def test_a_secret_in_a_file_meets_the_same_rules(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("mysql://u:hidden@h/n", encoding="utf-8")

    (line,) = problems(SMARTAUTH_DATABASE_URL_FILE=str(tmp_path / "url"))

    assert line.startswith("SMARTAUTH_DATABASE_URL takes ")
    assert "hidden" not in line


def test_a_setting_that_is_no_secret_is_read_from_no_file(tmp_path: Path) -> None:
    (tmp_path / "issuer").write_text("https://other.example.org", encoding="utf-8")

    values = read({**PRODUCTION, "SMARTAUTH_ISSUER_FILE": str(tmp_path / "issuer")})

    assert values[ISSUER] == PRODUCTION["SMARTAUTH_ISSUER"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"x" * 65_537, "is too long"),
    ],
)
def test_a_file_without_a_value_is_refused_in_one_line(tmp_path: Path, content: bytes | None, problem: str) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)

    said = problems(SMARTAUTH_SECRET_KEY="", SMARTAUTH_SECRET_KEY_FILE=str(tmp_path / "key"))

    assert said == [f"SMARTAUTH_SECRET_KEY_FILE: '{tmp_path / 'key'}' {problem}."]


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET, encoding="utf-8")

    said = problems(SMARTAUTH_SECRET_KEY_FILE=str(tmp_path / "key"))

    assert said == ["SMARTAUTH_SECRET_KEY_FILE and SMARTAUTH_SECRET_KEY are both set; one of them is enough."]
