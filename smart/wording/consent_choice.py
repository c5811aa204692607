"""What a person leaves of the scopes by the lines that stay ticked (AZ-15, SCP-12)."""

from collections.abc import Collection, Mapping, Sequence

from smart.scopes.scope import LAUNCH_SCOPES
from smart.scopes.scope_sets import grantable_scope
from smart.wording.consent_line import TIME, ConsentLine


def chosen_scope(
    scope: str,
    choices: Sequence[ConsentLine],
    ticked: Collection[int],
    some: Mapping[int, Collection[int]] | None = None,
    *,
    types: frozenset[str],
) -> str:
    """What of the granted scopes the person leaves, as the app asked; "" when nothing is ticked (E31).

    `some` are the lines of which only the kinds of these numbers are allowed: the whole is then not granted (SCP-12).
    """
    partly = {line: kinds for line, kinds in (some or {}).items() if kinds}
    chosen = [line for line in choices if line.fixed or (line.number in ticked and line.number not in (some or {}))]
    time = [line for line in chosen if line.group == TIME][:1]
    chosen = [line for line in chosen if line.group != TIME]
    if any(line.group != TIME for line in choices) and not (chosen or partly):
        return ""
    allowed = {name for line in (*chosen, *time) for name in line.allows}
    allowed |= {kind.allows for line in choices for kind in line.kinds if kind.number in partly.get(line.number, ())}
    return grantable_scope(scope, " ".join((*LAUNCH_SCOPES, *sorted(allowed))), types=types)
