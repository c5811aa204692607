"""What a person may do here by what they are: no `user/` scope lets an app do more than its user may (US-03)."""

from collections.abc import Container
from dataclasses import replace

from smart.decisions.subject import Subject
from smart.scopes.scope import WRITING, Scope


def within_role(subject: Subject, writers: Container[str]) -> Subject:
    """By `user/` scopes those write whose own resource is of these types. Anybody else reads what the scopes allow."""
    if subject.own_record and subject.own_record[0] in writers:
        return subject
    return subject._replace(scopes=tuple(map(_reading, subject.scopes)))


def _reading(scope: Scope) -> Scope:
    is_narrowed = scope.context == "user" and scope.actions & WRITING  # most only read, and every request comes here
    return replace(scope, actions=scope.actions - WRITING) if is_narrowed else scope
