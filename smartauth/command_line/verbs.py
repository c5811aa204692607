"""From the declaration of a command to the verb of `smartauth` that runs it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from oauth.management.verb import Argument, Verb, WholeNumber
from smartauth.command_line.django_command import call
from smartauth.command_line.examples import examples


def click_command(verb: Verb, *before: str) -> click.Command:
    """The verb with its options, examples and completion; of one with actions, the group of them."""
    words = (*before, verb.name)
    if verb.actions:
        return click.Group(verb.name, help=verb.help, commands=[click_command(each, *words) for each in verb.actions])

    def run(**values: Any) -> None:
        call(*words, *given_arguments(verb.arguments, values))

    parameters = [click_parameter(argument) for argument in verb.arguments]
    epilog = examples(*verb.examples) if verb.examples else None
    return click.Command(verb.name, callback=run, params=parameters, help=verb.help, epilog=epilog)


def click_parameter(argument: Argument) -> click.Parameter:
    """An option or argument of click that takes what argparse takes, and completes it."""
    options: dict[str, Any] = {"metavar": argument.metavar, "type": _click_type(argument)}
    if argument.suggestions:
        options["shell_complete"] = _completion(argument)
    if argument.is_option:
        options |= {"help": argument.help, "required": argument.is_required, "multiple": argument.is_repeatable}
        options |= {"is_flag": True} if argument.is_flag else {}
        options |= {"default": argument.default} if argument.default is not None else {}
        return click.Option([argument.name, *([argument.dest] if argument.dest else [])], **options)
    if argument.is_repeatable:
        options |= {"nargs": -1, "metavar": f"[{argument.metavar}]"}
    return click.Argument([argument.name], **options)


def given_arguments(declared: tuple[Argument, ...], values: dict[str, Any]) -> list[str]:
    """What was given, as argparse reads it: options first, so that an argument may begin with a dash."""
    options: list[str] = []
    arguments: list[str] = []
    for argument in declared:
        value = values[argument.key]
        every = value if isinstance(value, tuple) else () if value is None else (value,)
        if not argument.is_option:
            arguments += map(str, every)
        elif argument.is_flag:
            options += [argument.name] if value else []
        else:
            options += [f"{argument.name}={each}" for each in every]
    separated = any(argument.startswith("-") for argument in arguments)
    return [*options, *(["--"] if separated else []), *arguments]


def _click_type(argument: Argument) -> click.ParamType[Any] | None:
    if argument.choices:
        return click.Choice(argument.choices)
    if isinstance(argument.type, WholeNumber):
        bounds = (argument.type.least, argument.type.most)
        return click.INT if bounds == (None, None) else click.IntRange(*bounds)
    return click.Path() if argument.type is Path else None


def _completion(argument: Argument) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]:
    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem[str]]:
        found = argument.suggestions() if argument.suggestions else ()
        return [CompletionItem(value, help=what) for value, what in found if value.startswith(begun)]

    return complete
