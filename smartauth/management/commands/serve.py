"""`manage.py serve`: the server as production runs it, behind a proxy that ends TLS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from smartauth.serving import port_problem, serve

STOP_SECONDS = 10


class Command(BaseCommand):
    help = "Serve on an address and a port, in one process or several. Prepare nothing: migrate and seed first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
        parser.add_argument("--processes", type=int, default=1, help="one for each core (default: %(default)s)")

    def handle(self, *, host: str, port: int, processes: int, **options: Any) -> None:
        if problem := port_problem(host, port):
            raise CommandError(f"Port {port} of {host} cannot be used ({problem}).")
        serve(host, port, processes=processes, timeout_graceful_shutdown=STOP_SECONDS)
