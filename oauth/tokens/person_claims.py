"""What a resource server is told of the person: who he is (IN-04), and for user/ scopes whom he may see (SD-24, US-05).

Computed when the token is issued, so it is as old as the token, at most: a refresh asks again.
"""

from typing import Any

from django.db import connection

from oauth.tokens.authorization_state import AuthorizationState
from smart.openid import standard_claims
from smart.scopes.scope_sets import parse_scopes

MOST = 10_000  # of more patients no list is told, and a server that needs one shows nothing

_SEEN = """
SELECT p.patient FROM oauth_actsfor f
JOIN oauth_fhiridentity i ON i.id = f.identity_id
JOIN oauth_patientrecord p ON p.id = f.record_id
WHERE i.user_id = %s AND i.fhir_server_id = %s AND p.fhir_server_id = %s
ORDER BY p.patient LIMIT %s
"""


def person_claims(grant: AuthorizationState, scope: str) -> dict[str, Any]:
    """Members of the introspection answer alone: the app learns neither, and the list has no room in a token."""
    if "user/" not in scope and standard_claims.OPENID not in scope:
        return {}
    scopes, himself = parse_scopes(scope), {"fhirUser": grant.fhir_user_url} if grant.fhir_user else {}
    if not any(part.context == "user" for part in scopes):
        return himself if standard_claims.has_fhir_user(scopes) else {}
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, [grant.user_pk, grant.fhir_server_pk, grant.fhir_server_pk, MOST + 1])
        patients = [patient for (patient,) in cursor.fetchall()]
    return {**himself, **({"__patients": patients} if len(patients) <= MOST else {})}
