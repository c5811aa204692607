"""The authorization of a client without a person: one row a FHIR base and patient for all its tokens (BK-07)."""

import json
from typing import NamedTuple

from oauth.models import sql

# the unique index one_standing_authorization lets one of many first requests make the row, the others find it
_GET_OR_CREATE = """
INSERT INTO oauth_authorization (client_id, client_epoch, user_id, user_epoch, fhir_server_id, fhir_server_epoch,
    patient, context, scope, asked_scope, fhir_user, patient_vouched, auth_time, session_digest, session_ends_at, epoch,
    granted_at, ended_at, ended_for, token_address, use_address, used_at, used_from, flagged_at)
VALUES (%s, %s, NULL, 0, %s, %s, %s, %s, %s, '', '', 0, 0, '', 0, 0, %s, 0, '', '', NULL, 0, '', 0)
ON CONFLICT (client_id, fhir_server_id, patient, client_epoch, fhir_server_epoch) WHERE ended_at = 0 AND user_id IS NULL
DO UPDATE SET scope = EXCLUDED.scope, use_address = NULL
RETURNING id
"""


class Epochs(NamedTuple):
    """Those of the client and of the FHIR server, as they were read: what ends them ends the authorization."""

    client: int
    fhir_server: int


def get_or_create(client: int, fhir_server: int, epochs: Epochs, *, patient: str, scope: str, now: int) -> int:
    """The row that is usable, made where there is none; `scope` is what the operator allows today.

    The client has just proved itself, so the next use binds an address anew (PR-04).
    An operator may end it like any other. The next request makes a new one: what stops a client is disabling it.
    """
    context = json.dumps({"patient": patient} if patient else {})
    values: list[sql.Value] = [client, epochs.client, fhir_server, epochs.fhir_server, patient, context, scope, now]
    return int(sql.value(_GET_OR_CREATE, values))
