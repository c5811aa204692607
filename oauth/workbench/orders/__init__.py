"""What a test token is to be, by JSON, form or command, and the token that was ordered."""
