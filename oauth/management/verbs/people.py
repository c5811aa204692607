"""Commands about people."""

from oauth.management.verb import AS_JSON, Argument, Verb

USERNAME = Argument("username")

PERSON = Verb(
    "person",
    "People who sign in.",
    actions=(
        Verb(
            "add",
            "Register a person. Without a password they cannot sign in until one is set.",
            (
                USERNAME,
                Argument("--name", "As pages show it; default: the user name."),
                Argument("--email"),
                Argument("--operator", "May use the admin, and everything in it.", is_flag=True),
                Argument("--password", "Asked, or read from the first line of the input.", is_flag=True),
                Argument("--fhir-server", "Where they are somebody.", "URL"),
                Argument("--fhir-user", "Who they are there, such as Patient/amy.", "TYPE/ID"),
                Argument("--acts-for", "A patient they may act for there; repeatable.", "ID", is_repeatable=True),
                AS_JSON,
            ),
            examples=(
                "smartauth person add olivia --name 'Olivia Op' --operator --password",
                "smartauth person add zoe --fhir-server http://127.0.0.1:8000/fhir/r4 "
                "--fhir-user Patient/amy --acts-for amy",
            ),
        ),
    ),
)
PASSWORD = Verb(
    "password",
    "Set a person's password, or require a new one.",
    (
        USERNAME,
        Argument("--set", "The new one is asked, or read from the first line of the input.", is_flag=True),
        Argument("--require", "The person chooses a new one after the next sign-in.", is_flag=True),
        AS_JSON,
    ),
    examples=("smartauth password amy --set", "pwgen -s 20 1 | smartauth password amy --set --require"),
)
