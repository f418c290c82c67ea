"""In-memory adapters of the ports, for tests; they pass the same contract suites as the Redis ones."""
