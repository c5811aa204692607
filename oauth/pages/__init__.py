"""Pages for people outside an authorization request: home, sample app, connected apps, sessions, passwords."""
