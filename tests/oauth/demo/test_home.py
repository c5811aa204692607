"""`/`: what runs here in development, one sentence elsewhere."""

import html
import re
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from oauth.demo import quickstart
from oauth.seeding import seed

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


@pytest.fixture(autouse=True)
def quick_hashes(settings: Any) -> None:
    """Argon2 is not what these tests look at."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def page(client: Any) -> str:
    """The home page of a development server with the demo, as read."""
    seed(ROOT / "smartauth.yaml")
    return html.unescape(client.get("/").content.decode())


def test_development_shows_the_commands_of_the_first_minute(page: str) -> None:
    assert all(command.line in page for command in quickstart.commands())


def test_development_shows_logins_clients_and_what_runs(page: str) -> None:
    for shown in (
        *(f"<code>http://127.0.0.1:8000<wbr>/fhir/{version}</code>" for version in ("r4", "stu3", "dstu2")),
        "JWT, ES256, 5 minutes",
        "smartauth-demo",
        "Dan Reyes",
        "PKCE alone",
    ):
        assert shown in page
    for name in ("amy", "ben", "carol", "dr-green", "admin", "demo-public", "demo-backend", "demo-resource-server"):
        assert f"<code>{name}</code>" in page


def test_every_demo_client_may_authenticate_as_it_is_registered(page: str) -> None:
    rows = {row[0]: row[1] for row in re.findall(r"<code>(demo-[a-z-]+)</code></th>(.*?)</tr>", page)}

    assert len(rows) == 6
    assert "signed assertion" in rows["demo-asymmetric"]
    assert "not accepted" not in "".join(rows.values())


def test_no_link_leads_nowhere(page: str, client: Any) -> None:
    links = {link.removeprefix("http://127.0.0.1:8000") for link in re.findall(r'<a [^>]*href="([^"#]+)"', page)}

    assert {"/admin/", "/o/jwks"} <= links
    assert {f"/fhir/{version}/.well-known/smart-configuration" for version in ("r4", "stu3", "dstu2")} <= links
    assert {link: client.get(link).status_code for link in links if client.get(link).status_code >= 400} == {}


def test_a_server_that_is_not_seeded_has_a_home_too(client: Any) -> None:
    assert client.get("/").status_code == 200


def test_outside_development_there_is_one_sentence_and_no_demo(client: Any, settings: Any) -> None:
    seed(ROOT / "smartauth.yaml")
    settings.SMARTAUTH_DEV = False
    settings.ALLOWED_HOSTS = ["testserver"]

    page = client.get("/").content.decode()

    assert 'You came here from an app, or to see your <a href="/apps">connected apps</a>.' in page
    for hidden in ("smartauth-demo", "demo-public", "curl", "Development server", "/fhir/r4", "/admin/"):
        assert hidden not in page


def test_the_token_line_carries_what_the_environment_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTAUTH_PORT", "9000")
    monkeypatch.setenv("SMARTAUTH_DATA_DIR", "/a folder")
    monkeypatch.setenv("SMARTAUTH_DATABASE_URL", "postgresql://u:hidden@db/x")

    command = quickstart.token()

    assert command.line.startswith("TOKEN=$(SMARTAUTH_PORT=9000 ")
    assert "SMARTAUTH_DATA_DIR='/a folder' " in command.line
    assert "SMARTAUTH_DATABASE_URL" in command.about
    assert "hidden" not in command.line + command.about


def test_outside_development_the_menu_is_the_account_and_the_way_out(client: Any, settings: Any) -> None:
    settings.SMARTAUTH_DEV = False
    settings.ALLOWED_HOSTS = ["testserver"]
    person = User.objects.create_user("amy", "a password of amy's")

    before = menu(client, "/")
    client.force_login(person)
    signed_in = menu(client, "/apps")
    User.objects.get_queryset().filter(pk=person.pk).update(is_staff=True)

    assert before == ["/", "/login"]
    assert signed_in == ["/", "/apps", "/sessions", "/password", "/logout"]
    assert menu(client, "/apps") == ["/", "/apps", "/sessions", "/password", "/admin/", "/logout"]


def menu(client: Any, path: str) -> list[str]:
    page = client.get(path).content.decode()
    return re.findall(r'(?:href|action)="(/[^"#]*)"', page.split("<header")[1].split("</header>")[0])
