"""What a resource server hears of the person: `fhirUser` (IN-04), and for user/ scopes the patients (SD-24, US-05).

Computed when the token is issued, so it is as old as the token, at most: a refresh asks again.
"""

from typing import Annotated, Any, NamedTuple

from oauth.models import sql
from oauth.tokens.authorization_state import AuthorizationState
from smart.openid import standard_claims
from smart.scopes.scope_sets import parse_scopes

MOST = 10_000  # of more patients no list is told, and a server that needs one shows nothing


class ListedPatient(NamedTuple):
    """A patient that the person may act for."""

    patient: Annotated[str, "p.patient"]


_PATIENTS = sql.select(
    ListedPatient,
    """
FROM oauth_actsfor f
JOIN oauth_fhiridentity i ON i.id = f.identity_id
JOIN oauth_patientrecord p ON p.id = f.record_id
WHERE i.user_id = %s AND i.fhir_server_id = %s AND p.fhir_server_id = %s
ORDER BY p.patient LIMIT %s
""",
)


def person_claims(authorization: AuthorizationState, scope: str) -> dict[str, Any]:
    """Members of the introspection answer alone: the app learns neither, and the list has no room in a token."""
    if "user/" not in scope and standard_claims.OPENID not in scope:
        return {}
    scopes = parse_scopes(scope)
    fhir_user = {"fhirUser": authorization.fhir_user_url} if authorization.fhir_user else {}
    if any(part.context == "user" for part in scopes):
        return {**fhir_user, **patient_list(authorization)}
    return fhir_user if standard_claims.has_fhir_user(scopes) else {}


def patient_list(authorization: AuthorizationState) -> dict[str, list[str]]:
    """The patients that the person may act for; nothing where they are too many to be told."""
    server = authorization.fhir_server_pk
    found = sql.many(_PATIENTS, [authorization.user_pk, server, server, MOST + 1])
    return {"__patients": [row.patient for row in found]} if len(found) <= MOST else {}
