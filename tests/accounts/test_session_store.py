"""Sessions: what the database keeps of them opens none, and only what has the form of a key reaches it."""

import secrets

import pytest
from django.contrib.sessions.models import Session
from django.db import connection

from accounts.models import SignIn
from accounts.session_store import SessionStore, row_key
from tests.conftest import App
from tests.fixture_types import MakePerson, MakeVisitor
from tests.oauth.visitor import Visitor

SESSION = "smartauth"


def signed_in(visitor: Visitor, make_person: MakePerson) -> SignIn:
    person = make_person("amy")
    visitor.sign_in(visitor.request("GET", "/login"), person)
    return SignIn.objects.get(user=person)


def is_signed_in(visitor: Visitor) -> bool:
    return visitor.request("GET", "/sessions").status_code == 200


def everything() -> str:
    """All text of the two tables that know of sessions."""
    with connection.cursor() as cursor:
        found = []
        for table in ("django_session", "accounts_signin"):
            cursor.execute(f"SELECT * FROM {table}")
            found += [str(row) for row in cursor.fetchall()]
    return "\n".join(found)


@pytest.mark.requirement("SB-01")
def test_the_key_of_a_session_stands_nowhere_in_the_database(visitor: Visitor, make_person: MakePerson) -> None:
    row = signed_in(visitor, make_person)
    key = visitor.browser.cookies[SESSION]

    assert is_signed_in(visitor)
    assert row.session_id in everything()
    assert key not in everything()


@pytest.mark.requirement("SB-01")
def test_what_the_database_keeps_opens_no_session(
    visitor: Visitor, make_person: MakePerson, make_visitor: MakeVisitor
) -> None:
    row, thief = signed_in(visitor, make_person), make_visitor()

    thief.browser.cookies.set(SESSION, row.session_id, domain="127.0.0.1", path="/")

    assert not is_signed_in(thief)
    assert is_signed_in(visitor)


def test_the_same_cookie_elsewhere_is_the_same_session(
    visitor: Visitor, make_person: MakePerson, make_visitor: MakeVisitor
) -> None:
    signed_in(visitor, make_person)
    other = make_visitor()

    other.browser.cookies.set(SESSION, visitor.browser.cookies[SESSION], domain="127.0.0.1", path="/")

    assert is_signed_in(other)


@pytest.mark.parametrize(
    "cookie",
    [
        '"\\000\\000\\000\\000\\000\\000\\000\\000"', '"\\377' + "a" * 31 + '"', "a" * 31, "a" * 33, "A" * 32,
        "a" * 31 + "\u0131".encode().decode("latin-1"), "a" * 4000, "%00" * 11,
    ],
)  # fmt: skip
def test_a_cookie_that_is_no_key_is_nobody_and_asks_the_database_nothing(app: App, cookie: str) -> None:
    header = {"Cookie": f"{SESSION}={cookie}".encode("latin-1")}

    answer = app.get("/sessions", headers=header)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?to=sessions")


def test_only_what_has_the_form_of_a_key_is_one() -> None:
    key = SessionStore()._get_new_session_key()  # type: ignore[attr-defined]  # Django's stubs leave it out

    assert SessionStore(key).session_key == key
    assert [SessionStore(odd).session_key for odd in (f"{key}x", key[:-1], key.upper() + "", f"{key[:-1]}\0")] == [
        None, None, None, None,
    ]  # fmt: skip


@pytest.mark.usefixtures("committed")
def test_a_session_that_is_deleted_by_its_key_is_gone() -> None:
    store = SessionStore()
    store["about"] = secrets.token_hex(4)
    store.save()
    key = store.session_key
    assert key is not None
    assert SessionStore(key)["about"] == store["about"]

    SessionStore().delete(key)

    assert not Session.objects.filter(session_key=row_key(key)).exists()
    assert SessionStore(key).get("about") is None
