"""`manage.py token`: an access token without the browser, good or bad, in development only."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from oauth.keys import signing_keys
from oauth.workbench.api.tokens import catalogue
from oauth.workbench.minting.good_token import CannotMint
from oauth.workbench.orders.changes import parse_member
from oauth.workbench.orders.members import TEXTS, create_from_members
from oauth.workbench.orders.order import SCOPE, InvalidOrder
from smart.http.errors import InvalidRequest
from smartauth_probe.catalogue import groups
from smartauth_probe.kinds import Kind

OPTIONS = {"claims": "claim"}


class Command(BaseCommand):
    """The same issuing function as the token endpoint, after the same limits, without login and consent."""

    help = "Prints an access token. Development only: elsewhere a token comes from a login and a consent."

    def add_arguments(self, parser: CommandParser) -> None:
        who = parser.add_argument_group("client and person")
        who.add_argument("--client", help="client_id, such as demo-public")
        who.add_argument("--user", help="user name of the person, such as amy; left out for a backend service")
        who.add_argument("--patient", help="FHIR id of the patient; may be left out for who has only one")
        who.add_argument("--scope", help=f"default: {SCOPE}; for a backend service all that it may ask")
        who.add_argument("--aud", help="the FHIR base; may be left out for a client of only one")
        bad = parser.add_argument_group("bad tokens")
        bad.add_argument("--bad", metavar="KIND", help="a token that is wrong in this way")
        bad.add_argument("--list", action="store_true", help="list all kinds, good twins among them")
        bad.add_argument("--listener", metavar="URL", help="where a header that brings a key leads to")
        changed = parser.add_argument_group("other claims in a good token")
        changed.add_argument("--claim", action="append", metavar="NAME=JSON", help="set a claim; again for another one")
        changed.add_argument("--without", action="append", metavar="NAME", help="take a claim away")
        changed.add_argument("--header", action="append", metavar="NAME=JSON", help="set a member of the header")
        changed.add_argument("--lifetime", type=int, metavar="SECONDS", help="how long it lives, bad ones too")
        parser.add_argument("--json", action="store_true", help="print the whole answer, and how the token is sent")

    def handle(self, **options: Any) -> None:
        if not settings.SMARTAUTH_DEV:
            raise CommandError("Tokens are given away like this in development only.")
        if options["list"]:
            self.stdout.write(json.dumps(catalogue(), indent=2) if options["json"] else _listed_kinds())
            return
        if options["client"] is None:
            raise CommandError("Say --client, such as demo-public.")
        answer = _answer(options)
        self.stdout.write(json.dumps(answer, indent=2) if options["json"] else answer["access_token"])


def _answer(options: dict[str, Any]) -> dict[str, Any]:
    """What /dev/tokens would answer."""
    signing_keys.ensure_keys()
    try:
        return create_from_members(_asked(options)).as_json()
    except InvalidOrder as problem:
        option = OPTIONS.get(problem.option, problem.option)
        raise CommandError(f"Say --{option}: {problem}" if option else str(problem)) from None
    except CannotMint as problem:
        raise CommandError(f"Such a token cannot be made here: {problem}.") from None
    except InvalidRequest as problem:
        raise CommandError(problem.description) from None


def _asked(options: dict[str, Any]) -> dict[str, Any]:
    """The options as members of the JSON that /dev/tokens takes."""
    asked = {name: options[name] for name in (*TEXTS, "without", "lifetime") if options[name] is not None}
    for name, option in (("claims", "claim"), ("header", "header")):
        if options[option]:
            asked[name] = dict(parse_member(text, name) for text in options[option])
    return asked


def _listed_kinds() -> str:
    """A line for each kind: what it is, which servers it fools, what it must be answered."""
    lines = []
    for group in groups():
        lines += ["", f"{group.title}: {group.sentence}", *map(_line, group.kinds)]
    return "\n".join(lines[1:])


def _line(kind: Kind) -> str:
    fools = "" if kind.is_good else f" (fools {kind.fools})"
    return f"  {kind.name:24} {kind.answer.text:10} {kind.wrong}{fools}"
