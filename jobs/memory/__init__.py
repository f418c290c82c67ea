"""In-memory adapters of the ports, for tests; they pass the contract suites of the ports."""
