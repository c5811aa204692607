"""What the requests of fuzzed_requests.py are made of: usual parts and odd ones."""

from collections.abc import Mapping, Sequence

PATCH = "application/json-patch+json"
FORM = "application/x-www-form-urlencoded"
ODD_TEXTS = (
    "", " ", ".", "..", "../Patient/ben", "/", "//", "%", "%00", "\0", "\ud7ff", "\U0001f9ea", "é", "a" * 65, "x" * 999,
    "1' OR '1'='1", "${jndi:x}", "{}", "[]", "null", "*", "$", "|", "||", "a|b|c", ",", "\\", "\\,", ":", "ben ", "BEN",
    "-1", "0", "1", "2147483648", "9" * 40, "1e400", "NaN", "true", "\r\nX-Odd: 1", "<b>", "Patient/", "Patient/ben",
    "http://127.0.0.1:8000/fhir/r4/Patient/ben", "urn:uuid:0", "#a", "ben/_history/1", "Patient?identifier=ben",
    "2026", "2026-02-30", "ge2026-01-01", "eq", "ap2026-01-01T00:00:00Z", "0000", "9999-12-31T23:59:60Z", "_", "__",
)  # fmt: skip
ODD_SEGMENTS = ("_history", "_search", "$everything", "$export", "$validate", "*", "metadata", "1", "0", "-1", "01")
MODIFIERS = ("", "", "", "exact", "contains", "not", "missing", "identifier", "Patient", "in", "of-type", "odd", ":")
SPECIAL = {
    "_count": ("0", "1", "50", "200", "201", "-1", "x", "9999999999"),
    "_sort": ("_id", "-_lastUpdated", "date", "-date,code", "subject.name", "odd"),
    "_total": ("none", "accurate", "estimate", "odd"),
    "_summary": ("true", "count", "data", "text", "false", "odd"),
    "_elements": ("id", "subject", "identifier,code", "odd", "meta"),
    "_format": ("json", "xml", "application/fhir+json", "application/fhir json", "odd"),
    "_since": ("2020", "2026-01-01T00:00:00Z", "odd"),
    "_at": ("2020",),
    "_type": ("Patient", "Observation,Patient", "Nonsense", "*"),
    "_page": ("1:x", "x", "0:" + "a" * 43),
    "_include": ("Observation:subject", "Observation:subject:Patient", "*", "List:item", "Appointment:actor", "odd"),
    "_include:iterate": ("Observation:encounter", "Encounter:subject"),
    "_revinclude": ("Provenance:target", "Observation:subject", "odd:odd"),
    "_has:Observation:patient:code": ("4548-4", "x"),
    "_filter": ("name eq ben",),
    "_list": ("amy-problems",),
    "_contained": ("true",),
    "_cascade": ("delete",),
    "access_token": ("a.good-token",),
    "start": ("2026", "odd"),
    "end": ("2026-01-01", "odd"),
}
HEADERS: Mapping[str, Sequence[str]] = {
    "HTTP_ACCEPT": ("*/*", "application/fhir+xml", "application/fhir+json; fhirVersion=9.9", ";;=,", "text/html;q=0"),
    "HTTP_IF_MATCH": ('W/"1"', '"1"', "*", "1", 'W/"99999999999999999999"', ",,"),
    "HTTP_IF_NONE_MATCH": ('W/"1"', "*", "x"),
    "HTTP_IF_MODIFIED_SINCE": ("Sun, 29 Nov 2099 00:00:00 GMT", "x", "Sun, 99 Nov 0000 00:00:00 -9999"),
    "HTTP_IF_NONE_EXIST": ("identifier=x", "patient=ben", "", "_id=", "code=4548-4&code=x", "odd=1", "%"),
    "HTTP_PREFER": ("return=minimal", "return=representation", "handling=strict", ",;=", "respond-async"),
    "HTTP_X_HTTP_METHOD_OVERRIDE": ("DELETE", "PUT"),
    "HTTP_X_FORWARDED_FOR": ("203.0.113.9", "x", ",,,"),
    "HTTP_ORIGIN": ("null", "https://app.example"),
    "HTTP_RANGE": ("bytes=0-1",),
    "HTTP_TRANSFER_ENCODING": ("chunked",),
    "CONTENT_TYPE": ("application/json", FORM, PATCH, "text/plain", "application/fhir+xml", ";=", "a" * 300),
    "CONTENT_LENGTH": ("x", "-1", "99999999999"),
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW")
CONTEXTS = ("patient", "patient", "user", "system", "odd")
LETTERS = ("rs", "cruds", "r", "s", "cud", "u", "read", "*", "sr")
FULL = ("patient/*.cruds", "patient/*.rs", "patient/*.cruds user/*.cruds", "user/*.cruds", "patient/Observation.cruds")
OPERATIONS = ("add", "replace", "remove", "test", "copy", "move", "odd", 1)
POINTERS = ("/status", "/subject", "/subject/reference", "/id", "", "/-", "/a~2", "/code/coding/9", 7)
CONDITIONS = ("ifMatch", "ifNoneExist", "ifNoneMatch", "ifModifiedSince")
