"""`manage.py fhir-server add URL`: protect a FHIR server of your own; `fhir-server list`: which are protected."""
# ruff: noqa: N999  # a command is called by the name of its file

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from oauth.management.fhir_server_texts import listed_facts, listed_line, registered_facts, shell_lines, summary
from oauth.management.operator import operator_at_command_line
from oauth.management.verb_command import VerbCommand
from oauth.management.verbs.registration import FHIR_SERVER
from oauth.models import Client, FhirServer
from oauth.registration.fhir_servers import RegisteredFhirServer, register
from oauth.registration.problems import MAX_NAME_LENGTH, InvalidRegistration
from smart.fhir.audience import canonical_url
from smart.text import ascii_excerpt

OPTIONS = {
    "access_token_seconds": "--access-token-seconds",
    "claim_mapping": "--claim-mapping",
    "name": "--name",
    "new_secret": "--new-secret",
}


class Command(VerbCommand):
    verb = FHIR_SERVER

    def handle(self, *, action: str, **options: Any) -> None:
        if action == "list":
            self._list(as_json=options["json"])
            return
        act = _register if action == "add" else _draw_secret
        if options["env"]:
            self._print_environment(lambda: act(options))
        else:
            done = act(options)
            self.stdout.write(json.dumps(registered_facts(done), indent=2) if options["json"] else summary(done))

    def _list(self, *, as_json: bool) -> None:
        servers = FhirServer.objects.order_by("pk")
        if as_json:
            self.stdout.write(json.dumps([listed_facts(server) for server in servers], indent=2))
            return
        for server in servers:
            self.stdout.write(listed_line(listed_facts(server)))

    def _print_environment(self, act: Callable[[], RegisteredFhirServer]) -> None:
        """The lines, or why there are none, so that a file made of them is never empty and never half of it."""
        try:
            lines = shell_lines(act())
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
    server = FhirServer.of(canonical_url(base))
    if server is None:
        raise CommandError(f"No FHIR server has the base {ascii_excerpt(base)}; `fhir-server add` protects one.")
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
    return f"{ascii_excerpt(base)} cannot be protected: {' '.join(found)} Nothing was written."


def _read_mapping(file: Path | None) -> str:
    try:
        return file.read_text(encoding="utf-8").strip() if file else ""
    except (OSError, ValueError) as error:
        raise CommandError(f"{ascii_excerpt(str(file), 1000)} cannot be read: {error}. Nothing was written.") from None


def _client(client_id: str) -> Client:
    client = Client.of(client_id)
    if client is None:
        raise CommandError(f"No client has the id {ascii_excerpt(client_id)}. Nothing was written.")
    return client


def _one_line(problem: Exception) -> str:
    return " ".join(str(problem).split())
