"""What a FHIR server heard here, as words for the checklist: half of a step, since nobody saw what it did then."""

from collections.abc import Mapping

from oauth.models import FhirServer, ResourceServerRole
from oauth.workbench.memory.told import ANY_BASE, Told, Topic, told

SENTENCES: Mapping[Topic, str] = {
    Topic.GOOD: "Told, not seen: it heard here that a token is good. It must then answer 200.",
    Topic.NOT_ACTIVE: "Told, not seen: it asked about a bad token{kind} and heard that it is not active, {times}. "
    "It must then answer 401.",
    Topic.SOME_RECORDS: "Told, not seen: it heard here which records alone a token opens. "
    "It must answer 404 to the others.",
}


def told_to(server: FhirServer) -> Mapping[Topic, Told]:
    """The newest of each topic that one of its clients heard.

    About a token that is not known here no base is named: that counts where its client asks for this server alone.
    """
    found: dict[Topic, Told] = {}
    for client_id, has_one in _callers(server):
        for topic in Topic:
            heard = [told(client_id, base, topic) for base in (server.base, *([ANY_BASE] if has_one else []))]
            newest = max(filter(None, [*heard, found.get(topic)]), key=lambda each: each.at, default=None)
            if newest is not None:
                found[topic] = newest
    return found


def callers_of_it_alone(server: FhirServer) -> list[str]:
    """The clients that ask for it and for no other FHIR server."""
    return [client_id for client_id, has_one in _callers(server) if has_one]


def sentence(topic: Topic, heard: Told) -> str:
    """What it heard, and what it must have done."""
    times = "once" if heard.number == 1 else f"{heard.number} times"
    return SENTENCES[topic].format(kind=f" ({heard.kind})" if heard.kind else "", times=times)


def _callers(server: FhirServer) -> list[tuple[str, bool]]:
    """The clients that ask for it, and whether that is the only one that they ask for."""
    ids = server.resource_servers.values_list("client_id", flat=True)
    bases: dict[str, set[int]] = {}
    of_them = ResourceServerRole.objects.filter(client_id__in=ids).values_list("client__client_id", "fhir_server_id")
    for client_id, base in of_them:
        bases.setdefault(client_id, set()).add(base)
    return [(client_id, len(protected) == 1) for client_id, protected in bases.items()]
