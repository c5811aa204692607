"""Answers of several types: of the system, of a compartment, and all that is kept of a patient (FHIR http, search)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from fhir.http import bundle
from fhir.http.answer import Answer
from fhir.http.interaction import Interaction
from fhir.operation_outcome import BadRequest, TypeNotServed
from fhir.search.everything import parse_everything
from fhir.search.query import parse_history, parse_search
from fhir.store import lookup, several
from fhir.versions.version import ResourceType
from smart.decisions.view import View
from smart.fhir.definitions import SearchParameter


def search(allowed: Interaction) -> Answer:
    """A searchset of the types that are open, by parameters that all of them have (SR-02, SR-03, SR-18)."""
    version, caller, below = allowed.version, allowed.caller, allowed.path.below
    views = _served(allowed, allowed.decision.views)
    common = replace(version.of_several, parameters=_common(version.types[name] for name in views))
    asked = allowed.asked.parameters
    search = parse_search(asked, common, version, caller.base, caller.claims, strict=True, below=below)
    if search.includes:
        raise BadRequest("Of several types nothing is included.")
    page = several.search_types(version, views, search)
    return Answer(bundle.searchset(page, [], search, _url(allowed), allowed.base), records=page.records)


def history(allowed: Interaction) -> Answer:
    """The versions of all resources that may be seen (IX-11, HV-03)."""
    search = parse_history(allowed.asked.parameters, allowed.caller.claims, allowed.path.below)
    page = several.find_system_history(allowed.version, _served(allowed, allowed.decision.views), search)
    return Answer(bundle.history(page, search, _url(allowed), allowed.base), records=page.records)


def everything(allowed: Interaction) -> Answer:
    """What is kept of a patient, or of all that the token reaches, as far as its scopes go (FO-01 to FO-03)."""
    patient, matched = allowed.path.compartment, allowed.decision.matched
    if patient:
        lookup.find_record(allowed.version, "Patient", patient, matched["Patient"])
    search = parse_everything(allowed.asked.parameters, allowed.caller.claims, allowed.path.below)
    page = several.find_everything(allowed.version, _served(allowed, allowed.decision.views), matched, search)
    return Answer(bundle.searchset(page, [], search, _url(allowed), allowed.base), records=page.records)


def _served(allowed: Interaction, views: Mapping[str, View]) -> dict[str, View]:
    found = {name: view for name, view in views.items() if name in allowed.version.types}
    if not found:
        raise TypeNotServed
    return found


def _common(types: Iterable[ResourceType]) -> dict[str, SearchParameter]:
    """Parameters that each type has, of one kind: by these all can be searched at once (FHIR search, all types)."""
    first, *others = types
    kinds = {name: one.type for name, one in first.parameters.items()}
    for each in others:
        kinds = {
            name: kind for name, kind in kinds.items() if name in each.parameters and each.parameters[name].type == kind
        }
    return {name: first.parameters[name] for name in kinds}


def _url(allowed: Interaction) -> str:
    return "/".join(filter(None, (allowed.base, allowed.path.below)))
