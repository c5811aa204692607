"""The JSON doors to test tokens, and their description."""
