"""OpenID Connect: claims about people, and signing out because an app asked."""
