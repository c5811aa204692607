"""Why a FHIR server must refuse a token although it was called active: worked out where rows are shown."""

from collections.abc import Iterable
from dataclasses import replace

from oauth.models import Client
from oauth.workbench.console.harmless import CUT
from oauth.workbench.console.row import Row
from smart.fhir.audience import is_same_audience
from smartauth_probe.catalogue import kinds

Bases = dict[str, list[str]]


def with_duties(rows: Iterable[Row]) -> list[Row]:
    """The rows; those of active tokens that must be refused say why. One statement where there are any active ones."""
    found = list(rows)
    askers = {row.asker for row in found if row.is_active}
    bases = _protected_bases(askers) if askers else {}
    return [replace(row, reason=_duty(row, bases)) if row.is_active else row for row in found]


def _protected_bases(askers: set[str]) -> Bases:
    found: Bases = {}
    protected = Client.objects.filter(client_id__in=askers, protects__isnull=False)
    for asker, base in protected.values_list("client_id", "protects__fhir_server__base"):
        found.setdefault(asker, []).append(base)
    return found


def _duty(row: Row, bases: Bases) -> str:
    """What follows from the kind that was minted here, and from what introspection said of the token (RFC 9068 §4)."""
    kind = kinds().get(row.kind)
    if kind and not kind.is_good:
        statuses = " or ".join(map(str, sorted(kind.answer.statuses)))
        return f"A bad token, {kind.name} ({kind.id}): the FHIR server must answer {statuses}"
    if not row.audiences:
        return "It names no aud: the FHIR server must refuse it (TV-14)"
    if not _is_meant_for(row.audiences, bases.get(row.asker, [])):
        return f"Its aud is no base that {row.asker} protects: the FHIR server must refuse it (TV-07)"
    return "" if row.has_scope else "It has no scope: the FHIR server must refuse what is asked with it (TV-14)"


def _is_meant_for(audiences: tuple[str, ...], bases: list[str]) -> bool:
    """Of a name that was cut, or an asker whose bases are not known, nothing is said."""
    unknown = not bases or any(CUT in name for name in audiences)
    return unknown or any(is_same_audience(name, base) for name in audiences for base in bases)
