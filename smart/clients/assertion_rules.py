"""What a client assertion must say, beside its signature (RFC 7523 §3; CL-04, CL-07, CL-09, CL-13, CL-14).

A refusal lists every rule that the assertion breaks, all at once (WF-06).
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeGuard

from smart.clients.assertions import SKEW_SECONDS, Assertion, InvalidAssertion
from smart.metadata import ASSERTION_ALGORITHMS
from smart.time_units import SECOND

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_JTI_LENGTH = 256
MAX_LIFE_SECONDS = 300
_TIMES = ("CL-13", "E70")


def validate_assertion(
    assertion: Assertion, *, kind: str | None, client_id: str | None, audiences: Iterable[str], now: int
) -> None:
    """Holds the assertion against every rule that needs no key. Raises InvalidAssertion with all that are broken."""
    found = [
        *_violations((kind == ASSERTION_TYPE, f"client_assertion_type is not {ASSERTION_TYPE}", "CL-09", "E59")),
        *_header_rules(assertion.header),
        *_party_rules(assertion, client_id, frozenset(audiences)),
        *_time_rules(assertion.claims, now / SECOND),
        *_jti_rules(assertion.claims.get("jti")),
    ]
    if found:
        words, (_, *why) = (one.words for one in found), found[0]
        raise InvalidAssertion(*words, **dict(zip(("rule", "case", "presented", "expected"), why, strict=True)))


class _Violation(NamedTuple):
    """A rule that is broken; what was sent and what was expected are for explanations alone."""

    words: str
    rule: str
    case: str
    presented: str = ""
    expected: str = ""


def _header_rules(header: Mapping[str, Any]) -> list[_Violation]:
    alg, kid, typ = header.get("alg", "left out"), header.get("kid"), header.get("typ", "JWT")
    known, case = ", ".join(ASSERTION_ALGORITHMS), "E62" if str(alg).startswith("HS") else "E61"
    no_crit = "crit names an extension, and this server understands none"
    return _violations(
        (alg in ASSERTION_ALGORITHMS, f"alg is not one of {known}", "CL-05", case, f"alg {alg}", known),
        (isinstance(kid, str) and kid != "", "kid is missing", "CL-08", "E64"),
        (typ == "JWT", "typ is something else than JWT", "CL-04", "E67", f"typ {typ}", "JWT"),
        ("crit" not in header, no_crit, "CL-04", "E67", f"crit {header.get('crit')}", "no crit"),
    )


def _party_rules(assertion: Assertion, client_id: str | None, audiences: frozenset[str]) -> list[_Violation]:
    issuer, claims = assertion.client_id, assertion.claims
    is_same = claims.get("sub") == claims.get("iss")
    return _violations(
        (issuer != "", "iss is not a client_id", "CL-04", "E68"),
        (is_same, "sub is not iss", "CL-04", "E68", f"sub {claims.get('sub', 'left out')}", issuer),
        (client_id in (None, issuer), "client_id is not iss", "CL-07", "E55", f"client_id {client_id}", issuer),
        _audience_rule(claims.get("aud"), audiences),
    )


def _audience_rule(audience: Any, audiences: frozenset[str]) -> tuple[Any, *tuple[str, ...]]:
    """Each audience must be one of ours, and there must be one (CL-14)."""
    named = audience if isinstance(audience, list) else [audience]
    is_ours = bool(named) and all(isinstance(one, str) and one in audiences for one in named)
    known, presented = ", ".join(sorted(audiences)), "no aud" if audience is None else str(audience)
    return is_ours, f"aud is not one of {known}", "CL-14", "E69", presented, known


def _time_rules(claims: Mapping[str, Any], now: float) -> list[_Violation]:
    """CL-13, to the second of skew."""
    until, after = claims.get("exp"), f"after {int(now)}"
    rules = [_Violation("exp is missing or not a number", *_TIMES)]
    if _is_time(until):
        rules = _violations(
            (until + SKEW_SECONDS > now, "exp is past", *_TIMES, f"exp {until}", after),
            (
                until <= now + MAX_LIFE_SECONDS + SKEW_SECONDS,
                f"exp is more than {MAX_LIFE_SECONDS} seconds ahead",
                *_TIMES,
                f"exp {until}",
                f"at most {int(now) + MAX_LIFE_SECONDS}",
            ),
        )
    for name in ("nbf", "iat"):
        begun = claims.get(name, now)
        if not _is_time(begun):
            rules.append(_Violation(f"{name} is not a number", *_TIMES))
        elif begun > now + SKEW_SECONDS:
            rules.append(_Violation(f"{name} is in the future", *_TIMES, f"{name} {begun}", f"at most {int(now)}"))
    return rules


def _jti_rules(jti: Any) -> list[_Violation]:
    usable = isinstance(jti, str) and 0 < len(jti) <= MAX_JTI_LENGTH
    return _violations((usable, f"jti is not a text of 1 to {MAX_JTI_LENGTH} characters", "CL-04", "E71"))


def _violations(*rules: tuple[Any, *tuple[str, ...]]) -> list[_Violation]:
    return [_Violation(*told) for kept, *told in rules if not kept]


def _is_time(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
