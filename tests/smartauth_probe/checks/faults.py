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
    # compartment
    "other-*": "forbidden-told",
    "search-other-beside-own": "search-open last-wins",
    "search-other-by-chain": "search-open chain-open",
    "search-other-*": "search-open",
    "search-without-patient": "search-open",
    "search-patients": "search-open",
    "search-patient-by-identifier": "count-before-filter",
    "types-without-patient": "search-open",
    "no-patient-in-token": "no-patient-all",
    "unknown-patient-in-token": "unknown-patient-all",
    "patient-written-otherwise": "patient-trimmed",
    "id-written-otherwise": "path-normalised",
    "compartment-of-other": "compartment-search-open search-open",
}
