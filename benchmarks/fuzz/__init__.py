"""Hostile catalogues by the thousand, from upload to result, on a real stack: `python -m benchmarks.fuzz`."""
