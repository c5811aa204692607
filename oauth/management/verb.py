"""What a command takes, declared once for `manage.py` and `smartauth`. Without Django, so that help comes at once."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """The type of an argument that is a number within these bounds."""

    least: int | None = None
    most: int | None = None

    def __call__(self, text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ArgumentTypeError(f"{text!a} is no whole number") from None
        if self.least is not None and number < self.least:
            raise ArgumentTypeError(f"{number} is less than {self.least}")
        if self.most is not None and number > self.most:
            raise ArgumentTypeError(f"{number} is more than {self.most}")
        return number


@dataclass(frozen=True, slots=True)
class Argument:
    """An option such as `--name`, or a value by its place."""

    name: str
    help: str = ""
    metavar: str | None = None
    type: Callable[[str], object] = str
    choices: tuple[str, ...] = ()
    default: str | int | None = None
    is_required: bool = False
    is_flag: bool = False
    is_repeatable: bool = False
    suggestions: Callable[[], Iterable[tuple[str, str]]] | None = None  # values with what they are, for completion
    dest: str | None = None  # its key among the options, if that is not its name

    @property
    def is_option(self) -> bool:
        return self.name.startswith("--")

    @property
    def key(self) -> str:
        """Under which the command finds its value."""
        return self.dest or self.name.removeprefix("--").replace("-", "_")

    def add_to(self, parser: ArgumentParser) -> None:
        """As argparse reads it."""
        shown = f"{self.help} (default: {self.default})" if self.default is not None else self.help
        options: dict[str, Any] = {"help": shown or None}
        if self.is_flag:
            parser.add_argument(self.name, action="store_true", **options)
            return
        options |= {"metavar": self.metavar, "type": self.type, "choices": self.choices or None}
        if self.is_option:
            options |= {"default": self.default, "required": self.is_required, "dest": self.key}
        if self.is_repeatable:
            options |= {"action": "append"} if self.is_option else {"nargs": "*"}
        parser.add_argument(self.name, **options)


AS_JSON = Argument("--json", "Print JSON for a script.", is_flag=True)


@dataclass(frozen=True, slots=True)
class Verb:
    """A command, or one of its actions; what has actions takes nothing itself."""

    name: str
    help: str
    arguments: tuple[Argument, ...] = ()
    actions: tuple["Verb", ...] = ()
    examples: tuple[str, ...] = ()

    def add_to(self, parser: ArgumentParser) -> None:
        """Makes the parser of manage.py take what the verb takes."""
        for argument in self.arguments:
            argument.add_to(parser)
        if self.actions:
            actions = parser.add_subparsers(dest="action", required=True)
            for each in self.actions:
                each.add_to(actions.add_parser(each.name, help=each.help, description=each.help))
