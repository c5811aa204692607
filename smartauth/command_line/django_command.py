"""From a verb to the command of manage.py that does it, with its arguments, and its refusals as one sentence."""

import functools
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

LACKING = re.compile(r"no such (table|column)|(relation|column) .* does not exist")
STARTS = frozenset({"dev", "serve"})  # a server says itself where it is, other commands ask who django_command


def django_command(name: str, *before: str) -> Callable[[Callable[[], None]], Callable[..., None]]:
    """Makes a verb of a docstring: it runs that command with what was given; `before` comes before the arguments."""

    def decorate(verb: Callable[[], None]) -> Callable[..., None]:
        def run(context: click.Context, /, **_: object) -> None:
            call(name, *before, *given_arguments(context))

        return functools.update_wrapper(click.pass_context(run), verb)

    return decorate


def call(name: str, *arguments: str, **options: Any) -> None:
    """Runs a command of manage.py, the same checks first."""
    with failures_in_a_sentence():
        prepare_django(name)
        from django.core.management import call_command

        call_command(name, *arguments, skip_checks=False, no_color=bool(os.environ.get("NO_COLOR")), **options)


def manage_django(arguments: Sequence[str]) -> None:
    """What manage.py does with these arguments."""
    prepare_django(arguments[0] if arguments else "help")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["smartauth manage", *arguments])


def prepare_django(name: str) -> None:
    """Settings and models, those of the development server that runs here if none is chosen."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartauth.settings")
    import django
    from django.conf import settings

    from smartauth.running_server import follow_running_server

    if name not in STARTS and not settings.configured:
        follow_running_server(os.environ)
    django.setup()


def given_arguments(context: click.Context) -> Sequence[str]:
    """What was given, as argparse reads it: options first, so that an argument may begin with a dash."""
    options: list[str] = []
    arguments: list[str] = []
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        values = value if isinstance(value, tuple) else () if value is None else (value,)
        if isinstance(parameter, click.Argument):
            arguments += map(str, values)
        elif isinstance(parameter, click.Option) and parameter.is_flag:
            options += parameter.opts[:1] if value else ()
        else:
            options += (f"{parameter.opts[0]}={each}" for each in values)
    separated = any(argument.startswith("-") for argument in arguments)
    return [*options, *(["--"] if separated else []), *arguments]


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
        raise click.ClickException(_database_sentence(error)) from None
    except OSError as error:
        if error.filename is None:
            raise
        raise click.ClickException(f"{error.filename}: {error.strerror}.") from None


def _database_sentence(error: Exception) -> str:
    what = " ".join(str(error).split())
    if LACKING.search(what):
        return f"The database lacks tables of this version ({what}). `smartauth migrate` makes them."
    return f"The database does not answer: {what}."
