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
}
