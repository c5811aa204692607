"""Running a command of manage.py for a verb, with its refusals as one sentence."""

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from smartauth.command_line.database_failures import database_failures_in_a_line, database_sentence, missing_data

STARTS = frozenset({"dev", "serve"})  # a server says itself where it is, other commands ask who django_command


def call(name: str, *arguments: str, **options: Any) -> None:
    """Runs a command of manage.py, after the same checks where it has any."""
    with failures_in_a_sentence():
        prepare_django(name, *arguments)
        from django.core.management import call_command, get_commands, load_command_class

        command = load_command_class(get_commands()[name], name)
        checks = {"skip_checks": False} if command.requires_system_checks else {}
        call_command(command, *arguments, **checks, no_color=bool(os.environ.get("NO_COLOR")), **options)


def manage_django(arguments: Sequence[str]) -> None:
    """What manage.py does with these arguments."""
    prepare_django(*arguments or ("help",))
    from django.core.management import execute_from_command_line

    with database_failures_in_a_line("smartauth manage", arguments):
        execute_from_command_line(["smartauth manage", *arguments])


def prepare_django(name: str, *arguments: str) -> None:
    """Settings and models, those of the development server that runs here if none is chosen."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartauth.settings")
    import django
    from django.apps import apps
    from django.conf import settings

    from smartauth.running_server import follow_running_server

    if name not in STARTS and not settings.configured:
        follow_running_server(os.environ)
        if problem := missing_data((name, *arguments), os.environ, "smartauth"):
            raise click.ClickException(problem)
    if not apps.ready:
        gc.disable()  # until they are, as manage.py has it
    django.setup()


@contextmanager
def failures_in_a_sentence() -> Iterator[None]:
    """What can be foreseen ends with a sentence and status 1, never with a traceback."""
    from django.core.management.base import CommandError
    from django.db import DatabaseError, InterfaceError

    try:
        yield
    except CommandError as refusal:
        raise click.ClickException(str(refusal)) from None
    except (DatabaseError, InterfaceError) as error:
        raise click.ClickException(database_sentence(error, "smartauth")) from None
    except OSError as error:
        if error.filename is None:
            raise
        raise click.ClickException(f"{error.filename}: {error.strerror}.") from None
