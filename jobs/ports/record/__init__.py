"""Ports to the job record: jobs, their steps and chunks, uploads, workers, statistics."""
