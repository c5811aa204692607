"""The section, and words that several of its checks share."""

from smartauth_probe.checks.check import Section

SECTION = Section("search", "Search paths", "Chains, includes, counts, paging")

KIND = "Observation"

SEARCH = "SMART App Launch 2.2, FHIR search"

NARROW = (
    "Add the patient of the token to the search itself, before it is matched and counted, and filter nothing after."
)

CLOSE = "Refuse chains and _has, or evaluate them over what the token may see alone."

EACH = "Judge each included resource by itself: type, letter, patient."

NUMBER = "No record of another patient comes out, but a number does. With a code beside it, it tells what they have."

Pairs = tuple[tuple[str, str], ...]
