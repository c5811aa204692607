"""`manage.py password USER`: a new password for a person, or one that they must choose themselves."""

import getpass
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import clock
from accounts.models import User
from accounts.usernames import find_user
from oauth.ending import passwords
from oauth.ending.selection import Actor
from oauth.registration.problems import UNSAFE
from smart.text import has_unsafe_characters

OPERATOR = "manage.py"


class Command(BaseCommand):
    help = "Set a person's password, or require a new one right after the next sign-in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument(
            "--set", action="store_true", help="the new one is asked, or read from the first line of stdin"
        )
        parser.add_argument(
            "--require", action="store_true", help="the person chooses a new one after the next sign-in"
        )

    def handle(self, *, username: str, **options: Any) -> None:
        if not (options["set"] or options["require"]):
            raise CommandError("Say what to do: --set, --require, or both.")
        user = find_user(username)
        if user is None:
            raise CommandError(f"Nobody has the user name {username!a}.")
        actor = Actor(now=clock.now(), operator=OPERATOR)
        if options["set"]:
            ended = passwords.set_password(user, _new_password(user), actor)
            self.stdout.write(f"{user.username} has a new password. Sessions ended: {ended}. Apps must ask again.")
        if options["require"]:
            ended = passwords.require_new_password(user, actor)
            self.stdout.write(f"{user.username} chooses a new password at the next sign-in. Sessions ended: {ended}.")


def _new_password(user: User) -> str:
    """What was typed or piped, if it may be a password of this person."""
    password = _read_password()
    if has_unsafe_characters(password):
        raise CommandError(f"The password {UNSAFE} Nothing was changed.")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    return password


def _read_password() -> str:
    """Never an argument: those stand in the history of the shell and in the list of processes."""
    if not sys.stdin.isatty():
        return _first_line()
    new = getpass.getpass("New password: ")
    if getpass.getpass("New password again: ") != new:
        raise CommandError("The two differ. Nothing was changed.")
    return new


def _first_line() -> str:
    try:
        return sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise CommandError("The password is not UTF-8. Nothing was changed.") from None
