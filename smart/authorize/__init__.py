"""The authorization request and the launch (RFC 6749 §4.1, SMART App Launch)."""
