"""`/dev/tokens` in the browser."""
