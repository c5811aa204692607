"""For producers of FHIR servers: the bad tokens that a server must refuse. Plain Python, of ours it knows nothing."""

__version__ = "0.1.0"  # of both distributions
