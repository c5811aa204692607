"""Where an endpoint leaves what it has learned of the token of a request, for who looks at answers as they leave."""

ABOUT_TOKEN = "smart.about_token"  # noqa: S105  # the claims of the token, in the environ of the request
