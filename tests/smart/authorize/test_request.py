"""Bad input at the authorization endpoint, rule by rule (E1 to E43), without a server."""

from dataclasses import replace

import pytest

from smart.authorize.error_pages import Unredirectable
from smart.authorize.redirection_rules import REDIRECTION_RULES
from smart.authorize.request import rule_outcomes, trusted_redirect_uri, validate_request
from smart.authorize.rules import RULES
from smart.authorize.unvalidated_request import ClientPolicy
from smart.explanation import RuleOutcome, State
from smart.http.errors import OAuthError
from tests.smart.authorize.good_request import (
    BASE,
    BASES,
    CALLBACK,
    CHALLENGE,
    CLIENT,
    GOOD,
    explained,
    good_parameters,
    refusal,
)


def test_a_good_request_is_judged_good() -> None:
    parameters = good_parameters(nonce="n-8", launch="hLk29x", prompt="login", unknown="ignored")

    request = validate_request(parameters, CLIENT, BASES)

    assert trusted_redirect_uri(parameters, CLIENT) == CALLBACK
    assert request.client_id == "growth"
    assert request.redirect_uri == CALLBACK
    assert request.state == GOOD["state"]
    assert request.scope == request.requested_scope == GOOD["scope"]
    assert request.left_out == ()
    assert (request.aud, request.fhir_version) == (BASE, "r4")
    assert request.code_challenge == CHALLENGE
    assert (request.nonce, request.launch, request.prompt) == ("n-8", "", "login")


@pytest.mark.requirement("E1", "AZ-06")
@pytest.mark.parametrize(
    ("client_id", "client"),
    [
        pytest.param(None, None, id="missing"),
        pytest.param("", None, id="empty"),
        pytest.param("nobody", None, id="unknown"),
        pytest.param("growth", replace(CLIENT, enabled=False), id="disabled"),
        pytest.param("Growth", CLIENT, id="other case"),
        pytest.param("", CLIENT, id="empty, with some client"),
    ],
)
def test_a_client_that_is_not_known_gets_a_page(client_id: str | None, client: ClientPolicy | None) -> None:
    with pytest.raises(Unredirectable) as caught:
        trusted_redirect_uri(good_parameters(client_id=client_id), client)

    assert (caught.value.case, caught.value.rule, caught.value.status) == ("E1", "AZ-06", 400)


@pytest.mark.requirement("E2", "AZ-04")
@pytest.mark.parametrize("extra", ["&client_id=growth", f"&redirect_uri={CALLBACK}", "&client_id=", "&redirect_uri="])
def test_a_doubled_client_or_redirect_uri_gets_a_page(extra: str) -> None:
    with pytest.raises(Unredirectable) as caught:
        trusted_redirect_uri(good_parameters(extra), CLIENT)

    assert (caught.value.case, caught.value.rule) == ("E2", "AZ-04")


@pytest.mark.requirement("E3", "AZ-03")
@pytest.mark.parametrize("redirect_uri", [None, ""])
def test_a_missing_redirect_uri_gets_a_page_even_if_one_is_registered(redirect_uri: str | None) -> None:
    with pytest.raises(Unredirectable) as caught:
        trusted_redirect_uri(good_parameters(redirect_uri=redirect_uri), replace(CLIENT, redirect_uris=(CALLBACK,)))

    assert (caught.value.case, caught.value.rule) == ("E3", "AZ-03")


@pytest.mark.requirement("E4", "E5", "AZ-05")
@pytest.mark.parametrize(
    "redirect_uri",
    [
        pytest.param("https://growth.example.net/CB", id="case of the path"),
        pytest.param("https://Growth.example.net/cb", id="case of the host"),
        pytest.param("HTTPS://growth.example.net/cb", id="case of the scheme"),
        pytest.param("https://growth.example.net/cb/", id="final slash"),
        pytest.param("https://growth.example.net:443/cb", id="port on https"),
        pytest.param("https://growth.example.net:8443/cb", id="other port on https"),
        pytest.param("https://growth.example.net/cb?x=1", id="extra query"),
        pytest.param("https://growth.example.net/cb?", id="empty query"),
        pytest.param("https://growth.example.net/x/../cb", id="dots"),
        pytest.param("https://growth.example.net/%2e/cb", id="encoded dot"),
        pytest.param("https://growth.example.net/%63b", id="encoded letter"),
        pytest.param("https://user@growth.example.net/cb", id="user-info"),
        pytest.param("https://growth.example.net@evil.example/cb", id="host as user-info"),
        pytest.param("https://evil.growth.example.net/cb", id="subdomain"),
        pytest.param("https://growth.example.net.evil.example/cb", id="longer host"),
        pytest.param("http://growth.example.net/cb", id="http for https"),
        pytest.param("https://growth.example.net/cb ", id="space after"),
        pytest.param("https://other.example.net/cb", id="another client's"),
        pytest.param("/cb", id="relative"),
    ],
)
def test_a_redirect_uri_that_differs_gets_a_page(redirect_uri: str) -> None:
    with pytest.raises(Unredirectable) as caught:
        trusted_redirect_uri(good_parameters(redirect_uri=redirect_uri), CLIENT)

    assert (caught.value.case, caught.value.rule) == ("E4", "AZ-05")
    assert (caught.value.presented, caught.value.expected) == (redirect_uri, ", ".join(CLIENT.redirect_uris))
    assert caught.value.message("Growth").startswith("Growth asked us to send you back")


@pytest.mark.requirement("E6")
def test_a_native_apps_loopback_may_have_another_port_and_a_web_apps_may_not() -> None:
    native = replace(CLIENT, native=True, redirect_uris=("http://127.0.0.1:4999/cb",))
    parameters = good_parameters(redirect_uri="http://127.0.0.1:51004/cb")

    assert trusted_redirect_uri(parameters, native) == "http://127.0.0.1:51004/cb"
    with pytest.raises(Unredirectable):
        trusted_redirect_uri(parameters, replace(native, native=False))


@pytest.mark.requirement("E7")
@pytest.mark.parametrize(
    "redirect_uri", [CALLBACK + "#x", CALLBACK + "#", "javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x"]
)
def test_a_dangerous_redirect_uri_gets_a_page_even_if_it_was_registered(redirect_uri: str) -> None:
    with pytest.raises(Unredirectable) as caught:
        trusted_redirect_uri(good_parameters(redirect_uri=redirect_uri), replace(CLIENT, redirect_uris=(redirect_uri,)))

    assert (caught.value.case, caught.value.presented, caught.value.expected) == ("E7", redirect_uri, redirect_uri)


@pytest.mark.requirement("E35")
def test_a_pushed_request_is_unknown_before_anything_else_of_it_is_read() -> None:
    with pytest.raises(Unredirectable) as caught:
        trusted_redirect_uri(
            good_parameters(request_uri="urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc", redirect_uri=None), CLIENT
        )

    assert (caught.value.case, caught.value.rule) == ("E35", "AZ-06")


@pytest.mark.requirement("E10")
def test_a_backend_client_is_sent_back_with_an_error_or_shown_a_page() -> None:
    backend = replace(CLIENT, grants=frozenset({"client_credentials"}))

    assert refusal(good_parameters(), backend) == (
        "unauthorized_client",
        "this client may not use the authorization code grant",
    )
    with pytest.raises(Unredirectable) as caught:
        trusted_redirect_uri(good_parameters(), replace(backend, redirect_uris=()))
    assert caught.value.case == "E10"


def each(name: str, *values: str | None) -> list[dict[str, str | None]]:
    return [{name: value} for value in values]


STU3 = "https://auth.example.org/fhir/stu3"
REQUIRED_PKCE = "code_challenge is required with code_challenge_method S256"
NOT_A_BASE = "aud is not a FHIR base that this client may use here"
NOT_A_RESOURCE = "resource is not a FHIR base that this client may use here"
NONE_GRANTABLE = "none of the scopes can be granted to this client"

LINES = {"E9": "AZ-01", "E11": "AZ-04", "E19": "AZ-08", "E21": "AZ-07", "E22": "AZ-07", "E23": "AZ-07"}

Row = tuple[str, str, str, list[dict[str, str | None]]]
ROWS: list[Row] = [
    ("E8", "invalid_request", "response_type is missing", each("response_type", None, "")),
    (
        "E9",
        "unsupported_response_type",
        "only response_type code is supported",
        each("response_type", "token", "id_token", "code id_token", "none", "Code", "garbage"),
    ),
    ("E12", "invalid_request", "state is missing", each("state", None, "")),
    ("E13", "invalid_scope", "scope is missing", each("scope", None, "", "  ")),
    (
        "E14",
        "invalid_scope",
        "scope has a character that is not allowed",
        each(
            "scope", 'patient/*.rs "', "patient/*.rs \\", "patient/*.rs\topenid", "openid\n", "\x7f", "patient/*.rs é"
        ),
    ),
    *(
        (case, "invalid_scope", f"{NONE_GRANTABLE}: {scope} ({reason})", each("scope", scope))
        for case, scope, reason in (
            ("E16", "unknown", "we know no such scope"),
            ("E16", "patient/Observation.dus", "we know no such scope"),
            ("E16", "fhirUser", "is granted only together with openid"),
            ("E16", "patient/Nonsense.rs", "R4 has no resource type Nonsense. Did you mean Consent?"),
            ("E16", "patient/MedicationOrder.rs", "R4 has no resource type MedicationOrder. Did you mean Medication?"),
            ("E16", "offline_access", "only an app that may stay connected (refresh_token) may have it"),
            ("E17", "system/*.rs", "only a backend service may have it"),
            (
                "E17",
                "patient/Observation.rs?category=a",
                "can be restricted only by category or code of Observation and Condition, each as system|code",
            ),
        )
    ),
    ("E18", "invalid_request", "aud is missing", each("aud", None, "")),
    ("E19", "invalid_request", NOT_A_BASE, each("aud", "https://evil.example/fhir/r4", "x", BASE + "//")),
    ("E19", "invalid_request", NOT_A_BASE, each("aud", BASE + "-other", BASE + "/Patient", BASE[:-3])),
    ("E19", "invalid_request", NOT_A_BASE, each("aud", STU3, "https://auth.example.org:443/fhir/r4")),
    ("E20", "invalid_target", NOT_A_RESOURCE, [{"resource": "https://evil.example/r4"}]),
    ("E20", "invalid_target", NOT_A_RESOURCE, [{"resource": "https://evil.example/r4", "aud": None}]),
    ("E21", "invalid_request", REQUIRED_PKCE, each("code_challenge", None, "")),
    ("E22", "invalid_request", REQUIRED_PKCE, each("code_challenge_method", "plain", None, "", "s256", "S512")),
    (
        "E23",
        "invalid_request",
        "code_challenge must be 43 base64url characters",
        each("code_challenge", *(CHALLENGE[:-1] + end for end in ("", "MA", "=", "+", "M\n", " "))),
    ),
    ("E34", "request_not_supported", "request is not supported", [{"request": "eyJhbGciOi"}]),
    ("E34", "request_uri_not_supported", "request_uri is not supported", [{"request_uri": "https://x.example/r"}]),
    ("E34", "registration_not_supported", "registration is not supported", [{"registration": "{}"}]),
    (
        "E36",
        "invalid_request",
        "only response_mode query is supported",
        each("response_mode", "fragment", "form_post", "unknown"),
    ),
]


@pytest.mark.requirement("AZ-03")
@pytest.mark.parametrize(
    ("case", "changes", "error", "description"),
    [
        pytest.param(
            case,
            changes,
            error,
            description,
            id=f"{case} {changes!a}",
            marks=pytest.mark.requirement(*dict.fromkeys((case, LINES.get(case, case)))),
        )
        for case, error, description, bad in ROWS
        for changes in bad
    ],
)
def test_a_bad_request_is_refused_in_these_words_and_explained_by_its_row(
    case: str, changes: dict[str, str | None], error: str, description: str
) -> None:
    assert refusal(good_parameters(**changes)) == (error, description)
    why = explained(good_parameters(**changes))
    assert (why.case, why.what) == (case, description)
    assert why.rule in {rule.rule for rule in RULES if case in rule.cases.split()}


@pytest.mark.requirement("E11", "AZ-04")
@pytest.mark.parametrize("name", ["response_type", "scope", "state", "aud", "code_challenge", "resource", "own"])
def test_a_parameter_sent_twice_is_refused_whatever_it_is(name: str) -> None:
    assert refusal(good_parameters(f"&{name}=1&{name}=")) == ("invalid_request", f"{name} was sent twice")


@pytest.mark.requirement("E19", "AZ-08")
def test_a_base_that_is_no_longer_served_is_no_audience() -> None:
    client = replace(CLIENT, bases=(BASE, "https://gone.example.org/r4"))

    assert refusal(good_parameters(aud="https://gone.example.org/r4"), client) == ("invalid_request", NOT_A_BASE)


@pytest.mark.requirement("E20", "AZ-09")
def test_resource_is_a_synonym_of_aud_that_must_agree_with_it() -> None:
    client = replace(CLIENT, bases=tuple(BASES))

    alone = validate_request(good_parameters(aud=None, resource=BASE + "/"), client, BASES)
    both = validate_request(good_parameters(resource=BASE + "/"), client, BASES)

    assert alone.aud == both.aud == BASE
    assert refusal(good_parameters(resource="https://auth.example.org/fhir/stu3"), client) == (
        "invalid_request",
        "resource and aud must agree",
    )


@pytest.mark.requirement("AZ-08", "WF-09")
@pytest.mark.parametrize("aud", [BASE + "/", "HTTPS://AUTH.example.org/fhir/r4"])
def test_aud_is_compared_leniently_and_stored_in_one_spelling(aud: str) -> None:
    assert validate_request(good_parameters(aud=aud), CLIENT, BASES).aud == BASE


@pytest.mark.requirement("E12")
def test_a_client_without_the_strict_rule_may_leave_state_out() -> None:
    assert validate_request(good_parameters(state=None), replace(CLIENT, allows_missing_state=True), BASES).state == ""


@pytest.mark.requirement("E36")
def test_response_mode_query_is_what_happens_anyway() -> None:
    assert validate_request(good_parameters(response_mode="query"), CLIENT, BASES).state == GOOD["state"]


@pytest.mark.requirement("E33", "AZ-22")
@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "none login"},
        {"prompt": "consent none"},
        {"prompt": "create"},
        {"prompt": "Login"},
        {"prompt": "login\tconsent"},
        {"max_age": "-1"},
        {"max_age": "1.5"},
        {"max_age": "soon"},
        {"max_age": " 5"},
        {"max_age": "١"},
        {"max_age": "1" * 10},
    ],
    ids=str,
)
def test_a_prompt_or_age_that_means_nothing_is_refused(changes: dict[str, str]) -> None:
    code, description = refusal(good_parameters(**changes))

    assert code == "invalid_request"
    assert description.startswith(("prompt", "max_age"))


@pytest.mark.requirement("AZ-22")
@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({}, None),
        ({"prompt": "consent"}, None),
        ({"prompt": "none"}, None),
        ({"prompt": "login consent"}, 0),
        ({"prompt": "select_account"}, 0),
        ({"max_age": "3600"}, 3600),
        ({"max_age": "0"}, 0),
        ({"prompt": "login", "max_age": "3600"}, 0),
    ],
    ids=str,
)
def test_how_old_a_login_may_be(changes: dict[str, str], seconds: int | None) -> None:
    assert validate_request(good_parameters(**changes), CLIENT, BASES).max_login_age == seconds


@pytest.mark.requirement("E43")
@pytest.mark.parametrize("hint", ["eyJhbGciOiJub25lIn0.e30.", "x"])
def test_an_id_token_that_is_not_ours_is_refused(hint: str) -> None:
    assert refusal(good_parameters(id_token_hint=hint)) == (
        "invalid_request",
        "id_token_hint is no ID token of this server",
    )


@pytest.mark.requirement("E43", "AZ-22")
def test_an_id_token_of_ours_names_the_person_that_the_app_expects() -> None:
    assert (
        validate_request(good_parameters(id_token_hint="x.y.z"), CLIENT, BASES, hinted_subject="u-51c9").subject
        == "u-51c9"
    )
    assert validate_request(good_parameters(), CLIENT, BASES).subject == ""


@pytest.mark.requirement("AZ-25")
def test_the_explanation_lists_what_passed_what_refused_and_what_was_not_reached() -> None:
    outcomes = rule_outcomes(good_parameters(code_challenge=None), CLIENT, BASES)

    states = [outcome.state for outcome in outcomes]
    refused = next(outcome for outcome in outcomes if outcome.state == "refused")
    assert len(outcomes) == len(REDIRECTION_RULES) + len(RULES)
    assert refused == RuleOutcome(
        "AZ-07", "PKCE is used, with S256.", State.REFUSED,
        what="code_challenge is required with code_challenge_method S256",
        presented="no code_challenge", expected="S256", case="E21",
    )  # fmt: skip
    assert states == sorted(states, key=["passed", "refused", "not reached"].index)
    assert states.count(State.PASSED) == 14


@pytest.mark.requirement("AZ-25")
def test_the_explanation_of_an_unknown_client_stops_there_and_of_a_good_request_nowhere() -> None:
    unknown = rule_outcomes(good_parameters(), None, BASES)
    good = rule_outcomes(good_parameters(), CLIENT, BASES)

    assert [outcome.state for outcome in unknown][:3] == ["passed", "refused", "not reached"]
    assert {outcome.state for outcome in good} == {"passed"}


@pytest.mark.requirement("AZ-25")
def test_a_description_holds_only_what_the_standard_allows() -> None:
    _, description = refusal(good_parameters("&%22%5C%C3%A9=1&%22%5C%C3%A9=2"))

    assert description == "'/? was sent twice"


LAUNCHABLE = replace(CLIENT, scope=f"launch {CLIENT.scope}")


@pytest.mark.requirement("E24", "AZ-10", "AZ-03")
@pytest.mark.parametrize("launch", [None, ""])
@pytest.mark.parametrize("client", [LAUNCHABLE, CLIENT], ids=["may ask it", "may not ask it"])
def test_the_scope_launch_without_the_parameter_is_refused(launch: str | None, client: ClientPolicy) -> None:
    found = refusal(good_parameters(scope="launch patient/Patient.rs", launch=launch), client)

    assert found == ("invalid_request", "scope launch needs the launch parameter")


@pytest.mark.requirement("E28")
def test_a_strict_client_that_sends_launch_without_the_scope_is_refused() -> None:
    found = refusal(good_parameters(launch="hLk29x"), replace(LAUNCHABLE, refuses_unknown_scopes=True))

    assert found == ("invalid_request", "the launch parameter needs the scope launch")


@pytest.mark.requirement("AZ-10")
def test_scope_and_parameter_together_are_a_launch() -> None:
    request = validate_request(good_parameters(scope="launch patient/Patient.rs", launch="hLk29x"), LAUNCHABLE, BASES)

    assert (request.launch, request.scope) == ("hLk29x", "launch patient/Patient.rs")


@pytest.mark.requirement("E28")
@pytest.mark.parametrize("scope", ["patient/Patient.rs", "launch patient/Patient.rs"])
def test_without_a_granted_scope_there_is_no_launch(scope: str) -> None:
    request = validate_request(good_parameters(scope=scope, launch="hLk29x"), CLIENT, BASES)

    assert (request.launch, request.scope) == ("", "patient/Patient.rs")


# Lengths --------------------------------------------------------------------------------------------------------------

BOUNDS = {
    "nonce": 2048, "aud": 2048, "resource": 2048, "login_hint": 2048, "launch": 512, "ui_locales": 200, "prompt": 100,
    "id_token_hint": 8192,
}  # fmt: skip


@pytest.mark.requirement("AZ-24", "E39")
@pytest.mark.parametrize("name", BOUNDS)
def test_what_is_longer_than_anybody_needs_is_refused_and_named(name: str) -> None:
    longer, longest = good_parameters(**{name: "x" * (BOUNDS[name] + 1)}), good_parameters(**{name: "x" * BOUNDS[name]})

    refused = f"{name} is longer than {BOUNDS[name]} characters"
    with pytest.raises(OAuthError) as caught:
        validate_request(longer, CLIENT, BASES)
    outcomes = {outcome.what for outcome in rule_outcomes(longest, CLIENT, BASES)}

    assert (caught.value.code, caught.value.description) == ("invalid_request", refused)
    assert refused not in outcomes


@pytest.mark.requirement("AZ-24", "E39")
def test_a_state_longer_than_2048_characters_gets_a_page_for_no_answer_could_carry_it() -> None:
    assert trusted_redirect_uri(good_parameters(state="x" * 2048), CLIENT) == CALLBACK
    with pytest.raises(Unredirectable) as caught:
        trusted_redirect_uri(good_parameters(state="x" * 2049), CLIENT)

    assert (caught.value.case, caught.value.rule) == ("E39", "AZ-24")


@pytest.mark.requirement("E28", "AZ-10")
def test_a_strict_client_may_be_launched() -> None:
    parameters = good_parameters(scope="launch patient/Patient.rs", launch="hLk29x")

    request = validate_request(parameters, replace(LAUNCHABLE, refuses_unknown_scopes=True), BASES)

    assert (request.launch, request.scope) == ("hLk29x", "launch patient/Patient.rs")


@pytest.mark.requirement("AZ-07", "E21")
def test_a_smart_app_with_a_secret_needs_a_proof_key_too() -> None:
    without = good_parameters(code_challenge=None, code_challenge_method=None)

    assert refusal(without, replace(CLIENT, confidential=True)) == (
        "invalid_request",
        "code_challenge is required with code_challenge_method S256",
    )
