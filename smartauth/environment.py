"""The values of all settings, read from the environment. An empty variable counts as one that is not set."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smartauth.setting_kinds import MissingExtra
from smartauth.settings_table import SETTINGS, Setting, Values

FROM_FILE = "_FILE"
MOST_BYTES_OF_A_FILE = 65_536
_LONGEST_SHOWN = 80


class SettingsRefused(ValueError):
    """Settings with which nothing may start: one line for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(f"smartauth: {problem}" for problem in problems))
        self.problems = problems


def read(environment: Mapping[str, str]) -> Values:
    """Raises SettingsRefused, naming everything that is wrong."""
    values, problems = Values(), []
    for setting in SETTINGS:
        try:
            text = _text(setting, environment)
        except UnusableFile as unusable:
            values[setting] = setting.default_value(values)
            problems.append(str(unusable))
            continue
        try:
            values[setting] = setting.kind.read(text) if text else setting.default_value(values)
        except ValueError as error:
            values[setting] = setting.default_value(values)
            problems.append(f"{setting.name} {error}." if isinstance(error, MissingExtra) else _misfit(setting, text))
    if problems or (problems := _unsafe(values)):
        raise SettingsRefused(problems)
    return values


def defaults() -> Values:
    """The values where no variable is set."""
    values = Values()
    for setting in SETTINGS:
        values[setting] = setting.default_value(values)
    return values


def read_or_exit(environment: Mapping[str, str]) -> Values:
    """Raises SystemExit with the lines of SettingsRefused: no server, worker or command starts, whatever started it."""
    try:
        return read(environment)
    except SettingsRefused as refused:
        raise SystemExit(str(refused)) from None


class UnusableFile(ValueError):
    """A variable names a file that holds no value."""


def _text(setting: Setting[Any], environment: Mapping[str, str]) -> str:
    """The variable's text, or that of the file which NAME_FILE names, as secrets of containers are given."""
    text, named = environment.get(setting.name, ""), f"{setting.name}{FROM_FILE}"
    path = environment.get(named, "") if setting.may_be_secret else ""
    if not path:
        return text
    if text:
        raise UnusableFile(f"{named} and {setting.name} are both set; one of them is enough.")
    return _content(named, Path(path))


def _content(named: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES_OF_A_FILE + 1).decode().strip()
    except OSError as error:
        raise UnusableFile(f"{named}: {str(path)!a} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise UnusableFile(f"{named}: {str(path)!a} is not UTF-8.") from None
    if not content or len(content) > MOST_BYTES_OF_A_FILE:
        raise UnusableFile(f"{named}: {str(path)!a} is {'too long' if content else 'empty'}.")
    return content


def _misfit(setting: Setting[Any], text: str) -> str:
    is_shown = setting.kind.shown and "@" not in text
    shown = ascii(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}...")
    return f"{setting.name} takes {setting.kind.takes}{f'; {shown} is none' if is_shown else ''}."


def _unsafe(values: Values) -> list[str]:
    return [
        f"{setting.name} is unsafe: {rule.unsafe.replace('`', '')}.{rule.advice and f' {rule.advice}'}"
        for setting in SETTINGS
        for rule in setting.rules
        if rule.is_broken and rule.is_broken(values)
    ]
