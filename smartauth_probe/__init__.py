"""For producers of FHIR servers: what a server must refuse, and a probe that tries it. It knows nothing of ours."""

__version__ = "0.1.0"  # of all distributions
