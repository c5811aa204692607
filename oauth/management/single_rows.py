"""One client or one person from a command line, by the rules and in the way of the seed file (oauth/seeding)."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from accounts.models import User
from accounts.usernames import find_user
from oauth.management.operator import OPERATOR
from oauth.models import Client
from oauth.seeding.clients import save_client
from oauth.seeding.format import CLIENT, PERSON
from oauth.seeding.outcome import Outcome
from oauth.seeding.people import save_person
from oauth.seeding.schema import SeedError
from smart.text import ascii_excerpt

Entry = dict[str, Any]


def add_client(entry: Entry) -> tuple[Client, Outcome]:
    """The new client; its secret, if one was drawn, stands in the outcome. Raises CommandError."""
    if Client.of(entry["client_id"]):
        raise CommandError(
            f"A client with the id {ascii_excerpt(entry['client_id'])} is there already. Nothing was written."
        )
    outcome = _save(save_client, CLIENT, entry, "client")
    return Client.objects.get(client_id=entry["client_id"]), outcome


def add_person(entry: Entry) -> tuple[User, Outcome]:
    """The new person. Raises CommandError."""
    if find_user(entry["username"]):
        raise CommandError(
            f"Somebody has the user name {ascii_excerpt(entry['username'])} already. Nothing was written."
        )
    outcome = _save(save_person, PERSON, entry, "person")
    person = find_user(entry["username"])
    assert person is not None  # noqa: S101  # it was just written
    return person, outcome


def _save(save: Any, shape: Any, entry: Entry, name: str) -> Outcome:
    outcome = Outcome(folder=Path.cwd(), operator=OPERATOR)
    try:
        with transaction.atomic():
            save(shape({key: value for key, value in entry.items() if value}, name), name, outcome)
    except SeedError as problem:
        raise CommandError(f"{problem} Nothing was written.") from None
    return outcome
