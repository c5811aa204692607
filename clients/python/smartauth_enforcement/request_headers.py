"""Which headers of a request your server may see."""

# with them a server runs another method than the one that was decided (TV-29 of the checklist)
_ANOTHER_METHOD = ("x-http-method-override", "x-method-override", "x-http-method")
# with them it answers without a body, with a part of one, or with one that cannot be read here
_WITHOUT_WHOLE_BODY = (
    "if-none-match", "if-modified-since", "if-range", "range", "accept", "accept-encoding", "content-length",
    "transfer-encoding",
)  # fmt: skip


def is_kept(name: str, is_checked: bool) -> bool:
    """Whether a header in lower case goes on to your server, where its answer is checked or not."""
    return name not in _ANOTHER_METHOD and not (is_checked and name in _WITHOUT_WHOLE_BODY)
