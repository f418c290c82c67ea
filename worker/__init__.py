"""The hands: Celery tasks that plan a catalogue, label its chunks and assemble the result."""
