"""The bundled resource server: small, and a stranger to the authorization server that it asks over HTTP."""
