"""What a person may do here by what they are: no `user/` scope lets an app do more than its user may (US-03)."""

from collections.abc import Container
from dataclasses import replace

from smart.decisions.subject import Subject
from smart.scopes.scope import Scope

_WRITING = frozenset("cud")


def within_role(subject: Subject, writers: Container[str]) -> Subject:
    """By `user/` scopes those write whose own resource is of these types. Anybody else reads what the scopes allow."""
    if subject.own_record and subject.own_record[0] in writers:
        return subject
    return subject._replace(scopes=tuple(map(_reading, subject.scopes)))


def _reading(scope: Scope) -> Scope:
    return replace(scope, actions=scope.actions - _WRITING) if scope.context == "user" else scope
