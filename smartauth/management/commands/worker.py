"""`manage.py worker`: the task worker, and in one of them the schedule of what is due."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from smartauth.management.verbs import WORKER


class Command(BaseCommand):
    help = WORKER.help

    def add_arguments(self, parser: CommandParser) -> None:
        WORKER.add_to(parser)

    def handle(self, *, no_schedule: bool, log_level: str, **options: Any) -> None:
        from smartauth.celery import application

        schedule = [] if no_schedule else ["-B"]
        application.worker_main(["--quiet", "worker", "-P", "solo", f"--loglevel={log_level}", *schedule])
