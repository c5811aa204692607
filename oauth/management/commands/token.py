"""`manage.py token`: an access token without the browser, good or bad, in development only."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from oauth.keys import signing_keys
from oauth.management.verb_command import VerbCommand
from oauth.management.verbs.tokens import TOKEN
from oauth.workbench.api.tokens import catalogue
from oauth.workbench.minting.good_token import CannotMint
from oauth.workbench.orders.changes import parse_member
from oauth.workbench.orders.members import create_from_members
from oauth.workbench.orders.order import InvalidOrder
from smart.http.errors import InvalidRequest
from smartauth_probe.catalogue import groups
from smartauth_probe.kinds import Kind
from smartauth_probe.token_order import TEXTS

OPTIONS = {"claims": "claim"}


class Command(VerbCommand):
    """The same issuing function as the token endpoint, after the same limits, without login and consent."""

    verb = TOKEN

    def handle(self, **options: Any) -> None:
        if not settings.SMARTAUTH_DEV:
            raise CommandError("Tokens are given away like this in development only.")
        if options["list"]:
            self.stdout.write(json.dumps(catalogue(), indent=2) if options["json"] else _list_of_kinds())
            return
        if options["client"] is None:
            raise CommandError("Say --client, such as demo-public.")
        answer = _answer(options)
        self.stdout.write(json.dumps(answer, indent=2) if options["json"] else answer["access_token"])


def _answer(options: dict[str, Any]) -> dict[str, Any]:
    """What /dev/tokens would answer."""
    signing_keys.ensure_keys()
    try:
        return create_from_members(_members(options)).as_json()
    except InvalidOrder as problem:
        option = OPTIONS.get(problem.option, problem.option)
        raise CommandError(f"Say --{option}: {problem}" if option else str(problem)) from None
    except CannotMint as problem:
        raise CommandError(f"Such a token cannot be made here: {problem}.") from None
    except InvalidRequest as problem:
        raise CommandError(problem.description) from None


def _members(options: dict[str, Any]) -> dict[str, Any]:
    """The options as members of the JSON that /dev/tokens takes."""
    asked = {name: options[name] for name in (*TEXTS, "without", "lifetime") if options[name] is not None}
    for name, option in (("claims", "claim"), ("header", "header")):
        if options[option]:
            asked[name] = dict(parse_member(text, name) for text in options[option])
    return asked


def _list_of_kinds() -> str:
    """A line for each kind: what it is, which servers it fools, what it must be answered."""
    lines = []
    for group in groups():
        lines += ["", f"{group.title}: {group.sentence}", *map(_line, group.kinds)]
    return "\n".join(lines[1:])


def _line(kind: Kind) -> str:
    fools = "" if kind.is_good else f" (fools {kind.fools})"
    return f"  {kind.name:24} {kind.answer.text:10} {kind.wrong}{fools}"
