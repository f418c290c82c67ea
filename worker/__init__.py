"""Celery workers: plan a catalogue, label its chunks, assemble the result."""
