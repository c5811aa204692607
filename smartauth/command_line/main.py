"""Where the command `smartauth` begins: what would mislead it is refused before anything of Django is loaded."""

import os
import sys

from smartauth.command_line.arguments import exit_if_not_utf_8
from smartauth.command_line.own_packages import NAMES, misplaced_files
from smartauth.command_line.program import program

MOST_SHOWN = 5
FOREIGN = """\
smartauth: other packages of this environment stand where its own should be:
{files}
smartauth brings packages with everyday names ({names}), so it needs an environment of its own: \
pipx, `uv tool`, a container. If the file lies in this folder: another folder.
For tests in your own environment there is smartauth-probe, which brings none of them."""


def main() -> None:
    """Exit status: 0, 1 where something failed, 2 where it was called in a wrong way."""
    exit_if_not_utf_8(sys.argv, "smartauth")
    refuse_foreign_packages()
    program(prog_name="smartauth", color=False if os.environ.get("NO_COLOR") else None)


def refuse_foreign_packages() -> None:
    """Exits where something else would be imported under our names."""
    if found := misplaced_files():
        files = "\n".join(f"    {file}" for file in found[:MOST_SHOWN])
        raise SystemExit(FOREIGN.format(files=files, names=", ".join(NAMES)))
