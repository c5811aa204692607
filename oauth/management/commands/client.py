"""`manage.py client add|list|rotate-secret|disable|enable`: the apps and services that ask for tokens."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from oauth.clients.secrets import rotation_number
from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.management.operator import operator_at_command_line
from oauth.management.single_rows import add_client
from oauth.management.verb_command import VerbCommand
from oauth.management.verbs.registration import CLIENT
from oauth.models import Client
from oauth.registration import client_changes
from smart.text import ascii_excerpt
from smart.time_units import more_time


class Command(VerbCommand):
    verb = CLIENT

    def handle(self, *, action: str, **options: Any) -> None:
        as_json = options["json"]
        if action == "list":
            rows = [_facts(client) for client in Client.objects.order_by("client_id")]
            self.stdout.write(json.dumps(rows, indent=2) if as_json else "\n".join(map(_line, rows)))
            return
        answer = self._add(options) if action == "add" else ACTS[action](_client(options["client_id"]))
        self.stdout.write(json.dumps(answer, indent=2) if as_json else _sentences(answer))

    def _add(self, options: dict[str, Any]) -> dict[str, Any]:
        entry = {key: options[option] for key, option in FIELDS.items()}
        entry |= {"client_id": options["client_id"], "application_type": "native" if options["native"] else ""}
        client, outcome = add_client(entry)
        for warning in outcome.warnings:
            self.stderr.write(f"warning: {warning}")
        return {**_facts(client), "client_secret": outcome.secrets.get(client.client_id)}


FIELDS = {  # keys of a seed file, and the options that give them
    "name": "name",
    "maker": "maker",
    "authentication": "authentication",
    "jwks_file": "jwks_file",
    "jwks_uri": "jwks_uri",
    "grants": "grant",
    "scope": "scope",
    "fhir_servers": "fhir_server",
    "redirect_uris": "redirect_uri",
    "launch_urls": "launch_url",
}


def _rotate_secret(client: Client) -> dict[str, Any]:
    if client.authentication != Client.Authentication.SECRET:
        raise CommandError(f"{client.client_id} has no secret. Nothing has changed.")
    secret = client_changes.rotate_secret(client, rotation_number(client), operator_at_command_line())
    if not secret:
        raise CommandError("Another rotation came first. Nothing has changed.")
    return {**_facts(client), "client_secret": secret, "old_secret_seconds": settings.SMARTAUTH_OLD_SECRET_SECONDS}


def _disable(client: Client) -> dict[str, Any]:
    ended = access.end_all([client], operator_at_command_line(), EndedFor.CLIENT_DISABLED)
    client.refresh_from_db()
    counts = {"authorizations": ended.authorizations, "access_tokens": ended.access_tokens}
    return {**_facts(client), "ended": counts}


def _enable(client: Client) -> dict[str, Any]:
    client_changes.enable([client], operator_at_command_line())
    client.refresh_from_db()
    return _facts(client)


ACTS = {"rotate-secret": _rotate_secret, "disable": _disable, "enable": _enable}


def _client(client_id: str) -> Client:
    client = Client.of(client_id)
    if client is None:
        raise CommandError(f"No client has the id {ascii_excerpt(client_id)}. Nothing has changed.")
    return client


def _facts(client: Client) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "name": client.name,
        "enabled": bool(client.enabled),
        "authentication": client.authentication,
        "grants": client.grants.split(),
        "scope": client.scope,
        "fhir_servers": [server.base for server in client.fhir_servers.order_by("pk")],
        "protects": [role.fhir_server.base for role in client.protects.select_related("fhir_server")],
    }


def _line(facts: dict[str, Any]) -> str:
    does = ", ".join(facts["grants"]) or (
        f"protects {', '.join(facts['protects'])}" if facts["protects"] else "nothing"
    )
    state = "" if facts["enabled"] else ", DISABLED"
    return f"{facts['client_id']} ({facts['name']}): {facts['authentication']}, {does}{state}"


def _sentences(answer: dict[str, Any]) -> str:
    lines = [_line(answer)]
    if answer.get("client_secret"):
        lines.append(f"its secret, shown this once: {answer['client_secret']}")
    if "old_secret_seconds" in answer:
        lines.append(f"The old one works for {more_time(answer['old_secret_seconds'])}.")
    if "ended" in answer:
        lines.append(
            "ended: " + ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in answer["ended"].items())
        )
    return "\n".join(lines)
