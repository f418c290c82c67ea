"""Faults by the hundred on a real stack, and the proof that no row is lost by them: `python -m benchmarks.chaos`."""
