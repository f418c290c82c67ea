"""Throughput compared with alternatives, on the same rows, the same SavedModel and the same cores."""
