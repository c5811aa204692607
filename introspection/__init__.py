"""What resource servers call: introspect and revoke."""
