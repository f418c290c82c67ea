"""Benchmarks, load tests, fault injection and fuzzing, against a local stack."""
