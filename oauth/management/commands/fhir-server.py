"""`manage.py fhir-server add URL`: protect a FHIR server of your own; `fhir-server list`: which are protected."""
# ruff: noqa: N999  # a command is called by the name of its file

import json
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from oauth.models import Client, FhirServer
from oauth.models.servers import AddressPolicy, ClaimProfile
from oauth.registration.fhir_servers import RegisteredFhirServer, UnfitBase, client_ids_at, register
from smart.tokens import claim_profiles

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

Its client is {client_id}. The secret was shown when it was made; the admin draws a new one.
"""
ALWAYS = """
Serve the document below at {base}/.well-known/smart-configuration,
or fetch it from smartauth and pass it on (no redirect: browsers would block it):
    curl -sS '{issuer}/o/smart-configuration?{aud}'

{document}

Clients that may ask for its tokens: {clients}.
More of them: `manage.py fhir-server add {base} --client CLIENT_ID`, or in the admin.
Who is who there, and for which patients: the seed file (docs/seed-file.md), or in the admin.
"""


class Command(BaseCommand):
    help = "Protect a FHIR server of your own, or list those that are protected."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("add", help="make the FHIR server and the client that it introspects with")
        add.add_argument("url", help="the FHIR base: the aud of its tokens")
        add.add_argument("--name", default="", help="as people know it; default: the URL")
        add.add_argument("--version", dest="fhir_version", choices=FhirServer.Version.values, default="r4")
        add.add_argument("--policy", choices=AddressPolicy.values, default="flag", help="a token from a new address")
        add.add_argument("--claims", choices=ClaimProfile.values, default="smart", help="in whose words tokens speak")
        add.add_argument("--claim-mapping", type=Path, metavar="FILE", help="JSON, the mapping of --claims custom")
        add.add_argument("--v1-equivalents", action="store_true", help="introspection names v2 scopes in v1 too")
        add.add_argument("--tells-addresses", action="store_true", help="believe the __client_ip that it reports")
        add.add_argument("--client", action="append", default=[], help="an app that may ask for its tokens; repeatable")
        add.add_argument("--env", action="store_true", help="print lines that a shell can read, nothing else")
        actions.add_parser("list", help="each FHIR server with its resource servers and apps")

    def handle(self, *, action: str, **options: Any) -> None:
        if action == "list":
            for server in FhirServer.objects.order_by("pk"):
                self.stdout.write(_line(server))
            return
        done = _registered(options)
        self.stdout.write(_environment(done) if options["env"] else _words(done))


def _registered(options: dict[str, Any]) -> RegisteredFhirServer:
    try:
        return register(
            options["url"],
            name=options["name"],
            version=options["fhir_version"],
            address_policy=options["policy"],
            claim_profile=options["claims"],
            claim_mapping=_mapping(options["claims"], options["claim_mapping"]),
            v1_equivalents=int(options["v1_equivalents"]),
            tells_addresses=options["tells_addresses"],
            clients=[_client(client_id) for client_id in options["client"]],
        )
    except UnfitBase as problem:
        raise CommandError(f"{options['url']} cannot be protected: {problem}. Nothing was written.") from None


def _mapping(profile: str, file: Path | None) -> str:
    try:
        text = file.read_text(encoding="utf-8").strip() if file else ""
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}. Nothing was written.") from None
    if problem := claim_profiles.mapping_problem(profile, text):
        raise CommandError(f"The claim mapping is not right: {problem}. Nothing was written.")
    return text


def _client(client_id: str) -> Client:
    client = Client.of(client_id)
    if client is None:
        raise CommandError(f"No client has the id {client_id}. Nothing was written.")
    return client


def _environment(done: RegisteredFhirServer) -> str:
    if not done.secret:
        raise CommandError(f"{done.server.base} is protected already; its secret was shown when it was made.")
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in done.environment.items())


def _words(done: RegisteredFhirServer) -> str:
    server = done.server
    values = {
        "what": "Protected from now on" if done.added else "Protected already, its settings stay as they were",
        "base": server.base,
        "client_id": done.client.client_id,
        "secret": done.secret,
        "introspect": done.environment["INTROSPECT"],
        "issuer": settings.SMARTAUTH_ISSUER,
        "aud": urlencode({"aud": server.base}),
        "document": json.dumps(done.smart_configuration, indent=2),
        "clients": ", ".join(client_ids_at(server)) or "none yet",
    }
    return ((ADDED if done.secret else KNOWN) + ALWAYS).format(**values)


def _line(server: FhirServer) -> str:
    asks = ", ".join(server.resource_servers.order_by("pk").values_list("client__client_id", flat=True))
    reach = ", ".join(client_ids_at(server))
    return (
        f"{server.base} ({server.version}, {server.name}): introspected by {asks or 'nobody'}, for {reach or 'no app'}"
    )
