"""What happens at a development server just now: a row for each request about a token."""
