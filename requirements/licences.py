"""The licences of what smartauth needs, as SPDX expressions: `make licences` writes docs/licences.md."""

from importlib.metadata import metadata
from pathlib import Path

from cyclonedx.spdx import fixup_id, is_expression

from requirements.lock import Lock

PAGE = Path(__file__).resolve().parent.parent / "docs/licences.md"
HEAD = "| Package | Licence | Comes with |\n|---|---|---|\n"

# Of those whose metadata name none exactly, read in the licence files that they bring.
READ = {
    "amqp": "BSD-3-Clause",
    "async-timeout": "Apache-2.0",
    "billiard": "BSD-3-Clause",
    "click-plugins": "BSD-3-Clause",
    "django-csp": "BSD-3-Clause",
    "django-oauth-toolkit": "BSD-2-Clause",
    "markdown-it-py": "MIT",
    "mdurl": "MIT",
    "prompt-toolkit": "BSD-3-Clause",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "sqlparse": "BSD-3-Clause",
    "uvloop": "MIT OR Apache-2.0",
    "vine": "BSD-3-Clause",
    "wcwidth": "MIT",
}


def licence(name: str) -> str:
    """The SPDX expression of an installed package. Raises KeyError for one that nobody has read."""
    return declared(name) or READ[name]


def declared(name: str) -> str:
    """What the package itself says exactly, or ""."""
    said = metadata(name).json
    expression = str(said.get("license_expression") or said.get("license") or "")
    return fixup_id(expression) or (expression if " " in expression and is_expression(expression) else "")


def table() -> str:
    """One row a package of requirements/base.txt, as Markdown."""
    lock = Lock()
    rows = (
        f"| {name} | {licence(name)} | {', '.join(f'extra `{extra}`' for extra in lock.extras_of(name))} |\n"
        for name in lock.packages
    )
    return HEAD + "".join(rows)


def page() -> str:
    """The page with the table of today; what stands above the table is written by hand."""
    above, head, _ = PAGE.read_text(encoding="utf-8").partition(HEAD)
    return above + (head and table())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
