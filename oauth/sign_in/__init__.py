"""Login, passwords, sessions, and signing out, also for an app (OpenID Connect RP-Initiated Logout)."""
