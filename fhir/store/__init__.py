"""The records: loading them, whose compartments they lie in, and looking them up."""
