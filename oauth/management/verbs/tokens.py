"""Commands about tokens: made in development only, explained everywhere."""

from collections.abc import Iterator
from typing import Any

from oauth.management.verb import AS_JSON, Argument, Verb, WholeNumber
from smartauth_probe.catalogue import groups
from smartauth_probe.token_order import MEMBERS


def _bad_kinds() -> Iterator[tuple[str, str]]:
    return ((kind.name, kind.wrong) for group in groups() for kind in group.kinds)


def _member(name: str, metavar: str, *, option: str = "", **more: Any) -> Argument:
    """A member of an order as an option of its name."""
    return Argument(f"--{option or name}", MEMBERS[name].sentence, metavar, **more)


TOKEN = Verb(
    "token",
    "Print an access token without the browser, good or bad. Development only.",
    (
        _member("client", "ID"),
        _member("user", "NAME"),
        _member("patient", "ID"),
        _member("scope", "SCOPE"),
        _member("aud", "URL"),
        _member("bad", "KIND", suggestions=_bad_kinds),
        Argument("--list", "List all kinds, good twins among them.", is_flag=True),
        _member("listener", "URL"),
        _member("claims", "NAME=JSON", option="claim", is_repeatable=True),
        _member("without", "NAME", is_repeatable=True),
        _member("header", "NAME=JSON", is_repeatable=True),
        _member("lifetime", "SECONDS", type=WholeNumber()),
        Argument("--json", "Print the whole answer as JSON, and how the token is sent.", is_flag=True),
    ),
    examples=(
        'TOKEN=$(smartauth token --client demo-public --user amy --scope "patient/*.rs")',
        "smartauth token --client demo-public --user amy --bad expired",
        "smartauth token --client demo-public --user amy --claim 'fhirUser=\"Patient/ben\"' --lifetime 5",
        "smartauth token --list",
    ),
)
EXPLAIN = Verb(
    "explain",
    "Say why something was refused: by its reference, or a token judged rule by rule. Nothing is sent.",
    (
        Argument("what", "- reads a token from standard input.", "REFERENCE|TOKEN"),
        Argument("request", "Such as GET /fhir/r4/Patient/amy.", "METHOD URL", is_repeatable=True),
        Argument("--json", "Print everything as JSON.", is_flag=True),
    ),
    examples=(
        "smartauth explain 7F3K-29QD",
        'smartauth explain "$TOKEN" GET /fhir/r4/Patient/ben',
        "echo $TOKEN | smartauth explain - --json",
    ),
)
RESOURCE_SERVER = Argument("resource_server", "Its client id, such as demo-resource-server.")
INTROSPECTION_FAULT = Verb(
    "introspection-fault",
    "Let introspection misbehave on purpose for one resource server. Development only.",
    actions=(
        Verb(
            "begin",
            "From now on this resource server meets the fault; `list` names all.",
            (
                Argument("fault", "Such as active-text."),
                RESOURCE_SERVER,
                Argument("--seconds", "When it ends by itself, after 3600 at most.", "N", WholeNumber(), default=300),
                AS_JSON,
            ),
            examples=("smartauth introspection-fault begin stalled-body demo-resource-server",),
        ),
        Verb("end", "This resource server gets right answers again.", (RESOURCE_SERVER, AS_JSON)),
        Verb("list", "Print all faults, and who meets one now.", (AS_JSON,)),
    ),
)
