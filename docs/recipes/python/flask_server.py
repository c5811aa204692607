"""A FHIR server in Flask for which smartauth decides about every request. Run it: python flask_server.py"""

import os
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, request

import records
from smartauth_enforcement import Enforcement, WsgiMiddleware

# The part to copy -----------------------------------------------------------------------------------------------------

app = Flask(__name__)
app.wsgi_app = WsgiMiddleware(app.wsgi_app, Enforcement.from_environment())

# Your server ----------------------------------------------------------------------------------------------------------

root = urlsplit(os.environ["FHIR_BASE"]).path


@app.route(f"{root}/<path:path>", methods=["GET", "POST"])
def fhir(path: str) -> Any:
    status, body = records.answer(request.method, path, request.query_string.decode(), request.get_data())
    return body, status, {"Content-Type": "application/fhir+json"}


if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ.get("PORT") or urlsplit(os.environ["FHIR_BASE"]).port or 80))
