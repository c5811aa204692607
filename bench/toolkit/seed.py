"""Clients and live tokens of django-oauth-toolkit, by its own models.

`python -m bench.toolkit.seed TOKENS POOL APPS LAUNCHES REVOCABLE ISSUED.json` with the environment of the server.
"""

import json
import sys
from datetime import timedelta
from pathlib import Path

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402
from oauth2_provider.models import AccessToken, Application, RefreshToken  # noqa: E402
from oauthlib.common import generate_token  # noqa: E402

from bench.contenders import A_SECRET  # noqa: E402

SCOPE = "patient/*.rs"
TOGETHER = 2000
EXPIRES = timezone.now() + timedelta(hours=1)


def _application(name: str, grant: str) -> Application:
    """With its secret as it is: hashed by Django's default it would take 0.2 s to compare at every request."""
    return Application(
        client_id=name,
        name=name,
        client_type="confidential",
        authorization_grant_type=grant,
        client_secret=A_SECRET,
        hash_client_secret=False,
        redirect_uris="https://app.example.org/callback",
    )


def _create_applications(apps: int) -> list[Application]:
    """The apps of people; beside them a resource server and services that ask for themselves."""
    others = ["resource-server", *(f"service-{number}" for number in range(apps))]
    Application.objects.bulk_create(_application(name, "client-credentials") for name in others)
    names = [f"app-{number}" for number in range(apps)]
    return list(Application.objects.bulk_create(_application(name, "authorization-code") for name in names))


def _issue(first: int, count: int, applications: list[Application], scope: str) -> list[AccessToken]:
    """One each for so many people, the way a launch does."""
    people = User.objects.bulk_create(User(username=f"person-{first + number}") for number in range(count))
    return list(
        AccessToken.objects.bulk_create(
            AccessToken(
                user=person,
                token=generate_token(),
                application=applications[number % len(applications)],
                expires=EXPIRES,
                scope=scope,
            )
            for number, person in enumerate(people)
        )
    )


def _refreshable(first: int, count: int, applications: list[Application]) -> list[RefreshToken]:
    tokens = _issue(first, count, applications, f"offline_access {SCOPE}")
    return list(
        RefreshToken.objects.bulk_create(
            RefreshToken(user=each.user, token=generate_token(), application=each.application, access_token=each)
            for each in tokens
        )
    )


def main() -> None:
    tokens, pool, apps, launches, revocable = map(int, sys.argv[1:6])
    call_command("migrate", verbosity=0)
    applications = _create_applications(apps)
    issued: list[AccessToken] = []
    for first in range(0, tokens, TOGETHER):
        issued += _issue(first, min(TOGETHER, tokens - first), applications, SCOPE)
    refresh = _refreshable(tokens, launches, applications)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    named = {
        "tokens": issued[:pool],
        "revocable": issued[pool : pool + revocable],
        "refresh": refresh,
    }
    shown = {name: [(each.token, each.application.client_id) for each in found] for name, found in named.items()}
    Path(sys.argv[6]).write_text(json.dumps(shown), encoding="utf-8")


if __name__ == "__main__":
    main()
