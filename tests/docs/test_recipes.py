"""How much of each recipe a producer writes to have smartauth decide: at most forty lines."""

import pytest

from tests.running import ROOT

pytestmark = pytest.mark.one_engine

RECIPES = "docs/recipes"
# Per recipe its file, and what enforcement it holds: from the line that begins so to the next one that begins so.
ENFORCEMENT = {
    "fastapi": (f"{RECIPES}/python/fastapi_server.py", [("# The part to copy", "# Your server")]),
    "flask": (f"{RECIPES}/python/flask_server.py", [("# The part to copy", "# Your server")]),
    "django-rest-framework": (
        f"{RECIPES}/python/django_rest_framework_server.py",
        [("# The part to copy", "# Your server")],
    ),
    "express": (f"{RECIPES}/express/server.js", [("// The part to copy", "// Your server")]),
    "node-fhir-server-core": (
        "tests/clients/node_fhir_server_core/middleware_server.js",
        [("// Who may be found", "const entry"), ("// It refuses an _id", "// node-fhir-server-core serves")],
    ),
    "hapi": (f"{RECIPES}/hapi/Server.java", [("// The part to copy", "// Your server")]),
    "spring": (f"{RECIPES}/spring/Server.java", [("// The part to copy", "// Your server")]),
    "aspnet": (f"{RECIPES}/aspnet/Program.cs", [("// The part to copy", "// Your server")]),
    "nginx": (
        f"{RECIPES}/nginx/nginx.conf",
        [
            ("# Who a search finds", "# A page that says"),
            ("# smartauth decides about each request", "# A read of a Patient"),
            ("# A read of a Patient", "# A search is allowed"),
        ],
    ),
    "envoy": (
        f"{RECIPES}/envoy/envoy.yaml",
        [
            ("# smartauth and the server behind are to see", "http_filters:"),
            ("- name: envoy.filters.http.ext_authz", "- name: envoy.filters.http.router"),
            ("# a server that obeys these", "routes:"),
            ('prefix: "${FHIR_PATH}/"', "clusters:"),
        ],
    ),
}
MOST_LINES = 40


def lines_of_enforcement(recipe: str) -> list[str]:
    """The lines without blank ones, comments, and those that only close brackets."""
    file, parts = ENFORCEMENT[recipe]
    lines = [line.strip() for line in (ROOT / file).read_text(encoding="utf-8").splitlines()]
    found: list[str] = []
    for first, end in parts:
        start = next(place for place, line in enumerate(lines) if line.startswith(first))
        stop = next(place for place in range(start + 1, len(lines)) if lines[place].startswith(end))
        found += lines[start:stop]
    return [line for line in found if line.strip("{}()[];") and not line.startswith(("#", "//"))]


@pytest.mark.parametrize("recipe", ENFORCEMENT)
def test_a_recipe_enforces_in_at_most_forty_lines(recipe: str) -> None:
    """What a producer writes to have each request decided and the answer applied.

    Not counted: imports; the producer's own server, its data, address and port; the packages in `clients/`. Of the
    gateways, what a proxy says anyway of the server behind, and the two public documents. nginx names each type that it
    opens in a `location` of its own: the first is counted, and each more costs as much again.
    """
    assert 0 < len(lines_of_enforcement(recipe)) <= MOST_LINES


def test_the_packages_hold_what_the_recipes_in_java_and_csharp_register() -> None:
    """No recipe carries a copy: beside its server there is no source."""
    own = {file.name for name in ("hapi", "spring", "aspnet") for file in (ROOT / RECIPES / name).glob("*.[jc]*")}

    assert {name for name in own if name.endswith((".java", ".cs"))} == {"Server.java", "Program.cs"}
