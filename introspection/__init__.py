"""What resource servers call: introspect, revoke, invalidate and report."""
