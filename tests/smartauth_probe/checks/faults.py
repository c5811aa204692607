"""By which faults of the small server each check has to fail; a name may be a pattern, of which the first fits."""

FAULTS = {
    # refusals
    "no-token-tells-nothing": "unknown-first",
    "no-token-everywhere": "open",
    "metadata-is-public": "metadata-closed",
    "configuration-is-public": "configuration-closed",
    "errors-are-outcomes": "",
    "errors-tell-no-inside": "traceback",
    "forwarded-for-opens-nothing": "proxy-believed",
    "preflight-needs-no-token": "options-is-get",
    "offered-upgrade": "upgrade-loses-the-form",
    "head-is-get": "head-open",
    "leads-nowhere-else": "host-believed",
    # letters
    "*-with-[cruds]": "letters-not-checked",
    "read-is-served": "refuses-everything-but-all",
    "letters-out-of-order": "letters-any-order",
    "another-type": "type-not-checked",
    "scope-before-lookup": "lookup-first",
    "no-fhir-scope": "scope-not-checked",
}
