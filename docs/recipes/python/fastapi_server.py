"""A FHIR server in FastAPI for which smartauth decides about every request. Run it: python fastapi_server.py"""

import os
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

import records
from smartauth_enforcement import AsgiMiddleware, Enforcement

# The part to copy -----------------------------------------------------------------------------------------------------

app = FastAPI()
app.add_middleware(AsgiMiddleware, enforcement=Enforcement.from_environment())

# Your server ----------------------------------------------------------------------------------------------------------

root = urlsplit(os.environ["FHIR_BASE"]).path


@app.api_route(f"{root}/{{path:path}}", methods=["GET", "POST"])
async def fhir(path: str, request: Request) -> JSONResponse:
    status, body = records.answer(request.method, path, request.url.query, await request.body())
    return JSONResponse(body, status, media_type="application/fhir+json")


if __name__ == "__main__":
    port = int(os.environ.get("PORT") or urlsplit(os.environ["FHIR_BASE"]).port or 80)
    # httptools loses the body of a search by POST that offers h2c, as Java's client does with each request
    uvicorn.run(app, host="127.0.0.1", port=port, http="h11")
