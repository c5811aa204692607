"""What a test token may be ordered to be: the members of `POST /dev/tokens`, each with its type and its sentence.

The JSON door and its OpenAPI description, the form, the command and the pytest plugin read them here.
"""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple, TypedDict, get_args, get_type_hints

DEFAULT_SCOPE = "launch/patient patient/*.rs"


class Launch(TypedDict, total=False):
    """What a launch would settle; what is left out is as the server has it, None is as if it were left out."""

    client: Annotated[str, "The client, such as demo-public."]
    user: Annotated[str | None, "The person, such as amy; left out for a backend service."]
    patient: Annotated[str, 'FHIR id; may be left out for who has only one; "" for no patient.']
    scope: Annotated[str, f"As an app would ask; default: {DEFAULT_SCOPE}, of a service all it may."]
    aud: Annotated[str, "The FHIR base; may be left out for a client of only one."]


class Order(Launch, total=False):
    """And what is to be otherwise in a good token, or brought by the header of a bad one."""

    listener: Annotated[str, "Where a header that brings a key leads to (jku, x5u, kid-url)."]
    claims: Annotated[Mapping[str, object], "Claims to set in a good token."]
    without: Annotated[list[str], "Claims to take away from a good token."]
    header: Annotated[Mapping[str, object], "Members to set in the header of a good token."]
    lifetime: Annotated[int, "Seconds to live, bad ones too."]


class OrderOfAnyKind(Order, total=False):
    """An order that says which kind of the catalogue it is for."""

    bad: Annotated[str, "A token that is wrong in this way; left out for a good one."]


class Member(NamedTuple):
    """A member of an order: its JSON Schema, and what it means."""

    schema: Mapping[str, Any]
    sentence: str


_TEXT = {"type": "string"}
_SCHEMAS: Mapping[Any, Mapping[str, Any]] = {
    str: _TEXT,
    str | None: _TEXT,
    int: {"type": "integer"},
    list[str]: {"type": "array", "items": _TEXT},
    Mapping[str, object]: {"type": "object"},
}


def _member(hint: Any) -> Member:
    value, sentence = get_args(hint)
    return Member(_SCHEMAS[value], sentence)


MEMBERS: Mapping[str, Member] = {
    name: _member(hint) for name, hint in get_type_hints(OrderOfAnyKind, include_extras=True).items()
}
LAUNCH = tuple(Launch.__annotations__)
TEXTS = tuple(name for name, member in MEMBERS.items() if member.schema is _TEXT)
CHANGES = tuple(name for name in MEMBERS if name not in TEXTS)
