"""What this server does once a request is allowed: the handler of each interaction."""

from collections.abc import Callable, Mapping

from fhir.http import reading, several, writing
from fhir.http.answer import Answer
from fhir.http.interaction import Interaction
from smart.decisions.interactions import EVERYTHING

HANDLERS: Mapping[str, Callable[[Interaction], Answer]] = {
    "read": reading.read,
    "vread": reading.vread,
    "history-instance": reading.history,
    "history-type": reading.history,
    "search-type": reading.search_type,
    "search-system": several.search,
    "search-compartment": several.search,
    "history-system": several.history,
    EVERYTHING: several.everything,
    "create": writing.create,
    "update": writing.update,
    "patch": writing.patch,
    "delete": writing.delete,
}
