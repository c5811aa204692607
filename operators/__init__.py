"""What operators use: the admin, health, and the command that reads the security events."""
