"""Words and rules of support automation: no I/O, no vendor, nothing but pydantic and the standard library."""
