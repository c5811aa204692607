"""What a client may register, and how it proves itself by keys (RFC 7517, RFC 7523)."""
