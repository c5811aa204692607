"""Backend services: who may ask, at which base, which scopes (SMART Backend Services)."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest

from smart.http.errors import InvalidRequest, InvalidScope, InvalidTarget, OAuthError, UnauthorizedClient
from smart.http.parameters import Parameters
from smart.tokens.client_credentials import BackendGrant, BackendService, validate_grant

HERE, THERE = "https://fhir.example.org/r4", "https://other.example.org/fhir"
LABS = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
SERVICE = BackendService(
    authentication="keys",
    scope="system/Observation.rs system/Patient.r patient/*.rs __smartauth.introspect openid offline_access launch",
    bases={HERE: "r4"},
)
BOUND = replace(SERVICE, patient="amy")
TWO = replace(SERVICE, bases={HERE: "r4", THERE: "dstu2"})


def asked(service: BackendService = SERVICE, **parameters: str) -> BackendGrant:
    return validate_grant(Parameters.parse(urlencode(parameters).encode()), service)


@pytest.mark.requirement("BK-02", "BK-03", "E97")
@pytest.mark.requirement("SCP-19", "E98")
@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        pytest.param("system/Observation.rs", "system/Observation.rs", id="all of it"),
        pytest.param("system/*.cruds", "system/Observation.rs system/Patient.r", id="what of a wildcard is allowed"),
        pytest.param("system/Observation.read", "system/Observation.read", id="in the syntax that was asked"),
        pytest.param("system/Patient.rs system/Condition.rs", "system/Patient.r", id="a letter and a type too many"),
        pytest.param(f"system/Observation.r?category={LABS}", f"system/Observation.r?category={LABS}", id="a kind"),
        pytest.param("system/Patient.r system/Nothing.r", "system/Patient.r", id="a type that R4 does not know"),
        pytest.param("system/Patient.r user/Patient.r", "system/Patient.r", id="user is dropped"),
        pytest.param(
            "system/Patient.r patient/Patient.r", "system/Patient.r", id="patient without a binding is dropped"
        ),
        pytest.param(
            "openid fhirUser profile launch launch/patient offline_access online_access system/Patient.r",
            "system/Patient.r",
            id="what only people have is dropped",
        ),
        pytest.param("system/Patient.sr system/Patient.r", "system/Patient.r", id="letters out of order are dropped"),
        pytest.param("__smartauth.introspect", "__smartauth.introspect", id="a scope of our own"),
        pytest.param("system/Patient.r __other", "system/Patient.r", id="one of our own that is not registered"),
    ],
)
def test_a_service_gets_what_is_registered_for_it_and_meant_for_services(scope: str, granted: str) -> None:
    assert asked(scope=scope).scope == granted


@pytest.mark.requirement("E96", "E98", "SCP-19")
@pytest.mark.parametrize(
    "scope",
    [
        pytest.param("", id="missing"),
        pytest.param("   ", id="only spaces"),
        pytest.param("system/Encounter.rs", id="outside what is registered"),
        pytest.param("system/Observation", id="malformed"),
        pytest.param("system/Observation.xyz", id="letters that are none"),
        pytest.param('system/Observation.rs "', id="a character that is not allowed"),
        pytest.param("system/Observation.rs?code:in=x", id="a restriction that nobody evaluates"),
        pytest.param("patient/Observation.rs", id="patient without a binding"),
        pytest.param("user/Observation.rs", id="user"),
        pytest.param("openid", id="openid"),
        pytest.param("launch", id="launch"),
        pytest.param("launch/patient", id="launch/patient"),
        pytest.param("offline_access", id="offline_access"),
        pytest.param(
            " ".join(f"system/Observation.r?category=a|{n}" for n in range(101)), id="more than anybody needs"
        ),
    ],
)
def test_where_nothing_is_left_the_scope_is_invalid(scope: str) -> None:
    with pytest.raises(InvalidScope):
        asked(scope=scope)


@pytest.mark.requirement("E96")
def test_a_scope_that_is_missing_is_said_to_be() -> None:
    with pytest.raises(InvalidScope, match=r"^scope is missing$"):
        asked()
    with pytest.raises(InvalidScope, match=r"^scope is missing$"):
        asked(scope="")


@pytest.mark.requirement("E96", "E98")
@pytest.mark.parametrize(
    ("service", "scope", "words"),
    [
        (SERVICE, "system/Nothing.rs", "system/Nothing.rs (R4 has no resource type Nothing)"),
        (SERVICE, "patient/Patient.r", "patient/Patient.r (the client is bound to no patient)"),
        (BOUND, "system/Encounter.r", "system/Encounter.r (is more than is registered for this client)"),
        (
            replace(BOUND, scope="system/*.rs"),
            "patient/Patient.r",
            "patient/Patient.r (is more than is registered for this client)",
        ),
    ],
)
def test_a_refused_service_hears_why_and_its_developer_what_is_registered(
    service: BackendService, scope: str, words: str
) -> None:
    with pytest.raises(InvalidScope) as refused:
        asked(service, scope=scope)

    assert refused.value.description == f"none of the scopes can be granted to this client: {words}"
    assert refused.value.why["expected"] == service.scope


@pytest.mark.requirement("SCP-04")
def test_a_strict_service_hears_of_what_it_would_not_get() -> None:
    with pytest.raises(InvalidScope, match="some of the scopes"):
        asked(replace(SERVICE, refuses_unknown_scopes=True), scope="system/Patient.r system/Nothing.r")


@pytest.mark.requirement("SCP-04")
def test_a_strict_service_that_asks_for_what_it_may_have_gets_it() -> None:
    granted = asked(replace(SERVICE, refuses_unknown_scopes=True), scope="system/Patient.r")

    assert granted.scope == "system/Patient.r"


@pytest.mark.requirement("BK-03", "RG-09")
def test_a_bound_service_gets_patient_scopes_about_its_patient() -> None:
    judged = asked(BOUND, scope="patient/Observation.rs __smartauth.introspect user/*.rs")

    assert judged.scope == "patient/Observation.rs __smartauth.introspect"
    assert judged.patient == "amy"
    assert judged.allowed == "patient/*.rs __smartauth.introspect"


@pytest.mark.requirement("BK-03")
def test_a_token_is_about_one_patient_or_about_all_of_them() -> None:
    both, system = asked(BOUND, scope="system/Patient.r patient/Patient.r"), asked(BOUND, scope="system/Patient.r")

    assert (both.scope, both.patient) == ("patient/Patient.r", "amy")
    assert (system.scope, system.patient) == ("system/Patient.r", "")
    assert system.allowed == "system/Observation.rs system/Patient.r __smartauth.introspect"


@pytest.mark.requirement("E95", "BK-01")
@pytest.mark.parametrize(
    ("service", "allowed"),
    [
        pytest.param(SERVICE, True, id="keys"),
        pytest.param(replace(SERVICE, authentication="secret"), False, id="secret"),
        pytest.param(replace(SERVICE, authentication="secret", by_secret=True), True, id="secret, switched on"),
        pytest.param(replace(SERVICE, authentication="none"), False, id="public"),
        pytest.param(replace(SERVICE, authentication="none", by_secret=True), False, id="public, switched on"),
        pytest.param(replace(SERVICE, fhir=False), False, id="an app that is not SMART"),
    ],
)
def test_only_a_client_that_proves_itself_may_ask_for_itself(service: BackendService, allowed: bool) -> None:
    try:
        asked(service, scope="system/Patient.r")
    except UnauthorizedClient:
        assert not allowed
    else:
        assert allowed


@pytest.mark.parametrize(
    ("service", "parameters", "base"),
    [
        pytest.param(SERVICE, {}, HERE, id="the only one"),
        pytest.param(SERVICE, {"aud": f"{HERE}/"}, HERE, id="named, with a slash"),
        pytest.param(TWO, {"aud": THERE}, THERE, id="one of two by aud"),
        pytest.param(TWO, {"resource": THERE}, THERE, id="one of two by resource"),
        pytest.param(TWO, {"aud": HERE, "resource": HERE}, HERE, id="both the same"),
    ],
)
def test_the_base_is_the_one_that_is_named_or_the_only_one(
    service: BackendService, parameters: dict[str, str], base: str
) -> None:
    assert asked(service, scope="system/Patient.r", **parameters).base == base


@pytest.mark.requirement("E19", "E20")
@pytest.mark.parametrize(
    ("service", "parameters", "error"),
    [
        pytest.param(TWO, {}, InvalidRequest, id="two, none named"),
        pytest.param(replace(SERVICE, bases={}), {}, InvalidRequest, id="none at all"),
        pytest.param(SERVICE, {"aud": THERE}, InvalidRequest, id="aud that is not the client's"),
        pytest.param(SERVICE, {"resource": THERE}, InvalidTarget, id="resource that is not the client's"),
        pytest.param(SERVICE, {"aud": HERE, "resource": THERE}, InvalidTarget, id="resource unknown beside a good aud"),
        pytest.param(TWO, {"aud": HERE, "resource": THERE}, InvalidRequest, id="aud and resource differ"),
    ],
)
def test_no_base_or_another_ones_is_refused(
    service: BackendService, parameters: dict[str, str], error: type[OAuthError]
) -> None:
    with pytest.raises(error):
        asked(service, scope="system/Patient.r", **parameters)


@pytest.mark.requirement("SCP-08")
def test_types_are_those_of_the_version_of_the_base() -> None:
    service = replace(TWO, scope="system/*.rs")

    with pytest.raises(InvalidScope):
        asked(service, aud=HERE, scope="system/MedicationOrder.rs")
    assert asked(service, aud=THERE, scope="system/MedicationOrder.rs").scope == "system/MedicationOrder.rs"
