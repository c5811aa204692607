"""`manage.py password USER`: a new password for a person, or one that they must choose themselves."""

import json
from typing import Any

from django.core.management.base import CommandError

from accounts.usernames import find_user
from oauth.ending import passwords
from oauth.management.operator import operator_at_command_line
from oauth.management.typed_password import ask_password
from oauth.management.verb_command import VerbCommand
from oauth.management.verbs.people import PASSWORD


class Command(VerbCommand):
    verb = PASSWORD

    def handle(self, *, username: str, **options: Any) -> None:
        if not (options["set"] or options["require"]):
            raise CommandError("Say what to do: --set, --require, or both.")
        user = find_user(username)
        if user is None:
            raise CommandError(f"Nobody has the user name {username!a}.")
        actor, lines, ended = operator_at_command_line(), [], 0
        if options["set"]:
            ended = passwords.set_password(user, ask_password(user), actor)
            lines.append(f"{user.username} has a new password. Sessions ended: {ended}. Apps must ask again.")
        if options["require"]:
            more = passwords.require_new_password(user, actor)
            lines.append(f"{user.username} chooses a new password at the next sign-in. Sessions ended: {more}.")
            ended += more
        done = {"set": options["set"], "required": options["require"]}
        facts = {"username": user.username, **done, "sessions_ended": ended}
        for text in [json.dumps(facts, indent=2)] if options["json"] else lines:
            self.stdout.write(text)
