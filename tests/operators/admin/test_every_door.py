"""What may not be registered is refused at every door, at the same field and in the same words (oauth/registration)."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from joserfc.jwk import ECKey, RSAKey

from tests.operators.admin.conftest import Operator, hidden

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

Found = set[tuple[str, str]]
Row = dict[str, Any]
EC: Row = {**ECKey.generate_key("P-384").as_dict(private=False), "kid": "ec"}
RSA: Row = {**RSAKey.generate_key(2048).as_dict(private=False), "kid": "rsa"}
SMALL_EC = ECKey.generate_key("P-256").as_dict(private=False)
NEXT_YEAR = str(datetime.now(tz=UTC).year + 1)


def keys(**members: Any) -> str:
    """A set with one key, changed like this."""
    return json.dumps({"keys": [{**EC, **members}]})


# The doors ------------------------------------------------------------------------------------------------------------


@dataclass
class Doors:
    """Each brings a row and returns what was refused: field and sentence."""

    operator: Operator
    folder: Path
    base: str

    def form(self, path: str, filled: Row, **query: str) -> Found:
        page = self.operator.browser.post(f"/admin/{path}", filled, QUERY_STRING="&".join(map("=".join, query.items())))
        assert page.status_code == 200, "the form was taken"
        forms = [page.context["adminform"].form]
        forms += [form for formset in page.context["inline_admin_formsets"] for form in formset.formset.forms]
        return {
            (field, sentence) for form in forms for field, every in form.errors.items() for sentence in map(str, every)
        }

    def seed(self, section: str, *rows: Row, **more: Any) -> Found:
        file = self.folder / "seed.yaml"
        file.write_text(json.dumps({**more, section: rows}), encoding="utf-8")
        with pytest.raises(CommandError) as refused:
            call_command("seed", str(file))
        lines = str(refused.value).removeprefix("seed.yaml: ").removesuffix(" Nothing was written.").split("\n")
        found = [
            re.fullmatch(r"[a-z_]+\[\d+\](?:\.[a-z_]+\[\d+\])*\.([a-z_]+)(?:\[\d+\])?: (.*)", one) for one in lines
        ]
        assert all(found), lines
        return {(match[1], match[2]) for match in found if match}


@pytest.fixture
def doors(operator: Operator, tmp_path: Path, other_fhir_server: Any) -> Doors:
    return Doors(operator, tmp_path, other_fhir_server.base)


@pytest.fixture
def nothing_new() -> Any:
    """Nothing of what is refused is written."""
    from accounts.models import User
    from oauth.models import Client, FhirServer, PatientRecord

    tables = (Client.objects, FhirServer.objects, PatientRecord.objects, User.objects.get_queryset())
    before = [table.count() for table in tables]
    yield
    assert [table.count() for table in tables] == before


# Clients --------------------------------------------------------------------------------------------------------------

APP = {
    "authentication": "none",
    "redirect_uris": ["https://app.example.org/cb"],
    "scope": "launch/patient patient/*.rs",
}
KINDS: dict[str, Row] = {
    "public": APP,
    "keys": {**APP, "authentication": "keys", "jwks": keys()},
    "secret": {**APP, "authentication": "secret"},
    "backend": {"authentication": "keys", "grants": ["client_credentials"], "scope": "system/*.rs", "jwks": keys()},
}
LISTS = ("redirect_uris", "post_logout_redirect_uris", "allowed_origins")
UNSAFE = "has a control character or one that changes the direction of text."
OPENID = {"profile": "openid", "scope": "openid"}
NO_POINT = "Key ec cannot be used: x and y are no point on P-384."
NO_PROOF = "None of these keys can prove a client here: it takes RSA for RS384 or EC on P-384 for ES384."
PRIVATE = "Key ec holds a private or shared key; only public keys may be registered. Treat it as stolen."
URI = "https://app.example.org/cb"


def uri(value: str, problem: str, field: str = "redirect_uris") -> tuple[str, Row, str, str]:
    return "public", {field: [value]}, field, f"{value}: {problem}."


def origin(value: str) -> tuple[str, Row, str, str]:
    return uri(value, "must be https://host, without a path, as a browser sends it", "allowed_origins")


def launch_url(value: str, problem: str) -> tuple[str, Row, str, str]:
    """Beside one that is as it should be."""
    return "public", {"launch_urls": [f"{URI}/launch", value]}, "launch_urls", f"{value}: {problem}."


def scope(value: str, problem: str, kind: str = "public", **more: Any) -> tuple[str, Row, str, str]:
    return kind, {"scope": value, **more}, "scope", problem


CLIENTS: dict[str, tuple[str, Row, str, str]] = {
    "name of blanks": ("public", {"name": "\u3000\u2003"}, "name", "is missing."),
    "invisible name": ("public", {"name": "\u200b\u3164"}, "name", "has no character that can be seen."),
    "turned name": ("public", {"name": "Good\u202eppA"}, "name", UNSAFE),
    "isolated name": ("public", {"name": "Good\u2066ppA"}, "name", UNSAFE),
    "name with NUL": ("public", {"name": "Good\0App"}, "name", UNSAFE),
    "name of two lines": ("public", {"name": "Good\u2028App"}, "name", UNSAFE),
    "long name": ("public", {"name": "n" * 201}, "name", "is longer than 200 characters."),
    "turned maker": ("public", {"maker": "\u202eme"}, "maker", UNSAFE),
    "long maker": ("public", {"maker": "m" * 201}, "maker", "is longer than 200 characters."),
    "code": uri(f"{URI}?code=1", "its query has code already, which we append"),
    "state": uri(f"{URI}?a=b&state", "its query has state already, which we append"),
    "iss": uri(f"{URI}?iss=x&state=y", "its query has state and iss already, which we append"),
    "error": uri(f"{URI}?%65rror=x", "its query has error already, which we append"),
    "fragment": uri(f"{URI}#x", "a fragment is not allowed"),
    "wildcard": uri("https://app.example.org/*", "a wildcard is not allowed"),
    "http": uri("http://app.example.org/cb", "http is allowed on loopback for native apps only"),
    "user name": uri("https://me@app.example.org/cb", "a user name is not allowed"),
    "script": uri("javascript:alert(1)", "its scheme is neither https nor the reverse of a domain name"),
    "own scheme": uri("org.example.app:/cb", "an own scheme is allowed for native apps only"),
    "no host": uri("https:///cb", "it names no host"),
    "broken host": uri("https://app..example.org/cb", "it names no host"),
    "empty port": uri("https://app.example.org:/cb", "it names no host"),
    "port too high": uri("https://app.example.org:70000/cb", "it is not a URI"),
    "unfinished": uri("https://[", "it is not a URI"),
    "long URI": ("public", {"redirect_uris": [f"{URI}/{'a' * 2000}"]}, "redirect_uris",
                 f"{URI}/{'a' * 2000}"[:200] + ": it is longer than 2000 characters."),
    "blank in an item": ("public", {"redirect_uris": ["https://a.example/ https://b.example/"]}, "redirect_uris",
                         "https://a.example/ https://b.example/: has a blank, or is empty; each item stands alone."),
    "an item twice": ("public", {"redirect_uris": [URI, URI]}, "redirect_uris", f"{URI}: stands there twice."),
    "after signing out": uri(f"{URI}?state=x", "its query has state already, which we append",
                             "post_logout_redirect_uris"),
    "origin with a path": origin("https://app.example.org/x"),
    "origin with a slash": origin("https://app.example.org/"),
    "origin with a query": origin("https://app.example.org?x"),
    "origin in capitals": origin("https://App.example.org"),
    "origin with its port": origin("https://app.example.org:443"),
    "null origin": origin("null"),
    "launch URL": launch_url("ftp://app.example.org", "its scheme is neither https nor the reverse of a domain name"),
    "unfinished launch URL": launch_url("https://", "it names no host"),
    "launch URL with iss": launch_url(f"{URI}?iss=x", "its query has iss or launch already"),
    "launch URL twice": launch_url(f"{URI}/launch", "stands there twice"),
    "commas": scope("patient/*.rs,openid", "patient/*.rs,openid: scopes are separated by spaces."),
    "semicolons": scope("openid;fhirUser", "openid;fhirUser: scopes are separated by spaces."),
    "unknown scope": scope("patient/*.rs nonsense", "nonsense: we know no such scope."),
    "letters in disorder": scope("patient/*.sr", "patient/*.sr: we know no such scope."),
    "not of RFC 6749": scope('patient/*.rs "x"', '"x": we know no such scope.'),
    "misspelled type": scope("patient/Observaton.rs",
                             "patient/Observaton.rs: R4 has no resource type Observaton. Did you mean Observation?"),
    "type of another version": scope("patient/MedicationOrder.rs",
                                     "patient/MedicationOrder.rs: R4 has no resource type MedicationOrder. "
                                     "Did you mean Medication?"),
    "of services": scope("patient/*.rs system/*.rs", "system/*.rs: only a backend service may have it."),
    "refresh without its grant": scope(
        "patient/*.rs offline_access",
        "offline_access: only an app that may stay connected (refresh_token) may have it.",
    ),
    "email": scope("openid email", "email: only plain OpenID Connect is granted it."),
    "own scope of an app": scope("patient/*.rs __mine", "__mine: is never granted to an app that people use."),
    "fhirUser alone": scope("patient/*.rs fhirUser", "fhirUser: is granted only together with openid."),
    "unknown restriction": scope(
        "patient/Observation.rs?date=2020",
        "patient/Observation.rs?date=2020: can be restricted only by category or code of Observation and Condition, "
        "each as system|code.",
    ),
    "of people, for a service": scope(
        "system/*.rs openid", "openid: only an app that people use may have it.", "backend"
    ),
    "of a user, for a service": scope("user/*.rs", "user/*.rs: a backend service has no user.", "backend"),
    "FHIR for plain OpenID Connect": scope(
        "openid patient/*.rs", "patient/*.rs: is never granted to plain OpenID Connect.", profile="openid"
    ),
    "plain OpenID Connect without openid": scope(
        "email", "openid is missing, and plain OpenID Connect is granted nothing without it.", profile="openid"
    ),
    "no patient": ("backend", {"scope": "patient/*.rs"}, "backend_patient", "patient/*.rs: which patient is it about?"),
    "patient as reference": ("backend", {"backend_patient": "Patient/amy"}, "backend_patient",
                             "must be a FHIR id (letters, digits, - and ., at most 64)."),
    "point of another curve": ("keys", {"jwks": keys(x=SMALL_EC["x"], y=SMALL_EC["y"])}, "jwks", NO_POINT),
    "no point": ("keys", {"jwks": keys(y=EC["x"])}, "jwks", NO_POINT),
    "another curve": ("keys", {"jwks": json.dumps({"keys": [{**SMALL_EC, "kid": "ec"}]})}, "jwks", NO_PROOF),
    "alg of another type": ("keys", {"jwks": keys(alg="RS384")}, "jwks",
                            "Key ec has the alg RS384, which is for no EC key on P-384."),
    "kty of another type": ("keys", {"jwks": keys(kty="RSA")}, "jwks", "Key ec lacks n, e."),
    "unknown curve": ("keys", {"jwks": keys(crv="secp256k1")}, "jwks",
                      "Key ec has a curve other than P-256, P-384, P-521."),
    "private half": ("keys", {"jwks": keys(d="AAAA")}, "jwks", PRIVATE),
    "shared key": ("keys", {"jwks": keys(kty="oct", k="AAAA")}, "jwks", PRIVATE),
    "modulus of nonsense": ("keys", {"jwks": json.dumps({"keys": [{**RSA, "n": "_" * 342 + "w"}]})}, "jwks",
                            "Key rsa has an n that is no product of two large primes."),
    "even modulus": ("keys", {"jwks": json.dumps({"keys": [{**RSA, "n": RSA["n"][:-2] + "AA"}]})}, "jwks",
                     "Key rsa has an n that is no product of two large primes."),
    "short modulus": ("keys", {"jwks": json.dumps({"keys": [{**RSA, "n": RSA["n"][:171]}]})}, "jwks",
                      "Key rsa is shorter than 2048 bits."),
    "no JSON": ("keys", {"jwks": "{"}, "jwks", "It is not JSON."),
    "deep JSON": ("keys", {"jwks": "[" * 5000}, "jwks", "It is not JSON."),
    "no keys": ("keys", {"jwks": ""}, "jwks",
                "a client with keys needs them either pasted or by URL, one of the two (RG-03)."),
    "keys twice": ("keys", {"jwks_uri": "https://app.example.org/jwks"}, "jwks",
                   "a client with keys needs them either pasted or by URL, one of the two (RG-03)."),
    "keys by http": ("keys", {"jwks": "", "jwks_uri": "http://app.example.org/jwks"}, "jwks_uri",
                     "It must begin with https://."),
    "unfinished keys": ("keys", {"jwks": "", "jwks_uri": "https://["}, "jwks_uri", "It is not a URL."),
    "no tokens": ("public", {"tokens_to_keep": 0}, "tokens_to_keep", "must be a whole number from 1 to 1000."),
    "too many tokens": ("public", {"tokens_to_keep": 1001}, "tokens_to_keep", "must be a whole number from 1 to 1000."),
    "endless token": ("public", {"access_token_seconds": 3601}, "access_token_seconds",
                      "must be a whole number from 0 to 3600."),
    "endless refresh": ("public", {"refresh_token_seconds": 10**15}, "refresh_token_seconds",
                        "must be a whole number from 0 to 315360000."),
    "supersede": ("public", {"supersede": "all"}, "supersede",
                  "must be one of default, user-client, user-client-patient, grant, client, off, not 'all'."),
}  # fmt: skip


def client_by_form(doors: Doors, kind: str, row: Row) -> Found:
    from oauth.models import FhirServer

    page = doors.operator.get("oauth/client/add/", kind=kind)
    known = {
        "name": "An app", "application_type": "web", "supersede": "default", "tokens_to_keep": "1",
        "address_policy": "off", "number": hidden(page, "number"),
        "fhir_servers": [FhirServer.objects.get(base=doors.base).pk],
    }  # fmt: skip
    typed = {name: "\r\n".join(value) if isinstance(value, list) else value for name, value in row.items()}
    return doors.form("oauth/client/add/", {**known, **typed}, kind=kind)


def client_by_seed(doors: Doors, kind: str, row: Row) -> Found:
    row = {"client_id": "x", "name": "An app", "fhir_servers": [doors.base], **row}
    if text := row.pop("jwks", ""):
        (doors.folder / "keys.json").write_text(text, encoding="utf-8")
        row["jwks_file"] = "keys.json"
    found = doors.seed(
        "clients", {name: str(value) if isinstance(value, int) else value for name, value in row.items()}
    )
    return {("jwks" if field == "jwks_file" else field, sentence) for field, sentence in found}


@pytest.mark.requirement("RG-01", "RG-02", "RG-04")
@pytest.mark.parametrize(("kind", "change", "field", "sentence"), CLIENTS.values(), ids=CLIENTS.keys())
@pytest.mark.parametrize("door", [client_by_form, client_by_seed], ids=["form", "seed"])
def test_a_client_that_could_never_work_is_refused(
    doors: Doors, nothing_new: None, door: Callable[..., Found], kind: str, change: Row, field: str, sentence: str
) -> None:
    assert door(doors, kind, {**KINDS[kind], **change}) == {(field, sentence)}


@pytest.mark.requirement("RG-06", "CL-12")
@pytest.mark.parametrize("door", [client_by_form, client_by_seed], ids=["form", "seed"])
@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "LOCALHOST", "localhost.", "x.localhost", "[::1]", "10.0.0.1", "169.254.169.254",
     "[::ffff:10.0.0.1]", "2130706433", "0x7f.1", "127.1", "[64:ff9b::a00:1]", "168.63.129.16"],
)  # fmt: skip
def test_keys_at_a_host_that_the_fetch_refuses_are_refused(
    doors: Doors, nothing_new: None, settings: Any, door: Callable[..., Found], host: str
) -> None:
    settings.SMARTAUTH_DEV = False

    found = door(doors, "keys", {**KINDS["keys"], "jwks": "", "jwks_uri": f"https://{host}/jwks"})

    assert found == {("jwks_uri", "Its host has an address that is not public.")}


# FHIR servers ---------------------------------------------------------------------------------------------------------

FHIR = "https://fhir.example.org/r4"
SERVERS: dict[str, tuple[Row, str, str]] = {
    "http": ({"base": "http://fhir.example.org/r4"}, "base",
             "http is allowed on loopback only; elsewhere it must be https."),
    "user": ({"base": "https://me:pw@fhir.example.org/r4"}, "base", "a user name is not allowed."),
    "port": ({"base": "https://fhir.example.org:99999/r4"}, "base", "it is not a URL."),
    "port of letters": ({"base": "https://fhir.example.org:x/r4"}, "base", "it is not a URL."),
    "empty port": ({"base": "https://fhir.example.org:/r4"}, "base", "it must be https://host/path."),
    "blank": ({"base": "https://fhir.example.org/r 4"}, "base", "it has a character that no URL has."),
    "query": ({"base": f"{FHIR}?x=1"}, "base", "a query is not allowed."),
    "fragment": ({"base": f"{FHIR}#x"}, "base", "a fragment is not allowed."),
    "dots": ({"base": f"{FHIR}/../x"}, "base", "its path has an empty part, . or ..."),
    "unfinished": ({"base": "https://["}, "base", "it is not a URL."),
    "no scheme": ({"base": "fhir.example.org/r4"}, "base", "it must be https://host/path."),
    "no host": ({"base": "https:///r4"}, "base", "it must be https://host/path."),
    "broken host": ({"base": "https://fhir..example.org/r4"}, "base", "it must be https://host/path."),
    "NUL": ({"base": f"{FHIR}\0"}, "base", "it has a character that no URL has."),
    "turned": ({"base": f"{FHIR}/\u202e"}, "base", "it has a character that no URL has."),
    "long": ({"base": f"{FHIR}/{'a' * 2000}"}, "base", "it is longer than 2000 characters."),
    "our own UserInfo": ({"base": "http://127.0.0.1:8000/o/userinfo"}, "base",
                         "it is the UserInfo endpoint of this server."),
    "name of blanks": ({"name": "\u3000"}, "name", "is missing."),
    "turned name": ({"name": "Har\u202ebour"}, "name", UNSAFE),
    "name with NUL": ({"name": "Har\0bour"}, "name", UNSAFE),
    "long name": ({"name": "n" * 201}, "name", "is longer than 200 characters."),
    "no mapping": ({"claim_profile": "custom", "claim_mapping": {}}, "claim_mapping",
                   "must be a JSON object that names 1 to 20 claims."),
    "wrong mapping": ({"claim_profile": "custom", "claim_mapping": {"patient": {"from": "sub"}}}, "claim_mapping",
                      "patient has a meaning of its own and cannot be set."),
}  # fmt: skip


def server_by_form(doors: Doors, row: Row) -> Found:
    known = {
        "version": "r4", "token_format": "jwt", "signing_algorithm": "ES256", "address_policy": "flag",
        "claim_profile": "smart",
    }  # fmt: skip
    typed = {name: value if isinstance(value, str) else json.dumps(value) for name, value in row.items()}
    return doors.form("oauth/fhirserver/add/", {**known, **typed})


def server_by_seed(doors: Doors, row: Row) -> Found:
    return doors.seed("fhir_servers", row)


def server_by_command(doors: Doors, row: Row) -> Found:
    options = ["--name", row["name"], "--claims", row.get("claim_profile", "smart")]
    if "claim_mapping" in row:
        (doors.folder / "claims.json").write_text(json.dumps(row["claim_mapping"]), encoding="utf-8")
        options += ["--claim-mapping", str(doors.folder / "claims.json")]
    with pytest.raises(CommandError) as refused:
        call_command("fhir-server", "add", row["base"], *options)
    said = str(refused.value).partition(" cannot be protected: ")[2].removesuffix(" Nothing was written.")
    option = re.match(r"--([a-z-]+): ", said)
    return {(option[1].replace("-", "_") if option else "base", said.removeprefix(option[0] if option else ""))}


@pytest.mark.requirement("AZ-08", "DS-24")
@pytest.mark.parametrize(("change", "field", "sentence"), SERVERS.values(), ids=SERVERS.keys())
@pytest.mark.parametrize("door", [server_by_form, server_by_seed, server_by_command], ids=["form", "seed", "command"])
def test_a_fhir_server_that_cannot_be_protected_is_refused(
    doors: Doors, nothing_new: None, door: Callable[..., Found], change: Row, field: str, sentence: str
) -> None:
    assert door(doors, {"base": FHIR, "name": "Harbour", **change}) == {(field, sentence)}


# People ---------------------------------------------------------------------------------------------------------------

NAME = "must be 1 to 150 letters, digits and any of . @ + - _, not {}."
WIDE = "must be written in letters of the usual width and form."
TAKEN = "belongs to somebody already, in these letters or in others of case or width."
PEOPLE: dict[str, tuple[Row, str, str]] = {
    "blank in a name": ({"username": "a my"}, "username", NAME.format("'a my'")),
    "turned user name": ({"username": "a\u202emy"}, "username", NAME.format(r"'a\u202emy'")),
    "user name with NUL": ({"username": "a\0my"}, "username", NAME.format(r"'a\x00my'")),
    "long user name": ({"username": "a" * 151}, "username", NAME.format(f"'{'a' * 79}")),
    "wide user name": ({"username": "\uff41\uff4d\uff59x"}, "username", WIDE),
    "other case": ({"username": "SIMILAR.person"}, "username", TAKEN),
    "other case beyond ASCII": ({"username": "\u00c4nne.PERSON"}, "username", TAKEN),
    "invisible name": ({"name": "\u200b"}, "name", "has no character that can be seen."),
    "turned name": ({"name": "Amy \u202eShaw"}, "name", UNSAFE),
    "long name": ({"name": "n" * 201}, "name", "is longer than 200 characters."),
    "no email": ({"email": "amy"}, "email", "must be an email address."),
    "two emails": ({"email": "a@example.org b@example.org"}, "email", "must be an email address."),
    "long email": ({"email": f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 63}.org"}, "email",
                   "is longer than 254 characters."),
    "nothing to verify": ({"email_verified": True}, "email_verified",
                          "there is no email address that could be verified."),
}  # fmt: skip


def person_by_form(doors: Doors, row: Row) -> Found:
    inlines = {"identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0", "usable_password": "false"}
    return doors.form("accounts/user/add/", {**row, **inlines})


def person_by_seed(doors: Doors, row: Row) -> Found:
    return doors.seed("people", {name: "true" if value is True else value for name, value in row.items()})


@pytest.mark.parametrize(("change", "field", "sentence"), PEOPLE.values(), ids=PEOPLE.keys())
@pytest.mark.parametrize("door", [person_by_form, person_by_seed], ids=["form", "seed"])
def test_a_person_who_cannot_be_registered_is_refused(
    doors: Doors, door: Callable[..., Found], change: Row, field: str, sentence: str
) -> None:
    from accounts.models import User

    for taken in ("similar.person", "\u00e4nne.person"):
        User.objects.get_or_create(username=taken)

    assert door(doors, {"username": "somebody-new", **change}) == {(field, sentence)}


FHIR_USER = "must be such as Patient/amy or Practitioner/dr-green."
IDENTITIES: dict[str, tuple[Row, str, str]] = {
    "no reference": ({"fhir_user": "amy"}, "fhir_user", FHIR_USER),
    "a version": ({"fhir_user": "Patient/amy/_history/1"}, "fhir_user", FHIR_USER),
    "another type": ({"fhir_user": "Device/amy"}, "fhir_user", FHIR_USER),
    "a URL": ({"fhir_user": "https://x/Patient/amy"}, "fhir_user", FHIR_USER),
    "no such patient": ({"acts_for": ["nobody-there"]}, "acts_for", "{base} has no patient nobody-there."),
    "twice": ({"acts_for": ["here", "here"]}, "acts_for", "here: stands there twice."),
}  # fmt: skip


def identity_by_form(doors: Doors, row: Row) -> Found:
    from accounts.models import User
    from oauth.models import FhirServer

    person, _ = User.objects.get_or_create(username="somebody")
    found = doors.form(f"accounts/user/{person.pk}/change/", {
        "username": "somebody", "identities-TOTAL_FORMS": "1", "identities-INITIAL_FORMS": "0",
        "identities-0-fhir_server": FhirServer.objects.get(base=doors.base).pk,
        "identities-0-resource": row["fhir_user"], "identities-0-acts_for": "\r\n".join(row.get("acts_for", [])),
    })  # fmt: skip
    return {("fhir_user" if field == "resource" else field, sentence) for field, sentence in found}


def identity_by_seed(doors: Doors, row: Row) -> Found:
    return doors.seed("people", {"username": "somebody", "identities": [{"fhir_server": doors.base, **row}]})


@pytest.mark.parametrize(("change", "field", "sentence"), IDENTITIES.values(), ids=IDENTITIES.keys())
@pytest.mark.parametrize("door", [identity_by_form, identity_by_seed], ids=["form", "seed"])
def test_what_nobody_can_be_on_a_fhir_server_is_refused(
    doors: Doors, door: Callable[..., Found], change: Row, field: str, sentence: str
) -> None:
    from oauth.models import FhirServer, PatientRecord

    PatientRecord.objects.get_or_create(fhir_server=FhirServer.objects.get(base=doors.base), patient="here")

    found = door(doors, {"fhir_user": "Patient/amy", **change})

    assert found == {(field, sentence.format(base=doors.base))}


# Patients -------------------------------------------------------------------------------------------------------------

ID = "must be a FHIR id (letters, digits, - and ., at most 64)."
PATIENTS: dict[str, tuple[Row, str, str]] = {
    "blank in the id": ({"id": "a b"}, "id", ID),
    "long id": ({"id": "a" * 65}, "id", ID),
    "id with NUL": ({"id": "a\0b"}, "id", ID),
    "month 13": ({"birth_date": "2017-13-45"}, "birth_date", "must be a date such as 2017-05-04, not '2017-13-45'."),
    "30 February": ({"birth_date": "2017-02-30"}, "birth_date", "must be a date such as 2017-05-04, not '2017-02-30'."),
    "year 0": ({"birth_date": "0000"}, "birth_date", "must be a date such as 2017-05-04, not '0000'."),
    "another order": ({"birth_date": "3.2.2001"}, "birth_date", "must be a date such as 2017-05-04, not '3.2.2001'."),
    "born next year": ({"birth_date": NEXT_YEAR}, "birth_date", "lies in the future."),
    "born in a future month": ({"birth_date": f"{NEXT_YEAR}-01"}, "birth_date", "lies in the future."),
    "died next year": ({"died": NEXT_YEAR}, "died", "must be a year that has begun."),
    "died on a day": ({"died": "2020-01-01"}, "died", "must be a year that has begun."),
    "died before the birth": ({"birth_date": "2001-02-03", "died": "2000"}, "died", "lies before the birth."),
    "sex": ({"sex": "f"}, "sex", "must be one of male, female, other, unknown."),
    "turned name": ({"name": "Da\u202en"}, "name", UNSAFE),
    "name of blanks": ({"name": "\u2800"}, "name", "has no character that can be seen."),
    "long name": ({"name": "n" * 201}, "name", "is longer than 200 characters."),
    "number with NUL": ({"record_number": "1\0"}, "record_number", UNSAFE),
}  # fmt: skip


def patient_by_form(doors: Doors, row: Row) -> Found:
    from oauth.models import FhirServer

    server = FhirServer.objects.get(base=doors.base)
    filled = {("patient" if name == "id" else name): value for name, value in row.items()}
    found = doors.form("oauth/patientrecord/add/", {"fhir_server": server.pk, **filled})
    return {("id" if field == "patient" else field, sentence) for field, sentence in found}


def patient_by_seed(doors: Doors, row: Row) -> Found:
    return doors.seed("fhir_servers", {"base": doors.base, "name": "Harbour", "patients": [row]})


@pytest.mark.parametrize(("change", "field", "sentence"), PATIENTS.values(), ids=PATIENTS.keys())
@pytest.mark.parametrize("door", [patient_by_form, patient_by_seed], ids=["form", "seed"])
def test_a_patient_that_no_picker_can_show_is_refused(
    doors: Doors, nothing_new: None, door: Callable[..., Found], change: Row, field: str, sentence: str
) -> None:
    assert door(doors, {"id": "p-new", **change}) == {(field, sentence)}
