"""Throughput compared with alternatives, on the same rows, SavedModel and cores."""
