"""`manage.py worker`: the task worker, and in one of them the schedule of what is due."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

LEVELS = ("ERROR", "WARNING", "INFO", "DEBUG")


class Command(BaseCommand):
    help = "Run the task worker: it ships events, rotates keys and deletes what is over."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--no-schedule", action="store_true", help="a further worker: another one calls what is due"
        )
        parser.add_argument("--log-level", choices=LEVELS, default="INFO", help="default: %(default)s")

    def handle(self, *, no_schedule: bool, log_level: str, **options: Any) -> None:
        from smartauth.celery import application

        schedule = [] if no_schedule else ["-B"]
        application.worker_main(["--quiet", "worker", "-P", "solo", f"--loglevel={log_level}", *schedule])
