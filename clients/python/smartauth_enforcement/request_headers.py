"""Which headers of a request your server may see."""

# with them a server runs another method, or another URL, than the one that was decided, deletes more, or stores a
# Provenance, too (TV-29, WR-14 and WR-15 of the checklist)
_ANOTHER_REQUEST = (
    "x-http-method-override", "x-method-override", "x-http-method", "x-original-url", "x-rewrite-url", "x-cascade",
    "x-provenance",
)  # fmt: skip
# with them it answers without a body, with a part of one or one that cannot be read here, or its status tells that a
# hidden record exists
_WITHOUT_WHOLE_BODY = (
    "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "range", "accept",
    "accept-encoding",
)  # fmt: skip
# a body that was read is passed on as it was judged: bytes that could also be decompressed are no other body then
_OF_A_BODY = ("content-length", "transfer-encoding", "content-encoding")


def is_kept(name: str, is_checked: bool, *, is_read: bool) -> bool:
    """Whether a header in lower case goes on to your server, where its answer is checked, its body read before, or not.

    An underscore is a hyphen to what is built on WSGI or CGI.
    """
    name = name.replace("_", "-")
    of_checked = _WITHOUT_WHOLE_BODY if is_checked else ()
    return name not in (*_ANOTHER_REQUEST, *of_checked, *(_OF_A_BODY if is_read else ()))
