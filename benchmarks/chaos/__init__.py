"""Fault injection on a local stack, and checks that no row is lost: `python -m benchmarks.chaos`."""
