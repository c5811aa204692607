"""`manage.py introspection-fault`: the running development server answers one resource server wrongly for a while."""
# ruff: noqa: N999  # a command is called by the name of its file

import json
from typing import Any
from urllib.parse import urlencode

import httpx
from django.conf import settings
from django.core.management.base import CommandError

from oauth.management.verb_command import VerbCommand
from oauth.management.verbs.tokens import INTROSPECTION_FAULT

PATH = "/dev/introspection-faults"


class Command(VerbCommand):
    """Asks the server that runs: what it does is kept in its memory."""

    verb = INTROSPECTION_FAULT

    def handle(self, *, action: str, **options: Any) -> None:
        if not settings.SMARTAUTH_DEV:
            raise CommandError("Introspection misbehaves on purpose in development only.")
        if action == "end":
            answer, lines = {"resource_server": options["resource_server"]}, _end_sentence
            _ask("DELETE", f"{PATH}?{urlencode(answer)}")
        elif action == "begin":
            asked = {name: options[name] for name in ("resource_server", "fault", "seconds")}
            answer, lines = _ask("POST", PATH, json=asked), _sentence
        else:
            answer, lines = _ask("GET", PATH), _list
        self.stdout.write(json.dumps(answer, indent=2) if options["json"] else lines(answer))


def _ask(method: str, path: str, **options: Any) -> dict[str, Any]:
    """What the running server answers. Raises CommandError."""
    url = f"http://127.0.0.1:{settings.SMARTAUTH_PORT}"
    try:
        answer = httpx.request(method, f"{url}{path}", trust_env=False, timeout=10, **options)
        found: dict[str, Any] = answer.json() if answer.content else {}
    except (httpx.HTTPError, ValueError):
        start = f"{settings.SMARTAUTH_COMMAND} dev"
        raise CommandError(f"No development server answers at {url}: start one by `{start}`.") from None
    if answer.is_error:
        raise CommandError(f"{found.get('error_description', answer.status_code)}.")
    return found


def _sentence(answer: dict[str, Any]) -> str:
    return "{resource_server} meets {fault} for {seconds} seconds, until {ends_at}.".format(**answer)


def _end_sentence(answer: dict[str, Any]) -> str:
    return "Introspection answers {resource_server} as it should.".format(**answer)


def _list(answer: dict[str, Any]) -> str:
    lines = [f"  {each['fault']:16} {_statuses(each):12} {each['sentence']}" for each in answer["faults"]]
    return "\n".join([*lines, *map(_sentence, answer["current"])])


def _statuses(fault: dict[str, Any]) -> str:
    return " or ".join(map(str, fault["statuses"]))
