"""`manage.py serve`: the server as production runs it, behind a proxy that ends TLS or with a certificate."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from oauth.management.verb_command import VerbCommand
from smartauth.management.verbs import SERVE
from smartauth.own_tls import Certificate
from smartauth.serving import port_problem, serve

STOP_SECONDS = 10
READABLE_BY_OTHERS = 0o004


class Command(VerbCommand):
    verb = SERVE

    def handle(
        self, *, host: str, port: int, processes: int, tls_certificate: str | None, tls_key: str | None, **options: Any
    ) -> None:
        tls = _tls_options(tls_certificate, tls_key)
        if problem := port_problem(host, port):
            raise CommandError(f"Port {port} of {host} cannot be used ({problem}).")
        serve(host, port, processes=processes, timeout_graceful_shutdown=STOP_SECONDS, **tls)


def _tls_options(chain: str | None, key: str | None) -> dict[str, str]:
    """uvicorn's options for these files, none without them. Raises CommandError for what cannot be served."""
    if not chain and not key:
        return {}
    if not chain or not key:
        raise CommandError("--tls-certificate and --tls-key go together.")
    if not settings.SMARTAUTH_ISSUER.startswith("https:"):
        raise CommandError(f"The issuer {settings.SMARTAUTH_ISSUER} does not begin with https: set SMARTAUTH_ISSUER.")
    try:
        Certificate(Path(chain), Path(key))
        is_open = Path(key).stat().st_mode & READABLE_BY_OTHERS
    except OSError as error:  # ssl.SSLError is one
        raise CommandError(f"{chain} and {key} cannot be used: {error}") from error
    if is_open:
        raise CommandError(
            f"Everybody on this machine can read {key}: chmod 600 it, or give it to the group that serves."
        )
    return {"ssl_certfile": chain, "ssl_keyfile": key, "http": "smartauth.tls_protocol:TlsProtocol"}
