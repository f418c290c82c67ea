"""Celery tasks: plan, label, assemble, and the periodic ones."""
