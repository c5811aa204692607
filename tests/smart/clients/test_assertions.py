"""What an assertion must say, and which key may have signed it: every rule, before any database is asked."""

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart.clients import assertions
from smart.clients.assertion_rules import validate_assertion
from smart.clients.assertions import InvalidAssertion, UnknownKey
from tests.signing import TYPE, Json, Pair, b64, hs256, new_pair, pair, segment, without_none

AUDIENCES = {"https://auth.example.org", "https://auth.example.org/o/token"}
NOW = 1_790_000_000
line = pytest.mark.requirement
GOOD = {
    "iss": "bulk-22", "sub": "bulk-22", "aud": "https://auth.example.org/o/token", "exp": NOW + 240, "jti": "6f0d",
}  # fmt: skip
TWICE = '{"alg":"ES384","alg":"none"}'
EC, RSA = pair("ES384"), pair("RS384")


def text(header: Json | None = None, claims: Json | None = None, key: Pair = EC) -> str:
    head = {"alg": key.alg, "kid": key.kid, **(header or {})}
    return key.sign(without_none(head), without_none({**GOOD, **(claims or {})}))


def broken(written: str, *, kind: str | None = TYPE, client_id: str | None = None) -> list[str]:
    """The rules that this assertion breaks, before a key is asked for."""
    try:
        found = assertions.parse_assertion(written)
        validate_assertion(found, kind=kind, client_id=client_id, audiences=AUDIENCES, now=NOW * 1_000_000)
    except InvalidAssertion as unfit:
        return list(unfit.rules)
    return []


def assert_verifies(written: str, *keys: Json) -> None:
    """Raises InvalidAssertion unless one of these keys signed it."""
    found = assertions.parse_assertion(written)
    assertions.verify_signature(found, assertions.matching_key(found, keys))


@pytest.mark.parametrize("key", [EC, RSA], ids=["ES384", "RS384"])
@pytest.mark.requirement("CL-04", "CL-05")
def test_a_good_assertion_breaks_no_rule_and_verifies(key: Pair) -> None:
    assert broken(text({"typ": "JWT"}, {"iat": NOW, "nbf": NOW}, key)) == []
    assert_verifies(text(key=key), key.public())


@pytest.mark.requirement("WF-05")
@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({}, id="no typ, no iat, no nbf"),
        pytest.param({"aud": "https://auth.example.org"}, id="aud is the issuer"),
        pytest.param({"aud": ["https://auth.example.org", "https://auth.example.org/o/token"]}, id="aud is both"),
        pytest.param({"nbf": NOW + 5, "iat": NOW + 5}, id="a clock that is some seconds fast"),
        pytest.param({"exp": NOW + 240.5}, id="exp is a fraction"),
    ],
)
def test_what_real_clients_send_breaks_no_rule(claims: Json) -> None:
    assert broken(text(claims=claims)) == []


def test_every_algorithm_that_is_told_has_a_key_type() -> None:
    assert list(assertions._FITS) == ["RS384", "ES384"]


@pytest.mark.requirement("E60", "SB-10")
@pytest.mark.parametrize(
    "written",
    [
        pytest.param("", id="empty"),
        pytest.param("abc", id="one part"),
        pytest.param("a.b", id="two parts"),
        pytest.param("a.b.c.d.e", id="five parts, as JWE"),
        pytest.param(json.dumps({"payload": "e30", "signatures": []}), id="the JSON form"),
        pytest.param("e30.e30.", id="no signature"),
        pytest.param(f"{segment(GOOD)}.{segment(GOOD)}.Äää", id="not base64url"),
        pytest.param("e30=.e30.AAAA", id="padding"),
        pytest.param("e30.e.AAAA", id="a length that base64 never has"),
        pytest.param("e30.bnVsbA.AAAA", id="claims are null"),
        pytest.param("W10.e30.AAAA", id="header is a list"),
        pytest.param("e30." + segment("{]") + ".AAAA", id="claims are no JSON"),
        pytest.param("e30." + b64(bytes([255, 254])) + ".AAAA", id="claims are no text"),
        pytest.param("e30." + segment("[" * 5000) + ".AAAA", id="claims are deep"),
        pytest.param(f"{segment(TWICE)}.e30.AAAA", id="a member twice"),
        pytest.param("e30." + segment('{"exp":NaN}') + ".AAAA", id="NaN"),
        pytest.param("A" * 8193, id="longer than 8 kB"),
        pytest.param(f"{text()}{'A' * 8192}", id="good but for its length"),
    ],
)
def test_what_is_no_signed_text_is_refused(written: str) -> None:
    assert len(broken(written)) == 1


@pytest.mark.parametrize(
    ("header", "said"),
    [
        *(
            pytest.param({"alg": alg}, "alg is not one of RS384, ES384", marks=line(row), id=str(alg))
            for alg, row in [
                ("none", "E61"), ("None", "E61"), ("nOnE", "E61"), ("", "E61"), (None, "E61"), ("HS256", "E62"),
                ("HS384", "E62"), ("HS512", "E62"), ("RS256", "CL-05"), ("ES256", "CL-05"), ("PS384", "CL-05"),
                ("es384", "CL-05"), (["ES384"], "CL-05"), (384, "CL-05"),
            ]
        ),
        *(
            pytest.param({"kid": kid}, "kid is missing", marks=line("E64"), id=f"kid {kid!r}")
            for kid in (None, "", 7, ["a"])
        ),
        *(
            pytest.param({"typ": typ}, "typ is something else", marks=line("E67"), id=f"typ {typ!r}")
            for typ in ("at+jwt", "JWE", "", 1, ["JWT"])
        ),
        *(
            pytest.param({"crit": crit}, "crit names", marks=line("E67", "SB-10"), id=f"crit {crit!r}")
            for crit in (["exp"], ["b64"], [], "x", 1, [1])
        ),
    ],
)  # fmt: skip
def test_a_header_that_breaks_a_rule_is_told_so(header: Json, said: str) -> None:
    (rule,) = broken(text(header))

    assert rule.startswith(said)


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        *(
            pytest.param(claims, "sub is not iss", marks=line("E68"), id=name)
            for name, claims in [
                ("sub is another", {"sub": "x"}), ("no sub", {"sub": None}), ("sub a list", {"sub": ["bulk-22"]}),
            ]
        ),
        *(
            pytest.param({"aud": aud}, "aud is not one of", marks=line("E69", "CL-04"), id=name)
            for name, aud in [
                ("missing", None), ("empty", ""), ("a FHIR base", "https://auth.example.org/fhir/r4"),
                ("authorize", "https://auth.example.org/o/authorize"), ("another server", "https://evil.example.org/o/token"),
                ("http", "http://auth.example.org/o/token"), ("a slash more", "https://auth.example.org/o/token/"),
                ("another case", "https://AUTH.example.org/o/token"), ("no list member", []), ("a number", 7),
                ("ours and another's", ["https://auth.example.org/o/token", "https://evil.example.org/o/token"]),
                ("a list in a list", [["https://auth.example.org/o/token"]]), ("an object", {"a": 1}),
            ]
        ),
        *(
            pytest.param({"exp": exp}, said, marks=line("E70", "CL-13"), id=f"exp {name}")
            for name, exp, said in [
                ("missing", None, "exp is missing"), ("a text", str(NOW + 60), "exp is missing"),
                ("true", True, "exp is missing"),
                ("past", NOW - 60, "exp is past"), ("long past", 0, "exp is past"),
                ("minus infinity", -(10**400), "exp is past"),
                ("six minutes ahead", NOW + 361, "exp is more than 300"),
                ("an hour ahead", NOW + 3600, "exp is more than 300"),
                ("milliseconds", NOW * 1000, "exp is more than 300"), ("huge", 10**400, "exp is more than 300"),
            ]
        ),
        *(
            pytest.param({name: value}, f"{name} {said}", marks=line("E70", "CL-13"), id=f"{name} {value}")
            for name in ("nbf", "iat")
            for value, said in [
                (NOW + 61, "is in the future"), (NOW + 3600, "is in the future"), ("now", "is not a number"),
                (False, "is not a number"),
            ]
        ),
        *(
            pytest.param({"jti": jti}, "jti is not a text", marks=line("E71"), id=f"jti {name}")
            for name, jti in [("missing", None), ("empty", ""), ("a number", 7), ("a list", ["a"]), ("long", "a" * 257)]
        ),
    ],
)  # fmt: skip
def test_claims_that_break_a_rule_are_told_so(claims: Json, said: str) -> None:
    (rule,) = broken(text(claims=claims))

    assert rule.startswith(said)


@pytest.mark.requirement("CL-13", "E70")
def test_the_bounds_hold_to_the_second() -> None:
    assert broken(text(claims={"exp": NOW - 59})) == []
    assert broken(text(claims={"exp": NOW + 360})) == []
    assert broken(text(claims={"nbf": NOW + 60, "iat": NOW + 60})) == []


@pytest.mark.requirement("E68")
@pytest.mark.parametrize("issuer", [None, "", 7, ["bulk-22"], "bulk\u0000", "bülk", "\ud800"])
def test_an_iss_that_no_client_id_looks_like_is_nobody(issuer: Any) -> None:
    written = text(claims={"iss": issuer, "sub": issuer})

    assert "iss is not a client_id" in broken(written)
    assert assertions.parse_assertion(written).client_id == ""


@pytest.mark.requirement("CL-07", "E55")
def test_a_client_id_beside_it_must_be_iss() -> None:
    assert broken(text(), client_id="bulk-22") == []
    assert broken(text(), client_id="bulk-23") == ["client_id is not iss"]


@pytest.mark.requirement("E59", "CL-09")
@pytest.mark.parametrize(
    "kind", [None, "jwt-bearer", f"{TYPE} ", TYPE.upper(), "urn:ietf:params:oauth:grant-type:jwt-bearer"]
)
def test_the_type_beside_it_is_the_one_of_the_standard(kind: str | None) -> None:
    (rule,) = broken(text(), kind=kind)

    assert rule == f"client_assertion_type is not {TYPE}"


@pytest.mark.requirement("WF-06")
def test_the_defaults_of_authlib_are_refused_with_every_rule_named() -> None:
    rules = broken(text({"alg": "RS256", "kid": None}, {"exp": NOW + 3600}, RSA))

    assert rules == ["alg is not one of RS384, ES384", "kid is missing", "exp is more than 300 seconds ahead"]


# Keys -----------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("CL-08", "E64")
def test_the_key_is_the_one_of_that_kid() -> None:
    other = new_pair("ES384")

    assert_verifies(text(), other.public(), EC.public())
    with pytest.raises(UnknownKey, match="no key of that kid"):
        assert_verifies(text(), other.public())


@pytest.mark.requirement("CL-08", "E64")
def test_two_keys_of_one_kid_and_type_are_none() -> None:
    with pytest.raises(InvalidAssertion, match="several keys"):
        assert_verifies(text(), EC.public(), new_pair("ES384", EC.kid).public())


@pytest.mark.requirement("CL-08")
def test_a_key_of_another_type_under_the_same_kid_does_not_stand_in_the_way() -> None:
    assert_verifies(text(), EC.public(), new_pair("RS384", EC.kid).public())


@pytest.mark.parametrize(
    ("alg", "key"),
    [
        pytest.param("ES384", RSA.public(), marks=line("E63", "CL-05"), id="ES384 by an RSA key"),
        pytest.param("RS384", EC.public(), marks=line("E63", "CL-05"), id="RS384 by an EC key"),
        pytest.param("ES384", EC.public(use="enc"), marks=line("E63"), id="a key for encryption"),
        pytest.param("RS384", RSA.public(use="enc"), marks=line("E63"), id="an RSA key for encryption"),
        pytest.param("ES384", EC.public(alg="ES256"), marks=line("SB-10"), id="a key for another algorithm"),
        pytest.param("RS384", RSA.public(alg="PS384"), marks=line("SB-10"), id="a key for PS384"),
        pytest.param("RS384", RSA.public(key_ops=["encrypt"]), marks=line("E63"), id="a key that may not verify"),
        pytest.param("ES384", pair("ES256").public(alg=None), marks=line("SB-10"), id="another curve"),
    ],
)  # fmt: skip
def test_a_key_that_does_not_fit_the_algorithm_is_not_tried(alg: str, key: Json) -> None:
    found = assertions.parse_assertion(EC.sign({"alg": alg, "kid": key["kid"]}, GOOD))

    with pytest.raises(InvalidAssertion) as refused:
        assertions.matching_key(found, [key])

    assert not isinstance(refused.value, UnknownKey)


@pytest.mark.requirement("E74")
@pytest.mark.parametrize("key", [EC, RSA], ids=["ES384", "RS384"])
def test_a_signature_of_another_key_does_not_verify(key: Pair) -> None:
    forger = new_pair(key.alg, key.kid)

    with pytest.raises(InvalidAssertion, match="signature does not verify"):
        assert_verifies(text(key=forger), key.public())


@pytest.mark.requirement("E74")
@pytest.mark.parametrize("part", [0, 1, 2])
def test_no_part_of_a_signed_text_can_be_changed(part: int) -> None:
    parts = text().split(".")
    raw = bytearray(base64.urlsafe_b64decode(parts[part] + "=="))
    raw[len(raw) // 2] ^= 1
    parts[part] = b64(bytes(raw))

    with pytest.raises(InvalidAssertion):
        assert_verifies(".".join(parts), EC.public())


@pytest.mark.requirement("E62")
def test_the_public_key_is_no_shared_secret() -> None:
    confused = hs256({"kid": RSA.kid}, GOOD, RSA.key.as_pem(private=False))

    assert broken(confused) == ["alg is not one of RS384, ES384"]
    with pytest.raises(InvalidAssertion, match="UnsupportedAlgorithmError"):
        assertions.verify_signature(assertions.parse_assertion(confused), RSA.public())


@pytest.mark.requirement("E66", "CL-08")
@pytest.mark.parametrize("member", ["jwk", "x5c", "x5u"])
def test_a_key_that_travels_with_the_assertion_is_ignored(member: str) -> None:
    forger = new_pair("ES384", EC.kid)
    carried: Json = {
        "jwk": forger.public(),
        "x5c": [base64.b64encode(b"a certificate of the forger" * 40).decode()],
        "x5u": "https://evil.example.org/chain.pem",
    }
    header = {member: carried[member]}

    with pytest.raises(InvalidAssertion, match="signature does not verify"):
        assert_verifies(text(header, key=forger), EC.public())
    assert_verifies(text(header), EC.public())


@pytest.mark.parametrize(
    "key",
    [{"x": "AAAA"}, {"x": ""}, {"x": "ä"}, {"y": EC.public()["x"]}, {"x": None}, {"x": 7}, {"key_ops": "verify"}],
    ids=["short x", "no x", "x beyond ASCII", "x for y", "x null", "x a number", "key_ops as text"],
)
def test_a_key_that_is_none_is_a_refusal_and_no_failure(key: Json) -> None:
    with pytest.raises(InvalidAssertion):
        assert_verifies(text(), EC.public(**key))


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    header=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "jku", "jwk", "x5c", "b64", "zip"]), ODD),
    claims=st.dictionaries(st.sampled_from(["iss", "sub", "aud", "exp", "nbf", "iat", "jti"]), ODD),
)
def test_whatever_header_and_claims_hold_is_judged_and_never_a_failure(header: Json, claims: Json) -> None:
    written = EC.sign({"alg": "ES384", "kid": EC.kid, **header}, {**GOOD, **claims})

    with suppress(InvalidAssertion):
        validate_assertion(
            assertions.parse_assertion(written), kind=TYPE, client_id=None, audiences=AUDIENCES, now=NOW * 1_000_000
        )
        assert_verifies(written, EC.public())


@pytest.mark.requirement("E103")
def test_an_unknown_key_of_a_set_that_is_not_fetched_again_so_soon_says_so() -> None:
    unknown = UnknownKey("the client has no key of that kid", presented="new", expected="old")

    later = unknown.with_refetch_delay(60)

    words = "the client has no key of that kid, as its keys were less than 60 seconds ago: try again later"
    assert later.rules == (words,)
    assert later.why == {"rule": "CL-11", "case": "E103", "presented": "new", "expected": "old"}


@pytest.mark.requirement("E60")
@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("e30.W10.AAAA", "the payload of the assertion is not a JSON object"),
        ("W10.e30.AAAA", "the header of the assertion is not a JSON object"),
        (f"e30.{segment('{]')}.AAAA", "the payload of the assertion is not JSON with each member once"),
    ],
)
def test_the_part_that_cannot_be_read_is_named(written: str, said: str) -> None:
    assert broken(written) == [said]


def test_an_assertion_has_at_most_8192_characters() -> None:
    def padded(length: int) -> str:
        return f"e30.e30.{'A' * (length - len('e30.e30.'))}"

    assert assertions.parse_assertion(padded(8192)).claims == {}
    with pytest.raises(InvalidAssertion, match="longer than 8192 characters"):
        assertions.parse_assertion(padded(8193))


@pytest.mark.requirement("AZ-25", "E63", "E64")
def test_which_keys_are_known_and_which_fits_is_told_to_developers() -> None:
    found = assertions.parse_assertion(text())

    for keys, known in ((({"kid": "z"}, {"kid": "a"}, {}), "a, z"), (({"kty": "EC"},), "no key"), ((), "no key")):
        with pytest.raises(UnknownKey) as unknown:
            assertions.matching_key(found, keys)
        assert unknown.value.why == {"rule": "CL-08", "case": "E64", "presented": EC.kid, "expected": known}
    with pytest.raises(InvalidAssertion, match="is not of type EC, which ES384 needs"):
        assertions.matching_key(found, [{"kid": EC.kid, "kty": "RSA"}])
    with pytest.raises(InvalidAssertion, match="is not for signatures with ES384"):
        assertions.matching_key(found, [EC.public(use="enc")])
