"""The table of docs/settings.md, made from the settings: `make settings` writes it."""

from pathlib import Path
from typing import Any

from smartauth.environment import defaults
from smartauth.settings_table import SETTINGS, Rule, Setting, Values

PAGE = Path(__file__).resolve().parent.parent / "docs/settings.md"
HEAD = "| Variable | Default | Takes | Meaning | Unsafe |\n|---|---|---|---|---|\n"


def table() -> str:
    """One row a setting, as Markdown."""
    values = defaults()
    return HEAD + "".join(_row(setting, values) for setting in SETTINGS)


def page() -> str:
    """The page with the table of today; what stands above the table is written by hand."""
    above, head, _ = PAGE.read_text(encoding="utf-8").partition(HEAD)
    return above + (head and table())


def _row(setting: Setting[Any], values: Values) -> str:
    default = setting.default_text or f"`{_default_text(values[setting])}`"
    takes = setting.kind.short or setting.kind.takes
    unsafe = "; ".join(map(_rule, setting.rules))
    return f"| `{setting.name}` | {default} | {takes} | {setting.text} | {unsafe} |\n"


def _default_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _rule(rule: Rule) -> str:
    return rule.unsafe if rule.is_broken else f"{rule.unsafe} (not checked)"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
