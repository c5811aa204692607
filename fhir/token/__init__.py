"""The access token of a request: read, asked about, and its refusals reported."""
