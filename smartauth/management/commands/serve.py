"""`manage.py serve`: the server as production runs it, behind a proxy that ends TLS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from smartauth.management.verbs import SERVE
from smartauth.serving import port_problem, serve

STOP_SECONDS = 10


class Command(BaseCommand):
    help = SERVE.help

    def add_arguments(self, parser: CommandParser) -> None:
        SERVE.add_to(parser)

    def handle(self, *, host: str, port: int, processes: int, **options: Any) -> None:
        if problem := port_problem(host, port):
            raise CommandError(f"Port {port} of {host} cannot be used ({problem}).")
        serve(host, port, processes=processes, timeout_graceful_shutdown=STOP_SECONDS)
