"""Which numbers of an RSA key are refused before anybody computes with them (RG-04)."""

from math import gcd

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from smart.clients import jwk

SMALLEST = next(n for n in range(2**2047 + 1, 2**2048, 2) if gcd(n, jwk._SMALL_PRIMES) == 1)
NO_PRODUCT = "has an n that is no product of two large primes"
LENGTH = "is shorter than 2048 bits, or longer than 16384"


@pytest.mark.requirement("RG-04")
@pytest.mark.parametrize(
    ("modulus", "exponent", "problem"),
    [
        pytest.param(SMALLEST, 65_537, "", id="the smallest modulus"),
        pytest.param(SMALLEST, 2**64 - 1, "", id="an exponent of 64 bits"),
        pytest.param(SMALLEST, 2**64, "has an e of more than 64 bits", id="an exponent of 65 bits"),
        pytest.param(2**2047, 65_537, NO_PRODUCT, id="even"),
        pytest.param(SMALLEST * 9_973, 65_537, NO_PRODUCT, id="a small prime"),
        pytest.param(SMALLEST // 2, 65_537, LENGTH, id="2047 bits"),
        pytest.param(2**16_384, 65_537, LENGTH, id="16385 bits"),
    ],
)
def test_rsa_numbers_are_large_odd_and_of_large_primes(modulus: int, exponent: int, problem: str) -> None:
    assert jwk._rsa_problem(RSAPublicNumbers(exponent, modulus)) == problem
