"""Run beside manage.py: makes both databases as an earlier state of the migrations left them, with rows of that state.

`first` is where every app has its first migration, `last` where each lacks its newest. Prints nothing.
"""

import json
import sys
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.hashers import make_password  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.db.migrations.executor import MigrationExecutor  # noqa: E402

from accounts import clock  # noqa: E402
from oauth.clients.secrets import client_secret_digest  # noqa: E402
from smart.digests import sha256_hex  # noqa: E402
from smart.time_units import SECOND  # noqa: E402

OURS = ("accounts", "audit", "fhir", "oauth")
BASE = "https://fhir.example.org/r4"
EVENT = "waits-for-the-upgrade"
TOKENS: dict[str, dict[str, Any]] = {
    "alive": {},
    "over": {"expires_at": 1},
    "taken back": {"revoked_at": 1, "revoked_for": "revoked by the app"},
}


def targets(state: str) -> list[tuple[str, str]]:
    graph = MigrationExecutor(connections["default"]).loader.graph
    found = []
    for app in OURS:
        (leaf,) = graph.leaf_nodes(app)
        older = [name for label, name in graph.forwards_plan(leaf) if label == app]
        found.append((app, older[0] if state == "first" else older[-2]))
    return found


def known(model: Any, **values: Any) -> Any:
    """A row with those of the values that the model had fields for."""
    fields = {field.attname for field in model._meta.concrete_fields}
    return model.objects.create(**{name: value for name, value in values.items() if name in fields})


def fill(apps: Any) -> None:
    """A FHIR server, who introspects for it, a person, an app with three tokens and a refresh token, an event."""
    now = clock.now()
    model = apps.get_model
    fhir_server = known(model("oauth", "FhirServer"), base=BASE, name="The older clinic")
    person = known(model("accounts", "User"), username="amy", name="Amy", password=make_password("correct horse"))
    identity = known(
        model("oauth", "FhirIdentity"), user_id=person.pk, fhir_server_id=fhir_server.pk, resource="Patient/amy"
    )
    record = known(model("oauth", "PatientRecord"), fhir_server_id=fhir_server.pk, patient="amy", name="Amy")
    known(model("oauth", "ActsFor"), identity_id=identity.pk, record_id=record.pk)
    client = model("oauth", "Client")
    digest = client_secret_digest("the-clinic", "its secret")
    asking = known(
        client, client_id="the-clinic", name="Clinic", authentication="secret", secret_digest=digest, grants=""
    )
    role = "ResourceServer" if "resourceserver" in apps.all_models["oauth"] else "ResourceServerRole"
    known(model("oauth", role), client_id=asking.pk, fhir_server_id=fhir_server.pk)
    app = known(
        client, client_id="an-app", name="App", authentication="none", scope="patient/*.rs offline_access",
        grants="authorization_code refresh_token",
    )  # fmt: skip
    app.fhir_servers.add(fhir_server.pk)
    authorization = known(
        model("oauth", "Authorization"), client_id=app.pk, user_id=person.pk, fhir_server_id=fhir_server.pk,
        patient="amy", scope="patient/*.rs offline_access", client_epoch=0, granted_at=now,
    )  # fmt: skip
    claims = {
        "active": True, "token_type": "Bearer", "iss": settings.SMARTAUTH_ISSUER, "aud": BASE, "patient": "amy",
        "client_id": "an-app", "sub": person.subject, "scope": "patient/*.rs offline_access",
        "iat": now // SECOND, "exp": now // SECOND + 600,
    }  # fmt: skip
    for name, differs in TOKENS.items():
        times = {"issued_at": now, "expires_at": now + 600 * SECOND}
        known(
            model("oauth", "AccessToken"), authorization_id=authorization.pk, digest=sha256_hex(name), jti=name,
            authorization_epoch=0, scope="patient/*.rs", claims=json.dumps(claims), **{**times, **differs},
        )  # fmt: skip
    known(
        model("oauth", "RefreshToken"), authorization_id=authorization.pk, digest=sha256_hex("refresh"),
        authorization_epoch=0, issued_at=now, expires_at=now + 600 * SECOND,
    )  # fmt: skip
    known(model("audit", "OutboxEvent"), event_id=EVENT, kind="issued", at=now, client="an-app")


def main(state: str) -> None:
    wanted = targets(state)
    executor = MigrationExecutor(connections["default"])
    fill(executor.migrate(wanted).apps)
    (audit,) = [name for app, name in wanted if app == "audit"]
    call_command("migrate", "audit", audit, database="audit", verbosity=0)
    ahead = MigrationExecutor(connections["default"])
    left = {migration.app_label for migration, _ in ahead.migration_plan(ahead.loader.graph.leaf_nodes())}
    assert left >= {"accounts", "fhir", "oauth"}, left


if __name__ == "__main__":
    main(sys.argv[1])
