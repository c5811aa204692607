"""Tokens that are over, and tokens that never were: dead at introspection, 401 at the very next FHIR request."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from hmac import new as hmac
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, import_key

from smart.digests import sha256_hex
from tests.flows.app import StandaloneLaunch, introspect, read, revoke, token
from tests.running import Server
from tests.tables import rows

Token = Callable[[], str]


@pytest.fixture
def fresh(server: Server) -> str:
    """A token for amy that lives, and that the FHIR server has just served."""
    made = token(server)
    assert read(server, "Patient/amy", made).status_code == 200
    return made


def assert_refused(server: Server, presented: str) -> None:
    """Inactive without a word, and no way in."""
    assert introspect(server, presented) == {"active": False}
    answer = read(server, "Patient/amy", presented)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def parts(made: str) -> list[Any]:
    """Header, payload, signature of a JWT."""
    header, payload, signature = (urlsafe_b64decode(part + "==") for part in made.split("."))
    return [json.loads(header), json.loads(payload), signature]


def encoded(part: Any) -> str:
    content = part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()
    return urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.mark.requirement("TV-05", "TV-16")
def test_a_revoked_token_is_dead_at_the_next_request(server: Server, fresh: str) -> None:
    answer = revoke(server, fresh)

    assert answer.status_code == 200
    assert_refused(server, fresh)


@pytest.mark.requirement("TV-05")
def test_its_fhir_server_can_end_a_token(server: Server, fresh: str) -> None:
    caller = ("demo-resource-server", "demo-resource-server-secret")

    assert httpx.post(f"{server.url}/o/revoke", data={"token": fresh}, auth=caller).status_code == 200

    assert_refused(server, fresh)


@pytest.mark.requirement("SD-03")
def test_a_new_token_ends_the_old_one(server: Server, fresh: str) -> None:
    launch = StandaloneLaunch(server)
    newer = launch.exchange(launch.code()).json()["access_token"]

    assert_refused(server, fresh)
    assert read(server, "Patient/amy", newer).status_code == 200


@pytest.mark.requirement("E77", "SD-27")
def test_a_stolen_code_that_is_used_again_kills_what_it_bought(server: Server) -> None:
    launch = StandaloneLaunch(server)
    code = launch.code()
    bought = launch.exchange(code).json()["access_token"]
    assert read(server, "Patient/amy", bought).status_code == 200

    again = launch.exchange(code)

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert_refused(server, bought)


@pytest.mark.requirement("TV-03", "TV-04")
def test_an_expired_token_is_dead(server: Server, fresh: str) -> None:
    expires(server, fresh, 0)

    assert_refused(server, fresh)


def expires(server: Server, made: str, at: int) -> None:
    """As if that time had passed: only the row of this token is changed."""
    its_row = f"UPDATE oauth_accesstoken SET expires_at = {at} WHERE digest = '{sha256_hex(made)}' RETURNING 1"
    assert rows(server, "main", its_row) == [(1,)]


@pytest.mark.requirement("TV-09")
@pytest.mark.parametrize("forgery", ["other key", "other issuer", "none", "no signature", "HS256 with our public key"])
def test_a_forged_token_is_refused_and_harms_nobody(server: Server, fresh: str, forgery: str) -> None:
    header, payload, _ = parts(fresh)
    presented = forged(server, forgery, header, {**payload, "jti": "made-up-by-somebody-else"})

    assert_refused(server, presented)
    assert introspect(server, fresh)["active"] is True


def forged(server: Server, forgery: str, header: dict[str, Any], payload: dict[str, Any]) -> str:
    if forgery in ("other key", "other issuer"):
        claims = {**payload, "iss": "https://other.example.org"} if forgery == "other issuer" else payload
        return jwt.encode(header, claims, ECKey.generate_key("P-256"), algorithms=["ES256"])
    if forgery == "none":
        return f"{encoded({**header, 'alg': 'none'})}.{encoded(payload)}."
    if forgery == "no signature":
        return f"{encoded(header)}.{encoded(payload)}."
    (published,) = [key for key in httpx.get(f"{server.url}/o/jwks").json()["keys"] if key["kid"] == header["kid"]]
    signed = f"{encoded({**header, 'alg': 'HS256'})}.{encoded(payload)}"
    pem: bytes = import_key(published).as_pem(private=False)  # type: ignore[union-attr]
    return f"{signed}.{encoded(hmac(pem, signed.encode(), sha256).digest())}"


@pytest.mark.requirement("SD-07")
def test_a_changed_payload_under_the_true_signature_ends_the_original_too(server: Server, fresh: str) -> None:
    header, payload, signature = parts(fresh)
    changed = f"{encoded(header)}.{encoded({**payload, 'patient': 'ben'})}.{encoded(signature)}"

    answer = read(server, "Patient/ben", changed)

    assert answer.status_code == 401
    assert_refused(server, fresh)


@pytest.mark.requirement("SD-07")
def test_another_signature_under_the_true_payload_ends_the_original_too(server: Server, fresh: str) -> None:
    answer = read(server, "Patient/amy", fresh.rpartition(".")[0] + "." + encoded(b"x" * 64))

    assert answer.status_code == 401
    assert_refused(server, fresh)


@pytest.mark.requirement("SD-07")
def test_who_knows_nothing_but_the_jti_ends_nothing(server: Server, fresh: str) -> None:
    header, payload, _ = parts(fresh)
    presented = forged(server, "other key", header, {**payload, "sub": "somebody"})

    assert_refused(server, presented)
    assert read(server, "Patient/amy", fresh).status_code == 200


@pytest.mark.requirement("TV-11")
@pytest.mark.parametrize("left_out", ["aud", "exp", "scope"])
def test_a_token_that_lacks_a_claim_is_none_of_ours(server: Server, fresh: str, left_out: str) -> None:
    header, payload, _ = parts(fresh)
    claims = {name: value for name, value in payload.items() if name not in (left_out, "jti")}

    assert_refused(server, forged(server, "other key", header, claims))


@pytest.mark.requirement("TV-17", "TV-18")
def test_a_token_counts_only_in_the_header(server: Server, fresh: str) -> None:
    base = f"{server.url}/fhir/r4"
    in_query = httpx.get(f"{base}/Patient/amy", params={"access_token": fresh})
    in_body = httpx.post(f"{base}/Patient/_search", data={"access_token": fresh})
    twice = httpx.get(f"{base}/Patient/amy", headers=[("Authorization", f"Bearer {fresh}")] * 2)
    spelled = [httpx.get(f"{base}/Patient/amy", headers={"Authorization": f"{word} {fresh}"}) for word in SPELLINGS]

    assert [answer.status_code for answer in (in_query, in_body, twice)] == [401, 401, 401]
    assert [answer.status_code for answer in spelled] == [200, 200]


SPELLINGS = ("bearer", "BEARER")


@pytest.mark.requirement("SD-09", "TV-07", "TV-14")
def test_a_token_for_another_base_is_worthless_here(server: Server, other_base: str) -> None:
    elsewhere = token(server, client="reaches-both", aud=other_base)
    here = token(server, client="reaches-both", aud=f"{server.url}/fhir/r4")

    assert read(server, "Patient/amy", here).status_code == 200
    assert_refused(server, elsewhere)
    assert parts(elsewhere)[1]["aud"] == other_base


MEDIA_TYPES = {"r4": "application/fhir+json", "stu3": "application/fhir+json", "dstu2": "application/json+fhir"}


@pytest.mark.requirement("SD-09", "TV-07")
@pytest.mark.parametrize("version", MEDIA_TYPES)
def test_a_token_for_one_version_reads_there_and_is_worthless_at_the_others(server: Server, version: str) -> None:
    def read_at(other: str) -> httpx.Response:
        return httpx.get(f"{server.url}/fhir/{other}/Patient/amy", headers={"Authorization": f"Bearer {held}"})

    held = token(server, client="demo-versions", aud=f"{server.url}/fhir/{version}")

    assert [read_at(other).status_code for other in MEDIA_TYPES if other != version] == [401, 401]
    own = read_at(version)
    assert (own.status_code, own.headers["Content-Type"].partition(";")[0]) == (200, MEDIA_TYPES[version])
    assert own.json()["id"] == "amy"


@pytest.mark.requirement("AZ-08")
def test_a_client_of_several_bases_gets_no_code_without_naming_one(server: Server) -> None:
    launch = StandaloneLaunch(server, client_id="demo-versions")
    asked = {name: value for name, value in launch.request.items() if name != "aud"}

    answer = httpx.get(f"{server.url}/o/authorize", params=asked)

    assert (answer.status_code, "error=invalid_request" in answer.headers["Location"]) == (303, True)


@pytest.fixture
def other_base(server: Server) -> str:
    """A second protected base, a client that may reach both, and amy there too."""
    base = "https://other.example.org/fhir"
    seed = server.folder / "other.yaml"
    seed.write_text(f"""
fhir_servers:
  - base: {base}
    name: Other Clinic
    patients: [{{id: amy, name: Amy Shaw}}]
people:
  - username: amy
    identities:
      - {{fhir_server: {base}, fhir_user: Patient/amy, acts_for: [amy]}}
clients:
  - client_id: reaches-both
    name: Both
    authentication: none
    scope: patient/*.rs
    redirect_uris: [https://app.example.org/cb]
    fhir_servers: [{base}, "{{issuer}}/fhir/r4"]
""")
    server.manage("seed", str(seed))
    return base
