"""What a failure of a database means, and what somebody does about it: by SQLSTATE, or by SQLite's name of an error.

libpq tells no SQLSTATE of a connection that it could not make; there, and at SQLite's tables, words decide.
"""

import re
from typing import NamedTuple

from django.db import InterfaceError, OperationalError


class Failure(NamedTuple):
    """What a database does, and what somebody does then. `{program}` migrates, `{url}` names the setting."""

    what: str
    mend: str
    codes: tuple[str, ...] = ()
    words: str = ""

    def sentence(self, error: Exception, program: str, url: str, alias: str = "") -> str:
        """What it says, whole; of which database, where that is known."""
        mend = self.next_step(program, url)
        return (
            f"The database {f'{alias} ' if alias else ''}{self.what} ({text_of(error)}). {mend[:1].upper()}{mend[1:]}."
        )

    def next_step(self, program: str, url: str) -> str:
        return self.mend.format(program=program, url=url)


# Codes are told by how they begin: class 53 is a limit, but for 53100, which comes before it.
FAILURES = (
    Failure(
        "lacks tables of this version",
        "`{program} migrate` makes them",
        ("42P01", "42703", "42883"),
        r"^no such (table|column)|has no column named",
    ),
    Failure(
        "is in use by others, who hold what this needs",
        "run it again when they have ended",
        ("55P03", "40", "SQLITE_BUSY", "SQLITE_LOCKED"),
    ),
    Failure("has stopped this before its end", "run it again, with a longer time-out if that was over", ("57014",)),
    Failure("takes no writes", "name the primary in {url}", ("25006",), "session is read-only"),
    Failure("cannot use its disk", "look whether that is full", ("53100", "58030", "SQLITE_FULL", "SQLITE_IOERR")),
    Failure("is at one of its limits", "raise that, or end what uses it up", ("53",)),
    Failure(
        "refuses the connection",
        "wait if it begins or is full, else correct {url}",
        ("28", "3D"),
        r"\bFATAL:|certificate|private key file|authentication|no password supplied|required|\balert\b",
    ),
    Failure("does not let its role do this", "use the role that owns the tables, or grant it", ("42501",)),
    Failure(
        "has files that this account cannot open or write",
        "let it own them and their folder",
        ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM"),
    ),
    Failure("is damaged", "restore a backup", ("XX001", "XX002", "SQLITE_CORRUPT", "SQLITE_NOTADB")),
    Failure("refuses what its rows or rules contradict", "correct what it names", ("23", "SQLITE_CONSTRAINT")),
)
NO_ANSWER = Failure("does not answer", "start it, or correct {url}", ("08", "57P"))
OTHER = Failure("refuses this", "report it if no setting explains it")
_NONE = ("", "SQLITE_ERROR")
_OF_A_VALUE = "22"  # PostgreSQL's data exceptions, of which most name the value


def failure_of(error: Exception) -> Failure:
    """Of Django's errors or a driver's."""
    code = _code(error)
    text = text_of(error) if code in _NONE else ""
    for each in (NO_ANSWER, *FAILURES):
        if code.startswith(each.codes) or (each.words and re.search(each.words, text)):
            return each
    return NO_ANSWER if not code and isinstance(error, OperationalError | InterfaceError) else OTHER


def text_of(error: Exception) -> str:
    """What it says, in one line: neither the statement nor a value, where the driver has them apart."""
    if (code := _code(error)).startswith(_OF_A_VALUE):
        return f"a value that it does not take, SQLSTATE {code}"
    diagnostics = getattr(error.__cause__ or error, "diag", None)
    said = getattr(diagnostics, "message_primary", None) or str(error)
    return " ".join(said.split())


def _code(error: Exception) -> str:
    """ "" where the driver has none."""
    for each in (error, error.__cause__):
        if code := getattr(each, "sqlstate", None) or getattr(each, "sqlite_errorname", None):
            return str(code)
    return ""
