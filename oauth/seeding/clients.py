"""Clients: what they may ask, how they prove themselves, for which FHIR servers they are the resource server."""

from collections.abc import Collection
from typing import Any

from oauth.clients.secrets import client_secret_digest
from oauth.models import Client, FhirServer, ResourceServerRole
from oauth.registration import clients
from oauth.seeding.outcome import Outcome, fhir_server_at, find_row, save_fields, set_fields
from oauth.seeding.schema import SeedError
from smart.digests import random_token

LISTS = ("redirect_uris", "launch_urls", "post_logout_redirect_uris", "allowed_origins", "grants")
ELSEWHERE = {"secret", "jwks_file", "launch_url", "fhir_servers", "protects", *LISTS}
KEYS = {"jwks": "jwks_file"}  # what a field of the row is called in the file


def save_client(entry: dict[str, Any], path: str, outcome: Outcome) -> None:
    """One entry of `clients`. The secret is the first one: it is set when there is none and never again."""
    client_id = entry["client_id"]
    row = find_row(Client.objects, client_id=client_id) or Client(client_id=client_id)
    added, before = row.pk is None, _lists(row)
    changed = set_fields(row, _values(entry, path, outcome))
    fhir_servers = _fhir_servers(row, entry, path)
    names = {**KEYS, "launch_urls": "launch_url"} if "launch_url" in entry else KEYS
    SeedError.refuse(clients.problems(row, fhir_servers), path, entry, names)
    save_fields(row, changed)
    changed += _assign_secret(row, entry, path, outcome)
    changed += _save_fhir_servers(row, fhir_servers)
    changed += _save_protects(row, entry, path)
    outcome.record_change(f"client {client_id}", added, changed, client=client_id)
    for name, values in ({} if added else _lists(row)).items():
        outcome.record_difference(f"{name} of client {client_id}", before[name], values)
    warnings = clients.warnings(row, fhir_servers, list(row.protects.all()))
    outcome.warnings += [f"{path}.{field}: {one}" for field, every in warnings.items() for one in every]


def _lists(row: Client) -> dict[str, set[str]]:
    """What its lists hold today, by the keys of the file: of FHIR servers the bases."""
    if row.pk is None:
        return {}
    reached = row.fhir_servers.values_list("base", flat=True)
    protected = row.protects.values_list("fhir_server__base", flat=True)
    texts = {name: set(getattr(row, name).split()) for name in LISTS}
    return {**texts, "fhir_servers": set(reached), "protects": set(protected)}


def _values(entry: dict[str, Any], path: str, outcome: Outcome) -> dict[str, Any]:
    values = {name: value for name, value in entry.items() if name not in ELSEWHERE}
    values |= {name: " ".join(entry[name]) for name in LISTS if name in entry}
    if "launch_url" in entry:
        if "launch_urls" in entry:
            raise SeedError(
                f"{path}.launch_url", "is the short form of launch_urls with one address; write one of them"
            )
        values["launch_urls"] = entry["launch_url"]
    if "jwks_file" in entry:
        values["jwks"] = _jwks(entry["jwks_file"], f"{path}.jwks_file", outcome)
    return values


def _jwks(name: str, path: str, outcome: Outcome) -> str:
    try:
        return clients.compact_jwks((outcome.folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SeedError(path, f"{name} cannot be read: {error}") from None


def _assign_secret(row: Client, entry: dict[str, Any], path: str, outcome: Outcome) -> list[str]:
    if "secret" in entry and (problem := clients.secret_problem(row, entry["secret"], demo=outcome.demo)):
        raise SeedError(f"{path}.secret", problem)
    if row.authentication != Client.Authentication.SECRET or row.secret_digest:
        return []
    secret = entry.get("secret") or random_token()
    if "secret" not in entry:
        outcome.secrets[row.client_id] = secret
    row.secret_digest = client_secret_digest(row.client_id, secret)
    row.save(update_fields=["secret_digest"])
    return ["secret"]


def _fhir_servers(row: Client, entry: dict[str, Any], path: str) -> list[FhirServer]:
    """Those that the file lists, else those that it may reach today."""
    if "fhir_servers" not in entry:
        return list(row.fhir_servers.all()) if row.pk else []
    listed = [fhir_server_at(base, f"{path}.fhir_servers[{at}]") for at, base in enumerate(entry["fhir_servers"])]
    return list(dict.fromkeys(listed))


def _save_fhir_servers(row: Client, wanted: Collection[FhirServer]) -> list[str]:
    if set(wanted) == set(row.fhir_servers.all()):
        return []
    row.fhir_servers.set(wanted)
    return ["fhir_servers"]


def _save_protects(row: Client, entry: dict[str, Any], path: str) -> list[str]:
    """Exactly these roles: one that is no longer listed is taken away."""
    if "protects" not in entry:
        return []
    if entry["protects"] and (problem := clients.resource_server_problem(row)):
        raise SeedError(f"{path}.protects", problem)
    before = {role.fhir_server: role for role in row.protects.select_related("fhir_server")}
    changed: list[str] = []
    for place, role in enumerate(entry["protects"]):
        base = fhir_server_at(role["fhir_server"], f"{path}.protects[{place}].fhir_server")
        known = before.pop(base, None)
        found = known or ResourceServerRole(client=row, fhir_server=base)
        fields = set_fields(found, {"tells_addresses": role.get("tells_addresses", 0)})
        save_fields(found, fields)
        changed += fields if known else ["protects"]
    ResourceServerRole.objects.filter(pk__in=[role.pk for role in before.values()]).delete()
    return ["protects"] if changed or before else []
