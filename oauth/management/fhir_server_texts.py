"""What the command `fhir-server` prints: for people, as JSON, or for a shell."""

import json
import shlex
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.management.base import CommandError

from oauth.models import FhirServer
from oauth.registration.fhir_servers import RegisteredFhirServer, client_ids_at
from smart.time_units import more_time

ADDED = """\
{what}: {base}

What your server proves itself with. The secret is shown this once:
    client id      {client_id}
    client secret  {secret}

Ask about a token that stands in $TOKEN:
    curl -sS -u {client_id}:{secret} -d token=$TOKEN {introspect}

Or let a middleware ask about each request (docs/recipes/index.md). It reads these:
    {shell}
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


def shell_lines(done: RegisteredFhirServer) -> str:
    """What `--env` prints. Raises CommandError where there is no secret to show."""
    if not done.secret:
        raise CommandError(SHOWN_ONCE.format(base=done.server.base))
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in done.environment.items())


def summary(done: RegisteredFhirServer) -> str:
    """What was done, and what somebody does next at their server."""
    server = done.server
    values = {
        "what": "Protected from now on" if done.added else "Protected already, its settings stay as they were",
        "base": server.base,
        "client_id": done.client.client_id,
        "secret": done.secret,
        "introspect": done.environment["INTROSPECT"],
        "shell": shell_lines(done).replace("\n", "\n    ") if done.secret else "",
        "more_time": more_time(settings.SMARTAUTH_OLD_SECRET_SECONDS),
        "issuer": settings.SMARTAUTH_ISSUER,
        "command": settings.SMARTAUTH_COMMAND,
        "aud": urlencode({"aud": server.base}),
        "document": json.dumps(done.smart_configuration, indent=2),
        "clients": ", ".join(client_ids_at(server)) or "none yet",
    }
    text = (ADDED if done.secret else KNOWN) + (OVERLAP if done.rotated else "") + ALWAYS
    return text.format(**values)


def registered_facts(done: RegisteredFhirServer) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "base": done.server.base,
        "added": done.added,
        "client_id": done.client.client_id,
        "client_secret": done.secret or None,
        "introspection_endpoint": done.environment["INTROSPECT"],
        "clients": client_ids_at(done.server),
        "smart_configuration": done.smart_configuration,
    }


def listed_facts(server: FhirServer) -> dict[str, Any]:
    """What the list says of each."""
    return {
        "base": server.base,
        "version": server.version,
        "name": server.name,
        "introspected_by": list(server.resource_servers.order_by("pk").values_list("client__client_id", flat=True)),
        "clients": client_ids_at(server),
    }


def listed_line(facts: dict[str, Any]) -> str:
    return (
        f"{facts['base']} ({facts['version']}, {facts['name']}): introspected by "
        f"{', '.join(facts['introspected_by']) or 'nobody'}, for {', '.join(facts['clients']) or 'no app'}"
    )
