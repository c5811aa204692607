"""Which JWK sets may be registered (RG-04)."""

import json
from typing import Any

import pytest

from smart.clients.jwks import InvalidKeys, PublicKey, read_registered, usable_keys

EC = {"kty": "EC", "kid": "ec", "crv": "P-384", "x": "eA", "y": "eQ", "alg": "ES384", "use": "sig"}
RSA = {"kty": "RSA", "kid": "rsa", "n": "n" * 342, "e": "AQAB"}


def problems(*keys: Any) -> list[str]:
    with pytest.raises(InvalidKeys) as refused:
        read_registered(json.dumps({"keys": list(keys)}))
    return refused.value.problems


def test_public_keys_are_read_with_what_an_operator_compares() -> None:
    assert read_registered(json.dumps({"keys": [EC, RSA]})) == (
        PublicKey("ec", "EC", "ES384"),
        PublicKey("rsa", "RSA", ""),
    )


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
@pytest.mark.requirement("RG-04")
def test_a_private_member_is_refused(member: str) -> None:
    assert problems({**RSA, member: "x"}) == [
        "Key rsa holds a private or shared key; only public keys may be registered. Treat it as stolen."
    ]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ({"kty": "oct", "kid": "shared"}, "private or shared"),
        ({**EC, "kty": "OKP"}, "no kty of RSA or EC"),
        ({**EC, "kty": ["EC"]}, "no kty of RSA or EC"),
        ({**EC, "kid": ""}, "Key number 1 has no kid"),
        ({**EC, "kid": 7}, "Key number 1 has no kid"),
        ({**EC, "y": ""}, "lacks crv, x, y"),
        ({**RSA, "e": None}, "lacks n, e"),
        ({**RSA, "n": "n" * 171}, "shorter than 2048 bits"),
        ({**EC, "crv": "secp256k1"}, "curve other than"),
        ({**EC, "use": "enc"}, "not for signing"),
        ("text", "not a JSON object"),
        (None, "not a JSON object"),
    ],
)
@pytest.mark.requirement("RG-04")
def test_a_key_that_may_not_be_registered_is_named_with_its_problem(key: Any, said: str) -> None:
    (problem,) = problems(key)

    assert said in problem


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param([{**EC, "crv": "P-256", "alg": "ES256"}], id="another curve"),
        pytest.param([{**RSA, "alg": "RS256"}], id="another algorithm"),
        pytest.param([{**EC, "alg": "ES256"}, {**RSA, "alg": "PS384"}], id="several, none of ours"),
    ],
)
@pytest.mark.requirement("CL-05")
def test_a_set_in_which_no_key_could_ever_prove_a_client_is_refused(keys: list[Any]) -> None:
    (problem,) = problems(*keys)

    assert problem.startswith("None of these keys can prove a client here")


@pytest.mark.requirement("CL-05")
def test_a_key_for_something_else_may_stand_beside_one_that_proves_the_client() -> None:
    assert len(read_registered(json.dumps({"keys": [{**EC, "crv": "P-256", "alg": "ES256"}, RSA]}))) == 2


@pytest.mark.requirement("RG-04")
def test_a_kid_is_there_once() -> None:
    assert problems(EC, {**RSA, "kid": "ec"}) == ["The kid ec is there twice."]


def test_every_problem_is_said_at_once() -> None:
    assert len(problems({**EC, "kid": ""}, {**RSA, "d": "x"})) == 2


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "[]", "{}", '{"keys": []}', '{"keys": {}}', '{"keys": "x"}', "[" * 10_000, "null", "x" * 70_000,
     json.dumps({"keys": [EC] * 21})],
    ids=["empty", "no JSON", "list", "no keys", "none", "object", "text", "deep", "null", "long", "many"],
)  # fmt: skip
def test_what_is_no_set_is_refused(text: str) -> None:
    with pytest.raises(InvalidKeys):
        read_registered(text)


@pytest.mark.requirement("E101")
def test_private_and_shared_keys_of_a_fetched_set_are_left_out_and_counted() -> None:
    found = usable_keys(json.dumps({"keys": [{**RSA, "d": "x"}, {"kty": "oct", "kid": "shared", "k": "x"}, EC]}))

    assert (found.keys, found.secret) == ((EC,), 2)


@pytest.mark.parametrize(
    "key",
    ["text", None, 7, [], {}, {**EC, "kty": "OKP"}, {**EC, "use": "enc"}, {**EC, "kid": None}, {**RSA, "n": "n" * 171}],
    ids=str,
)
def test_a_key_that_is_of_no_use_takes_no_other_with_it(key: Any) -> None:
    assert usable_keys(json.dumps({"keys": [key, EC]})) == ((EC,), 0)


def test_of_a_usable_key_only_the_members_that_are_needed_stay() -> None:
    assert usable_keys(json.dumps({"keys": [{**EC, "x5c": ["certificate"], "note": "x" * 1000}]})).keys == (EC,)


def test_a_client_may_take_all_its_keys_back() -> None:
    assert usable_keys('{"keys": []}') == ((), 0)


@pytest.mark.requirement("E99", "CL-12")
@pytest.mark.parametrize(
    "text",
    ["", "<html>", "[]", "null", "{}", '{"keys": {}}', "[" * 10_000, " " * 262_145, json.dumps({"keys": [EC] * 101})],
    ids=["empty", "HTML", "list", "null", "no keys", "object", "deep", "long", "many"],
)
def test_what_was_fetched_and_is_no_set_is_refused(text: str) -> None:
    with pytest.raises(InvalidKeys):
        usable_keys(text)
