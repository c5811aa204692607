"""`manage.py client add|list|rotate-secret|disable|enable`: the apps and services that ask for tokens."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from oauth.clients.secrets import rotation_number
from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.management.operator import operator_at_command_line
from oauth.management.single_rows import add_client
from oauth.models import Client
from oauth.registration import client_changes
from oauth.registration.client_fields import GRANTS
from oauth.registration.problems import shown
from smart.time_units import more_time


class Command(BaseCommand):
    help = "Add clients, list them, give them new secrets, disable and enable them."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("add", help="register a client; a secret is drawn and shown once")
        add.add_argument("client_id")
        _add_fields(add)
        listing = actions.add_parser("list", help="a line for each client")
        others = [actions.add_parser(name, help=act.__doc__) for name, act in ACTS.items()]
        for each in others:
            each.add_argument("client_id")
        for each in (add, listing, *others):
            each.add_argument("--json", action="store_true", help="print JSON")

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


def _add_fields(parser: CommandParser) -> None:
    parser.add_argument("--name", required=True, help="as people read it when they decide")
    parser.add_argument("--maker", help="who makes it")
    parser.add_argument("--authentication", choices=Client.Authentication.values, default="none", help="its proof")
    parser.add_argument("--jwks-file", metavar="FILE", help="its public keys, with --authentication keys")
    parser.add_argument("--jwks-uri", metavar="URL", help="where it publishes them")
    parser.add_argument("--grant", action="append", choices=GRANTS, help="repeatable; default: authorization_code")
    parser.add_argument("--scope", help="scopes it may ask, separated by spaces")
    parser.add_argument("--fhir-server", action="append", metavar="URL", help="a FHIR base it may reach; repeatable")
    parser.add_argument("--redirect-uri", action="append", metavar="URL", help="complete; repeatable")
    parser.add_argument("--launch-url", action="append", metavar="URL", help="where an EHR opens it; repeatable")
    parser.add_argument("--native", action="store_true", help="it runs on a device: loopback redirects may be http")


def _rotate_secret(client: Client) -> dict[str, Any]:
    """another secret, shown once; both work a while"""
    if client.authentication != Client.Authentication.SECRET:
        raise CommandError(f"{client.client_id} has no secret. Nothing has changed.")
    secret = client_changes.rotate_secret(client, rotation_number(client), operator_at_command_line())
    if not secret:
        raise CommandError("Another rotation came first. Nothing has changed.")
    return {**_facts(client), "client_secret": secret, "old_secret_seconds": settings.SMARTAUTH_OLD_SECRET_SECONDS}


def _disable(client: Client) -> dict[str, Any]:
    """refuse it at every endpoint and end all its access"""
    ended = access.end_all([client], operator_at_command_line(), EndedFor.CLIENT_DISABLED)
    client.refresh_from_db()
    counts = {"authorizations": ended.authorizations, "access_tokens": ended.access_tokens}
    return {**_facts(client), "ended": counts}


def _enable(client: Client) -> dict[str, Any]:
    """let it ask again; what ended stays ended"""
    client_changes.enable([client], operator_at_command_line())
    client.refresh_from_db()
    return _facts(client)


ACTS = {"rotate-secret": _rotate_secret, "disable": _disable, "enable": _enable}


def _client(client_id: str) -> Client:
    client = Client.of(client_id)
    if client is None:
        raise CommandError(f"No client has the id {shown(client_id)}. Nothing has changed.")
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
