"""`manage.py worker`: the task worker, and in one of them the schedule of what is due."""

from typing import Any

from oauth.management.verb_command import VerbCommand
from smartauth.management.verbs import WORKER


class Command(VerbCommand):
    verb = WORKER

    def handle(self, *, no_schedule: bool, log_level: str, **options: Any) -> None:
        from smartauth.celery import application

        schedule = [] if no_schedule else ["-B"]
        application.worker_main(["--quiet", "worker", "-P", "solo", f"--loglevel={log_level}", *schedule])
