"""One access, one event: recorded where a request is done, before its answer leaves (SD-10; docs/fhir-server.md).

What an event holds: references, ids and addresses; never a token, a name, what was searched for, or content.
"""

from typing import Any

from fhir import clock
from fhir.audit.outbox import new_row, record
from fhir.http.answer import Answer
from fhir.http.interaction import Asked, Caller
from fhir.models import Record
from smart.fhir.id import is_fhir_id
from smart.fhir.versions import resource_types

LONGEST = 200  # characters of what the authorization server says of client and person


def record_access(caller: Caller, asked: Asked, answer: Answer) -> None:
    """An interaction that was done, with every record that it showed or made."""
    shown = [[reference(record), record.pk] for record in answer.records]
    told = {"status": answer.status, "records": shown, "is_written": answer.is_written}
    record([new_row({**_facts(caller, asked), **told})])


def record_refusal(caller: Caller, asked: Asked, status: int) -> None:
    """What a token was refused. Nobody looks whether there is such a record."""
    record([new_row({**_facts(caller, asked), "status": status})])


def reference(record: Record) -> str:
    """The version that was shown or made."""
    return f"{record.type}/{record.resource_id}/_history/{record.number}"


def _facts(caller: Caller, asked: Asked) -> dict[str, Any]:
    subject = caller.reach.subject
    return {
        "version": caller.version.key,
        "base": caller.base,
        "at": clock.now(),
        "address": caller.address,
        "interaction": asked.interaction,
        "client": _claim(caller, "client_id"),
        "person": "" if subject.is_backend else _claim(caller, "sub"),
        "own_record": "/".join(subject.own_record or ()),
        "patient": subject.patient,
        "target": _target(caller, asked),
    }


def _target(caller: Caller, asked: Asked) -> str:
    """What the URL names: a resource, or the patient in whose compartment is searched."""
    path = asked.path
    if path.compartment:
        return f"Patient/{path.compartment}" if is_fhir_id(path.compartment) else ""
    is_named = path.type in resource_types(caller.version.key) and is_fhir_id(path.id)
    return f"{path.type}/{path.id}" if is_named else ""


def _claim(caller: Caller, name: str) -> str:
    """As every database takes it: no half characters, no NUL."""
    text = str(caller.claims.get(name, ""))[:LONGEST].replace("\0", "")
    return text.encode("utf-8", "replace").decode()
