"""HTTP of both sides: the machines' endpoints, CORS, errors and their pages, explanations, the request log."""
