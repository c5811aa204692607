"""Making bad tokens from good ones (docs/specification/bad-tokens.md)."""
