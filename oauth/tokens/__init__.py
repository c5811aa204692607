"""The token endpoint: what each grant gives, and what a token is until it ends."""
