"""Reads WWW-Authenticate: which error the Bearer challenge in it names."""

import re

BEARER = "bearer"
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = rf'(?P<name>{_WORD})\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s,"]+))'
_PIECE = re.compile(rf"[\s,]*(?:{_PARAMETER}|(?P<scheme>{_WORD})(?=[\s,]|$))")


def bearer_error(header: str) -> str | None:
    """The `error` of the first Bearer challenge, "" where it names none, None without one (RFC 9110 §11.6.1).

    What cannot be read ends the header.
    """
    error: str | None = None
    position = 0
    while piece := _PIECE.match(header, position):
        position = piece.end()
        if piece["scheme"]:
            if error is not None:
                break
            error = "" if piece["scheme"].lower() == BEARER else None
        elif error == "" and piece["name"].lower() == "error":
            error = piece["plain"] or re.sub(r"\\(.)", r"\1", piece["quoted"])
    return error
