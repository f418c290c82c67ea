"""Hostile catalogues, from upload to result, on a local stack: `python -m benchmarks.fuzz`."""
