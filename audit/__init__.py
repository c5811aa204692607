"""Append-only security events in their own database, fed from an outbox in the main one."""
