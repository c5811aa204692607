"""`manage.py doctor`: what is wrong with this installation, one line each with the mend."""

import json
import sys
from typing import Any

from oauth.management.verb_command import VerbCommand
from operators.doctor.problem import Check, Problem
from operators.doctor.table import examine
from operators.management.verbs import DOCTOR

FOUND = 1  # exit status


class Command(VerbCommand):
    """Nothing is changed by it."""

    verb = DOCTOR

    def handle(self, **options: Any) -> None:
        rows = list(examine())
        if options["json"]:
            self.stdout.write(json.dumps({"checks": [_members(*row) for row in rows]}, indent=2))
        else:
            self.stdout.write("\n".join(line for row in rows for line in _lines(*row)))
        if any(problems for _, _, problems in rows):
            sys.exit(FOUND)


def _members(check: Check, skipped: str, problems: list[Problem]) -> dict[str, Any]:
    found = [{"what": each.what, "mend": each.mend} for each in problems]
    return {"check": check.name, "problems": found, **({"skipped": skipped} if skipped else {})}


def _lines(check: Check, skipped: str, problems: list[Problem]) -> list[str]:
    if skipped:
        return [f"{'-':8}{check.name:16}{skipped}"]
    if not problems:
        return [f"{'good':8}{check.name:16}{check.title}"]
    return [f"{'WRONG':8}{check.name:16}{each.what}; {each.mend}" for each in problems]
