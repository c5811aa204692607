"""What the commands of operators take."""

from oauth.management.verb import Argument, Verb, WholeNumber

EVENTS = Verb(
    "events",
    "Print the security events, the latest last.",
    (
        Argument("--follow", "Print each event as it happens, until Ctrl-C.", is_flag=True),
        Argument("--last", "How many of the latest.", "N", WholeNumber(0, 10_000), default=20),
        Argument("--kind", "Of this kind; repeatable.", "KIND", is_repeatable=True),
        Argument("--client", "Of this client.", "ID"),
        Argument("--person", "Of this person, by user name or sub.", "NAME"),
        Argument("--json", "Print one JSON object a line.", is_flag=True),
    ),
    examples=(
        "smartauth events --follow",
        "smartauth events --client demo-public --last 100",
        "smartauth events --kind refresh-reused --json | jq .client",
    ),
)
DOCTOR = Verb(
    "doctor",
    "Say what is wrong with this installation, a line each with the mend. Changes nothing.",
    (Argument("--json", "Print JSON for a script.", is_flag=True),),
    examples=("smartauth doctor", "smartauth doctor --json | jq '.checks[] | select(.problems != [])'"),
)
