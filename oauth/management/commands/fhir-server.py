"""`manage.py fhir-server add URL`: protect a FHIR server of your own; `fhir-server list`: which are protected."""
# ruff: noqa: N999  # a command is called by the name of its file

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from oauth.management.operator import operator_at_command_line
from oauth.management.verbs.registration import FHIR_SERVER
from oauth.models import Client, FhirServer
from oauth.registration.fhir_servers import RegisteredFhirServer, client_ids_at, register
from oauth.registration.problems import MAX_NAME_LENGTH, InvalidRegistration
from smart.fhir.audience import canonical_url
from smart.text import has_unsafe_characters
from smart.time_units import more_time

ADDED = """\
{what}: {base}

What your server proves itself with. The secret is shown this once:
    client id      {client_id}
    client secret  {secret}

Ask about a token that stands in $TOKEN:
    curl -sS -u {client_id}:{secret} -d token=$TOKEN {introspect}
"""
KNOWN = """\
{what}: {base}

Its client is {client_id}. The secret was shown when it was made; --new-secret draws another one.
"""
OVERLAP = """
The secret before this one works for {more_time}.
"""
ALWAYS = """
Serve the document below at {base}/.well-known/smart-configuration,
or fetch it from smartauth and pass it on (no redirect: browsers would block it):
    curl -sS '{issuer}/o/smart-configuration?{aud}'

{document}

Clients that may ask for its tokens: {clients}.
More of them: `{command} fhir-server add {base} --client CLIENT_ID`, or in the admin.
Who is who there, and for which patients: the seed file (docs/seed-file.md), or in the admin.
"""
SHOWN_ONCE = "{base} is protected already; its secret was shown when it was made. --new-secret draws another one."
OPTIONS = {
    "access_token_seconds": "--access-token-seconds",
    "claim_mapping": "--claim-mapping",
    "name": "--name",
    "new_secret": "--new-secret",
}


class Command(BaseCommand):
    help = FHIR_SERVER.help

    def add_arguments(self, parser: CommandParser) -> None:
        FHIR_SERVER.add_to(parser)

    def handle(self, *, action: str, **options: Any) -> None:
        if action == "list":
            self._list(as_json=options["json"])
            return
        act = _register if action == "add" else _draw_secret
        if options["env"]:
            self._print_environment(lambda: act(options))
        else:
            done = act(options)
            self.stdout.write(json.dumps(_facts(done), indent=2) if options["json"] else _summary(done))

    def _list(self, *, as_json: bool) -> None:
        servers = FhirServer.objects.order_by("pk")
        if as_json:
            self.stdout.write(json.dumps([_listed(server) for server in servers], indent=2))
            return
        for server in servers:
            self.stdout.write(_line(_listed(server)))

    def _print_environment(self, act: Callable[[], RegisteredFhirServer]) -> None:
        """The lines, or why there are none, so that a file made of them is never empty and never half of it."""
        try:
            lines = _environment(act())
        except Exception as problem:
            # the shell that reads this as a file, or by eval, says why and stops there
            self.stdout.write(f"echo {shlex.quote(f'smartauth: {_one_line(problem)}')} >&2; false")
            raise
        self.stdout.write(lines)


def _register(options: dict[str, Any]) -> RegisteredFhirServer:
    server = FhirServer(
        base=options["url"],
        name=options["name"] or options["url"][:MAX_NAME_LENGTH],
        version=options["fhir_version"],
        address_policy=options["policy"],
        claim_profile=options["claims"],
        claim_mapping=_read_mapping(options["claim_mapping"]),
        v1_equivalents=int(options["v1_equivalents"]),
    )
    clients = [_client(client_id) for client_id in options["client"] or ()]
    try:
        return register(
            server,
            operator_at_command_line(),
            tells_addresses=options["tells_addresses"],
            clients=clients,
            new_secret=options["new_secret"],
        )
    except InvalidRegistration as refusal:
        raise CommandError(_refusal(server.base, refusal)) from None


def _draw_secret(options: dict[str, Any]) -> RegisteredFhirServer:
    base = options["url"]
    server = None if has_unsafe_characters(base) else FhirServer.objects.filter(base=canonical_url(base)).first()
    if server is None:
        raise CommandError(f"No FHIR server has the base {ascii(base)[1:-1]}; `fhir-server add` protects one.")
    try:
        return register(server, operator_at_command_line(), new_secret=True)
    except InvalidRegistration as refusal:
        raise CommandError(_refusal(server.base, refusal)) from None


def _refusal(base: str, refusal: InvalidRegistration) -> str:
    found = [
        f"{OPTIONS[field]}: {sentence}" if field in OPTIONS else sentence
        for field, sentences in refusal.problems.items()
        for sentence in sentences
    ]
    return f"{ascii(base)[1:-1]} cannot be protected: {' '.join(found)} Nothing was written."


def _read_mapping(file: Path | None) -> str:
    try:
        return file.read_text(encoding="utf-8").strip() if file else ""
    except (OSError, ValueError) as error:
        raise CommandError(f"{ascii(str(file))[1:-1]} cannot be read: {error}. Nothing was written.") from None


def _client(client_id: str) -> Client:
    client = Client.of(client_id)
    if client is None:
        raise CommandError(f"No client has the id {ascii(client_id)[1:-1]}. Nothing was written.")
    return client


def _environment(done: RegisteredFhirServer) -> str:
    if not done.secret:
        raise CommandError(SHOWN_ONCE.format(base=done.server.base))
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in done.environment.items())


def _one_line(problem: Exception) -> str:
    return " ".join(str(problem).split())


def _summary(done: RegisteredFhirServer) -> str:
    server = done.server
    values = {
        "what": "Protected from now on" if done.added else "Protected already, its settings stay as they were",
        "base": server.base,
        "client_id": done.client.client_id,
        "secret": done.secret,
        "introspect": done.environment["INTROSPECT"],
        "more_time": more_time(settings.SMARTAUTH_OLD_SECRET_SECONDS),
        "issuer": settings.SMARTAUTH_ISSUER,
        "command": settings.SMARTAUTH_COMMAND,
        "aud": urlencode({"aud": server.base}),
        "document": json.dumps(done.smart_configuration, indent=2),
        "clients": ", ".join(client_ids_at(server)) or "none yet",
    }
    text = (ADDED if done.secret else KNOWN) + (OVERLAP if done.rotated else "") + ALWAYS
    return text.format(**values)


def _facts(done: RegisteredFhirServer) -> dict[str, Any]:
    return {
        "base": done.server.base,
        "added": done.added,
        "client_id": done.client.client_id,
        "client_secret": done.secret or None,
        "introspection_endpoint": done.environment["INTROSPECT"],
        "clients": client_ids_at(done.server),
        "smart_configuration": done.smart_configuration,
    }


def _listed(server: FhirServer) -> dict[str, Any]:
    return {
        "base": server.base,
        "version": server.version,
        "name": server.name,
        "introspected_by": list(server.resource_servers.order_by("pk").values_list("client__client_id", flat=True)),
        "clients": client_ids_at(server),
    }


def _line(facts: dict[str, Any]) -> str:
    return (
        f"{facts['base']} ({facts['version']}, {facts['name']}): introspected by "
        f"{', '.join(facts['introspected_by']) or 'nobody'}, for {', '.join(facts['clients']) or 'no app'}"
    )
