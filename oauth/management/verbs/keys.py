"""The command about the keys that sign tokens."""

from oauth.management.verb import AS_JSON, Argument, Verb

KEYS = Verb(
    "keys",
    "The keys that sign tokens.",
    actions=(
        Verb("list", "Print each key with its state and since when.", (AS_JSON,)),
        Verb(
            "rotate",
            "Let the next keys sign; tokens of the old ones verify until they expire.",
            (
                Argument("--algorithm", "This one alone, such as ES256; default: all.", "NAME"),
                Argument("--now", "Even if the next key was not published long enough.", is_flag=True),
                AS_JSON,
            ),
        ),
        Verb("withdraw", "Stop publishing a key that somebody else may have.", (Argument("kid"), AS_JSON)),
        Verb("re-encrypt", "Encrypt every private half under the first key-encryption key.", (AS_JSON,)),
    ),
)
