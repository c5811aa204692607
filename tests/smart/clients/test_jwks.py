"""Which JWK sets may be registered (RG-04)."""

import base64
import json
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from smart.clients.jwks import InvalidKeys, PublicKey, parse_fetched_jwks, read_registered, usable_keys


def public(key: RSAKey | ECKey, kid: str, **members: str) -> dict[str, Any]:
    return {**key.as_dict(private=False), "kid": kid, **members}


EC = public(ECKey.generate_key("P-384"), "ec", alg="ES384", use="sig")
OTHER_EC = public(ECKey.generate_key("P-256"), "other", alg="ES256")
RSA = public(RSAKey.generate_key(2048), "rsa")


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


def number(value: int) -> str:
    """A number as a JWK writes it."""
    written = base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))
    return written.rstrip(b"=").decode()


MODULUS = int.from_bytes(base64.urlsafe_b64decode(RSA["n"] + "=="), "big")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        pytest.param({**OTHER_EC, "crv": "P-384", "alg": "ES384"}, "no point on P-384", id="a point of another curve"),
        pytest.param({**EC, "y": EC["x"]}, "no point on P-384", id="x twice"),
        pytest.param({**EC, "x": "!!", "y": "\u00e9"}, "no point on P-384", id="no base64url"),
        pytest.param({**RSA, "n": "n" * 342}, "no RSA public key", id="no base64url number"),
        pytest.param({**RSA, "n": number(MODULUS - 1)}, "no product of two large primes", id="even"),
        pytest.param({**RSA, "n": number(3**1295)}, "no product of two large primes", id="a power of 3"),
        pytest.param({**RSA, "n": number(2**2048 - 1)}, "no product of two large primes", id="all ones"),
        pytest.param({**RSA, "n": "A" * 200 + number(MODULUS >> 1024 | 1)}, "shorter than 2048 bits", id="zeros"),
        pytest.param({**RSA, "n": number(2**16_384 + 1)}, "longer than 16384", id="too long"),
        pytest.param({**RSA, "e": number(1)}, "cannot be used", id="e is 1"),
        pytest.param({**RSA, "e": number(65_536)}, "cannot be used", id="e is even"),
        pytest.param({**RSA, "e": number(2**65 + 1)}, "e of more than 64 bits", id="a long e"),
        pytest.param({**EC, "alg": "RS384"}, "alg RS384, which is for no EC key on P-384", id="alg of another type"),
        pytest.param({**EC, "alg": "ES256"}, "alg ES256, which is for no EC key on P-384", id="alg of another curve"),
        pytest.param({**RSA, "alg": "ES384"}, "alg ES384, which is for no RSA key", id="alg of a curve"),
        pytest.param({**RSA, "alg": "A" * 81}, f"alg {'A' * 80}, which is for no RSA key", id="a long alg"),
        pytest.param({**RSA, "alg": "HS256"}, "alg HS256, which is for no RSA key", id="alg of a shared key"),
        pytest.param({**RSA, "alg": ["RS384"]}, "alg that is not text", id="a list of alg"),
        pytest.param(
            {**EC, "key_ops": ["encrypt"]}, "cannot be used: 'use' and 'key_ops'", id="key_ops beside another use"
        ),
        pytest.param({**RSA, "kid": "a\0b"}, "cannot be printed", id="NUL"),
        pytest.param({**RSA, "kid": "\ud800"}, "cannot be printed", id="half a character"),
        pytest.param({**RSA, "kid": "k" * 256}, "longer than 255", id="long kid"),
    ],
)
@pytest.mark.requirement("RG-04")
def test_a_key_with_which_nothing_could_ever_be_verified_is_refused(key: dict[str, Any], said: str) -> None:
    (problem,) = problems(key)

    assert said in problem
    assert problem.isprintable()


@pytest.mark.requirement("CL-05", "RG-04")
@pytest.mark.parametrize("operations", [["sign"], [], "verify"], ids=str)
def test_a_key_that_may_not_verify_proves_nobody(operations: Any) -> None:
    (problem,) = problems({**RSA, "key_ops": operations})

    assert problem.startswith("None of these keys can prove a client here")


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param([OTHER_EC], id="another curve"),
        pytest.param([{**RSA, "alg": "RS256"}], id="another algorithm"),
        pytest.param([OTHER_EC, {**RSA, "alg": "PS384"}], id="several, none of ours"),
    ],
)
@pytest.mark.requirement("CL-05")
def test_a_set_in_which_no_key_could_ever_prove_a_client_is_refused(keys: list[Any]) -> None:
    (problem,) = problems(*keys)

    assert problem.startswith("None of these keys can prove a client here")


@pytest.mark.requirement("CL-05")
def test_a_key_for_something_else_may_stand_beside_one_that_proves_the_client() -> None:
    assert len(read_registered(json.dumps({"keys": [OTHER_EC, RSA]}))) == 2


@pytest.mark.requirement("RG-04")
def test_a_kid_is_there_once() -> None:
    assert problems(EC, {**RSA, "kid": "ec"}) == ["The kid ec is there twice."]
    assert problems(*[{**EC, "kid": "k" * 81}] * 2) == [f"The kid {'k' * 80} is there twice."]


@pytest.mark.parametrize("kid", [7, ["ec"]], ids=["number", "list"])
def test_a_kid_that_is_no_text_is_not_said_to_be_there_twice(kid: Any) -> None:
    assert problems(*[{**EC, "kid": kid}] * 2) == ["Key number 1 has no kid.", "Key number 2 has no kid."]


def test_a_key_is_named_by_the_begin_of_its_kid() -> None:
    assert problems({**EC, "kid": "k" * 81, "y": ""}) == [f"Key {'k' * 80} lacks crv, x, y."]


def test_every_problem_is_said_at_once() -> None:
    with pytest.raises(
        InvalidKeys, match=r"^Key number 1 has no kid\. Key rsa holds a private or shared key"
    ) as refused:
        read_registered(json.dumps({"keys": [{**EC, "kid": ""}, {**RSA, "d": "x"}]}))

    assert len(refused.value.problems) == 2


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
    ids=["text", "null", "number", "list", "empty", "kty", "use", "no kid", "modulus"],  # the same in every process
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


@pytest.mark.parametrize(
    ("length", "said"), [(255, []), (256, ["kid"])], ids=["the longest kid", "a kid that is too long"]
)
def test_a_kid_has_at_most_255_characters(length: int, said: list[str]) -> None:
    text = json.dumps({"keys": [{**EC, "kid": "k" * length}]})

    if not said:
        assert read_registered(text)[0].kid == "k" * 255
    else:
        assert "kid" in problems({**EC, "kid": "k" * length})[0]


def test_as_many_keys_and_characters_as_may_be_are_read() -> None:
    twenty = json.dumps({"keys": [{**EC, "kid": f"k{number}"} for number in range(20)]})
    longest = twenty + " " * (65_536 - len(twenty))

    assert len(read_registered(longest)) == 20
    with pytest.raises(InvalidKeys, match="longer than 65536 characters"):
        read_registered(f"{longest} ")
    with pytest.raises(InvalidKeys, match="a member twice"):
        read_registered('{"keys": [], "keys": []}')


def test_a_key_on_another_curve_proves_nobody_though_it_names_no_algorithm() -> None:
    without_alg = {name: value for name, value in OTHER_EC.items() if name != "alg"}

    assert problems(without_alg) == [
        "None of these keys can prove a client here: it takes RSA for RS384 or EC on P-384 for ES384."
    ]


def test_an_rsa_key_for_rs384_proves_a_client() -> None:
    assert read_registered(json.dumps({"keys": [{**RSA, "alg": "RS384"}]})) == (PublicKey("rsa", "RSA", "RS384"),)


@pytest.mark.requirement("RG-04")
def test_a_set_that_is_fetched_for_its_registration_may_be_longer_but_no_worse() -> None:
    hundred = json.dumps({"keys": [{**EC, "kid": f"k{number}"} for number in range(100)]})
    longest = hundred + " " * (262_144 - len(hundred))

    assert len(parse_fetched_jwks(longest.encode())) == 100
    with pytest.raises(InvalidKeys, match="longer than 262144 characters"):
        parse_fetched_jwks(f"{longest} ".encode())
    with pytest.raises(InvalidKeys, match="with 1 to 100 keys"):
        parse_fetched_jwks(json.dumps({"keys": [EC] * 101}).encode())
    with pytest.raises(InvalidKeys, match="private or shared"):
        parse_fetched_jwks(json.dumps({"keys": [{**EC, "d": "x"}, RSA]}).encode())
