"""`manage.py password USER`: a new password for a person, or one that they must choose themselves."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.usernames import find_user
from oauth.ending import passwords
from oauth.management.operator import operator_at_command_line
from oauth.management.typed_password import ask_password


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
        actor = operator_at_command_line()
        if options["set"]:
            ended = passwords.set_password(user, ask_password(user), actor)
            self.stdout.write(f"{user.username} has a new password. Sessions ended: {ended}. Apps must ask again.")
        if options["require"]:
            ended = passwords.require_new_password(user, actor)
            self.stdout.write(f"{user.username} chooses a new password at the next sign-in. Sessions ended: {ended}.")
