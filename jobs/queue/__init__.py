"""Task queues: the port and the Celery adapter."""
