"""An authorization request that is judged, and what a good one holds."""

from urllib.parse import quote, urlencode

import pytest

from smart.authorize.request import trusted_redirect_uri, validate_request
from smart.authorize.unvalidated_request import ClientPolicy
from smart.explanation import Explanation
from smart.http.errors import OAuthError
from smart.http.parameters import Parameters

BASE = "https://auth.example.org/fhir/r4"
BASES = {BASE: "r4", "https://auth.example.org/fhir/stu3": "stu3"}
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CALLBACK = "https://growth.example.net/cb"

CLIENT = ClientPolicy(
    client_id="growth",
    enabled=True,
    grants=frozenset({"authorization_code"}),
    redirect_uris=(CALLBACK, "https://growth.example.net/second"),
    scope="launch/patient openid patient/*.cruds system/*.rs user/*.rs patient/Observation.rs?category=a",
    bases=(BASE,),
)

GOOD = {
    "response_type": "code",
    "client_id": "growth",
    "redirect_uri": CALLBACK,
    "scope": "launch/patient patient/Patient.rs",
    "state": "b1e6c7d0-6d1c-4a7e-9a51-2f0c0b3d9e11",
    "aud": BASE,
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def good_parameters(extra: str = "", /, **changes: str | None) -> Parameters:
    """The good request with these changes; None leaves a parameter out, `extra` is appended as it is."""
    pairs = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return Parameters.parse((urlencode(pairs, quote_via=quote) + extra).encode())


def explained(parameters: Parameters, client: ClientPolicy = CLIENT) -> Explanation:
    """Why it is refused."""
    with pytest.raises(OAuthError) as caught:
        validate_request(parameters, client, BASES)
    return caught.value.explanation


def refusal(parameters: Parameters, client: ClientPolicy = CLIENT) -> tuple[str, str]:
    trusted_redirect_uri(parameters, client)
    with pytest.raises(OAuthError) as caught:
        validate_request(parameters, client, BASES)
    return caught.value.code, caught.value.description
