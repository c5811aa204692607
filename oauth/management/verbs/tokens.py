"""Commands about tokens: made in development only, explained everywhere."""

from collections.abc import Iterator

from oauth.management.verb import AS_JSON, Argument, Verb, WholeNumber
from smartauth_probe.catalogue import groups


def _bad_kinds() -> Iterator[tuple[str, str]]:
    return ((kind.name, kind.wrong) for group in groups() for kind in group.kinds)


TOKEN = Verb(
    "token",
    "Print an access token without the browser, good or bad. Development only.",
    (
        Argument("--client", "The client, such as demo-public.", "ID"),
        Argument("--user", "The person, such as amy; left out for a backend service.", "NAME"),
        Argument("--patient", "FHIR id; may be left out for who has only one.", "ID"),
        Argument("--scope", "As an app would ask; default: launch/patient patient/*.rs, of a service all it may."),
        Argument("--aud", "The FHIR base; may be left out for a client of only one.", "URL"),
        Argument("--bad", "A token that is wrong in this way.", "KIND", suggestions=_bad_kinds),
        Argument("--list", "List all kinds, good twins among them.", is_flag=True),
        Argument("--listener", "Where a header that brings a key leads to.", "URL"),
        Argument("--claim", "Set a claim; again for another one.", "NAME=JSON", is_repeatable=True),
        Argument("--without", "Take a claim away.", "NAME", is_repeatable=True),
        Argument("--header", "Set a member of the header.", "NAME=JSON", is_repeatable=True),
        Argument("--lifetime", "How long it lives, bad ones too.", "SECONDS", WholeNumber()),
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
